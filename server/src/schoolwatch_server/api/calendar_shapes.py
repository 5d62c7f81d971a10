"""What the API answers about school time and planned work, and what it is sent to enter them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schoolwatch_server.api.incident_shapes import Incident, Person
from schoolwatch_server.api.query import CODE
from schoolwatch_server.api.shapes import Answer, Both, Next, Source, Time
from schoolwatch_server.calendar_entries import REASON_MAX
from schoolwatch_server.calendar_places import Level

DAY = r"^\d{4}-\d{2}-\d{2}$"

Day = Annotated[str, Field(pattern=DAY, json_schema_extra={"format": "date"}, description="Of Vietnam")]
Span = Annotated[str, Field(max_length=11, description="`07:00-11:30` in Vietnam's time; empty is none")]
WeekDays = Annotated[str, Field(max_length=7, description="2 is Monday, 7 Saturday, 8 Sunday: `23456`")]
Code = Annotated[str, Field(pattern=CODE, description="Of the school, commune or province")]
Reason = Annotated[str, Field(max_length=REASON_MAX, description="In a few words; whoever sees it reads it")]


class Place(Answer):
    level: Level
    code: str
    name: str


class SetDays(Answer):
    """Both days are included. `ended_at` null: they hold."""

    id: int
    place: Place
    first: Day
    last: Day
    is_held: bool
    reason: str
    made_at: Time
    made_by: Person
    ended_at: Time | None


class ListedDays(Answer):
    days: list[SetDays]
    next: Next


class PlannedWork(Answer):
    """`rule` null: all that may be quiet are."""

    id: int
    place: Place
    rule: str | None
    starts: Time
    ends: Time
    reason: str
    made_at: Time
    made_by: Person


class ListedWork(Answer):
    work: list[PlannedWork]
    next: Next


class WorkExplains(PlannedWork):
    """`incidents` are open, of rules that are quiet during the work, and began before its end."""

    incidents: list[Incident]


class OwnHours(Answer):
    morning: str
    afternoon: str
    days: str
    mornings_only: str
    changed_at: Time
    changed_by: Person


class LevelHours(Answer):
    """Without `levels`: of all others."""

    levels: list[str]
    morning: str
    afternoon: str
    days: str
    mornings_only: str
    source: Source


class Break(Answer):
    """`MM-DD` comes each year, `YYYY-MM-DD` once."""

    title: Both
    first: str
    last: str
    source: Source


class Session(Answer):
    starts: Time
    ends: Time


class Hours(Answer):
    """`sessions` of that day, empty without school; null where no school was asked about.

    `own` null: those of the school's level hold.
    """

    school: str | None
    day: Day
    sessions: list[Session] | None
    own: OwnHours | None
    levels: list[LevelHours]
    breaks: list[Break]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class EnterDays(_Sent):
    level: Level
    code: Code
    first: Day
    last: Annotated[Day | None, Field(description="Left out: that one day")] = None
    is_held: Annotated[bool, Field(strict=True, description="School is held after all")] = False
    reason: Reason


class EnterWork(_Sent):
    level: Level
    code: Code
    starts: Time
    ends: Time
    rule: Annotated[str, Field(max_length=60, description="Empty: all that may be quiet are")] = ""
    reason: Reason


class EnterHours(_Sent):
    school: Code
    morning: Span = ""
    afternoon: Span = ""
    days: WeekDays
    mornings_only: WeekDays = ""


class ResetHours(_Sent):
    school: Code


class End(_Sent):
    """Nothing is told but that it ends."""
