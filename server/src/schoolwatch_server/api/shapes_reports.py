"""What the API answers of frozen reports, for its description."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schoolwatch_server.api.shapes import Answer, Count, Next, Time
from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.reports.calendar import Kind
from schoolwatch_server.reports.state import State

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Frozen(Answer):
    """A revision of a report; `due_on` is the last day in time, null where there is no deadline."""

    sha256: Digest
    kind: Kind
    level: Place
    code: str
    name: str
    period: str
    revision: Count
    state: State
    due_on: Annotated[str | None, Field(json_schema_extra={"format": "date"})]
    frozen_at: Time
    handed_in_at: Time | None
    note: str
    bytes: Count
    simulated: bool


class Reports(Answer):
    """A page of them."""

    reports: list[Frozen]
    next: Next


class Event(Answer):
    """What became of a report; who did it is not told."""

    at: Time
    event: str
    remark: str


class Report(Frozen):
    """One revision with all that became of it."""

    events: list[Event]


class Kept(BaseModel):
    """What was frozen; further fields come with newer versions, and `format` says when one changes."""

    model_config = ConfigDict(extra="allow")
    format: Count
    kind: Kind
    level: Place
    code: str
    name: str
    period: str
    revision: Count
    frozen_at: float
    simulated: bool
