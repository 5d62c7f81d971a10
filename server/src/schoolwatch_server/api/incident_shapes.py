"""What the API answers about incidents, and what it is sent to see to them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schoolwatch_server.api.shapes import Answer, Count, DeviceName, Next, Time
from schoolwatch_server.handling import AT_ONCE, NOTE_MAX, Act, Why
from schoolwatch_server.incident_states import State
from schoolwatch_server.serious.timers import Standing, Step
from schoolwatch_server.severity import Severity

Seconds = Annotated[float | None, Field(ge=0, description="null: there was none to take it of")]
Note = Annotated[
    str, Field(max_length=NOTE_MAX, description="Kept in the timeline; whoever sees it reads it")
]
Person = Annotated[str, Field(description="Name of an account, or `API token` and the name of a token")]


class Incident(Answer):
    """`state`: `evidence` was closed by readings, `resolved` and `false_alarm` by a person, `standing` has
    gone on the work list. `place` is the commune or province that it is about, where it is about one.
    """

    id: int
    rule: str
    rule_version: int
    severity: Severity
    state: State
    about: Annotated[
        str | None,
        Field(
            description="Which of the many things that its rule may find: the name of a Grafana's rule, the "
            "id of an indicator, a site's address; cut to 80 characters"
        ),
    ]
    device: DeviceName | None
    label: str | None
    school: str | None
    commune: str | None
    place: str | None
    since: Time
    opened_at: Time
    closed_at: Time | None
    reopened_at: Time | None
    acknowledged_at: Time | None
    acknowledged_by: Person | None
    assignee: Person | None
    closed_by: Person | None
    late: bool
    arrived_at: Annotated[
        Time | None,
        Field(description="When the report that opened it came; later than `opened_at` where it is late"),
    ]
    exercise: bool
    evidence: dict[str, Any] | None


class Incidents(Answer):
    incidents: list[Incident]
    next: Next


class Event(Answer):
    """Something that happened to an incident; what stands in `detail` goes by `kind`."""

    at: Time
    kind: str
    detail: dict[str, Any] | None


class Deadline(Answer):
    """A deadline of a serious incident; `sent_at` and `reference` (the letter's number) end it."""

    step: Step
    due_at: Time
    standing: Standing
    sent_at: Time | None
    sent_by: Person | None
    reference: str | None


class Gravity(Answer):
    """Whether it is serious, and why where a person said so. `deadlines` is empty where nothing is owed."""

    serious: bool
    reason: str | None
    detected_at: Time
    deadlines: list[Deadline]


class Measured(Answer):
    """A reading or fact that was kept as evidence; `unit` is the catalogue's, empty for a text."""

    name: str
    labels: dict[str, str]
    value: float | str | None
    unit: str


class SightingKept(Answer):
    kind: str
    subject: str
    detail: dict[str, str]


class Witness(Answer):
    """One report that was kept: the `first` that showed the fault, or the `last`, which opened the incident.

    `left_out` says how many more lines `evidence` holds than stand here.
    """

    which: Literal["first", "last", "again"]
    measured_at: Time | None
    arrived_at: Time | None
    measured: list[Measured]
    sighting: SightingKept | None
    left_out: Count


class OneIncident(Incident):
    events: list[Event]
    gravity: Gravity
    witnesses: list[Witness]


class Outcome(Answer):
    """`done`: the incident was changed. Otherwise `why` not, and who was first and when."""

    incident: int
    done: bool
    why: Why
    by: Person | None
    at: Time | None
    newer: int | None


class Handled(Answer):
    outcome: Outcome
    incident: Incident


class HandledMany(Answer):
    outcomes: list[Outcome]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Acknowledge(_Sent):
    note: Note = ""


class Assign(_Sent):
    """`was` is the assignee that you saw ("" nobody): if it is another by now, nothing is changed."""

    assignee: Annotated[str, Field(max_length=200, description='Name of an account; "" is nobody')]
    was: Annotated[str, Field(max_length=200)] | None = None
    note: Note = ""


class WriteNote(_Sent):
    note: Annotated[str, Field(min_length=1, max_length=NOTE_MAX)]


class Close(_Sent):
    verdict: Literal["resolved", "false_alarm", "withdrawn"]
    note: Note = ""


class Many(_Sent):
    act: Act
    incidents: Annotated[list[Annotated[int, Field(ge=1, le=2**62)]], Field(min_length=1, max_length=AT_ONCE)]
    assignee: Annotated[str, Field(max_length=200)] = ""
    note: Note = ""


class OfPlace(Answer):
    """Of the incidents opened in the month. Those open or ended otherwise (`apart`) are in no mean."""

    code: str
    name: str
    opened: Count
    acknowledged: Count
    acknowledge_mean: Seconds
    acknowledge_median: Seconds
    untaken: Count
    closed: Count
    close_mean: Seconds
    close_median: Seconds
    false_alarms: Count
    open: Count
    apart: Count


class ResponseTimes(Answer):
    """`until`: what happened later doesn't count; the month's end, or now while it lasts."""

    month: str
    until: Time
    level: Literal["province", "commune", "school"]
    whole: OfPlace
    places: list[OfPlace]
