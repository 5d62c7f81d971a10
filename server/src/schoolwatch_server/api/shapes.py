"""What the API answers, for its description (OpenAPI): a test holds every answer against these.

Times are RFC 3339 in UTC. `null` is unknown: never 0, never good, never bad.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schoolwatch_server.database.room_use import Hidden
from schoolwatch_server.indicators.indicator import Basis, Reason, Status
from schoolwatch_server.levels import Manager
from schoolwatch_server.strict_yaml import Confidence

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
DeviceName = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
Ratio = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Next = Annotated[int | None, Field(description="Goes into `cursor` for the next page; null is the last")]


class Answer(BaseModel):
    """Nothing else is in it."""

    model_config = ConfigDict(extra="forbid")


class Both(Answer):
    """A text in Vietnamese and English."""

    vi: str
    en: str


class School(Answer):
    code: str
    name: str


class SchoolDeclared(School):
    """`managed_by` is whom it reports to: `so`, the department, or `xa`, its commune; null: not known."""

    level: str
    commune: str
    province: str
    managed_by: Manager | None
    is_public: bool
    declared: dict[str, float]


class Schools(Answer):
    schools: list[SchoolDeclared]
    next: Next


class Source(Answer):
    """Where a definition or number comes from, and how sure it is."""

    document: str
    clause: str
    confidence: Confidence


class OfStage(Answer):
    """An indicator of one stage of a school that teaches several."""

    stage: str
    value: float | None
    target: float | None
    meets: bool | None


class Indicator(Answer):
    """`meets` null: not known, or nothing is asked. `declared` is what the school says of the same.

    `encouraged`: documents only recommend it, so that `meets` false is no failing.
    """

    indicator: str
    code: str
    title: Both
    unit: str
    status: Status
    reason: Reason
    value: float | None
    numerator: float | None
    denominator: float | None
    coverage: Ratio | None
    source: Source
    pack: str
    target: float | None
    better: Literal["higher", "lower"]
    meets: bool | None
    encouraged: bool
    deadline: Annotated[str | None, Field(json_schema_extra={"format": "date"})]
    basis: Basis
    declared: float | None
    declared_state: str
    stages: list[OfStage]
    parts: dict[str, Count]
    at: Time


class Indicators(Answer):
    school: str
    name: str
    indicators: list[Indicator]


class DayValue(Answer):
    """What held at the end of a day of Vietnam."""

    day: Annotated[str, Field(json_schema_extra={"format": "date"})]
    at: Time
    level: Literal["province", "commune", "school"]
    place: School
    indicator: str
    unit: str | None
    value: float | None
    numerator: float | None
    denominator: float | None
    coverage: Ratio | None
    pack: str


class IndicatorHistory(Answer):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"title": "IndicatorHistory"})
    since: Annotated[str, Field(alias="from", json_schema_extra={"format": "date"})]
    to: Annotated[str, Field(json_schema_extra={"format": "date"})]
    values: list[DayValue]
    next: Next


class Use(Answer):
    """The mean of a computer on a day of which it told; without one `hidden` says why."""

    mean: float | None
    unit: str
    devices: Count
    device_days: Count | None
    hidden: Hidden | None


class RoomWeek(Answer):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"title": "RoomWeek"})
    school: School
    room: str
    role: str
    since: Annotated[Time, Field(alias="from")]
    to: Time
    days: Count
    on: Use
    active: Use
    boots: Use


class RoomUse(Answer):
    least_devices: Count
    room_use: list[RoomWeek]
    next: Next


class Activated(Answer):
    activated: Count
    not_activated: Count
    untold: Count


class Activation(Answer):
    school: School
    windows: Activated
    office: Activated


class Activations(Answer):
    counts_since: Time
    activation: list[Activation]
    next: Next


class LineTest(Answer):
    """Bit/s and seconds."""

    family: str
    taken_at: Time
    download: float | None
    upload: float | None
    limited_download: float | None
    limited_upload: float | None
    limited_by: list[str]
    rtt_min: float | None
    rtt_loaded: float | None


class Line(Answer):
    school: School
    declared_mbps: float | None
    state: Literal["no_device_chosen", "tested", "untested"]
    tests: list[LineTest]


class Lines(Answer):
    lines: list[Line]
    next: Next


class Mqtt(Answer):
    host: str
    port: Annotated[int, Field(ge=1, le=65535)]
    tls: bool
    websocket: str


class Credential(Answer):
    """What a device is known by once it is let in; said this once."""

    device: DeviceName
    label: str
    standing: Literal["approved", "pending"]
    key: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Frame key, hex")]
    password: str
    hint_key: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    made_at: Annotated[float, Field(description="When key and password were made, UTC seconds")]
    mqtt: Mqtt


class HintKey(Answer):
    hint_key: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Slot(Answer):
    """Where to test, once in each direction; bit/s and seconds."""

    download: str
    upload: str
    begin_within: float
    seconds: float
    rate: float
    assumed: bool


class Offered(Answer):
    """A new key and password beside those that hold."""

    key: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Frame key, hex")]
    password: str
    made_at: Annotated[float, Field(description="When they were made, UTC seconds")]


class Taken(Answer):
    taken: Literal[True]


class Standing(Answer):
    """How a device stands: let in, waiting for a person, or refused."""

    standing: Literal["approved", "pending", "refused"]


class Health(Answer):
    status: Literal["ok", "ready"]
