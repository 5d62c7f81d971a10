"""What the API answers about devices, for its description (OpenAPI); see shapes.py."""

from typing import Annotated

from pydantic import Field

from schoolwatch_server.api.shapes import Answer, Both, Count, DeviceName, Next, School, Time
from schoolwatch_server.ladder import Standing
from schoolwatch_server.state import Medium
from schoolwatch_server.working import Reason as WorkingReason


class Posture(Answer):
    protected: bool | None
    issued_antivirus: bool | None
    ipv6_rung: int | None
    link_speed: float | None
    link_medium: Medium | None


class DeviceFact(Answer):
    name: str
    labels: dict[str, str]
    value: str | None
    reason: str
    at: Time


class DeviceReading(Answer):
    metric: str
    labels: dict[str, str]
    value: float | None
    unit: str
    at: Time


class FailingDisk(Answer):
    disk: str
    failure_predicted: bool
    at: Time


class RestsOn(Answer):
    broken: bool
    taken_at: Time | None
    counts_since: Time
    room_taken_at: Time | None
    failing_disks: list[FailingDisk]


class Working(Answer):
    verdict: bool | None
    reasons: list[WorkingReason]
    rests_on: RestsOn


class Rung(Answer):
    rung: Count
    standing: Standing
    reason: str
    name: Both
    remedy: Both


class Ladder(Answer):
    rungs: list[Standing]
    first: Rung | None


class Device(Answer):
    device: DeviceName
    label: str
    role: str | None
    room: str | None
    school: School
    heard_at: Time | None
    taken_at: Time | None
    agent: str | None
    broken: bool
    posture: Posture
    facts: list[DeviceFact]
    readings: list[DeviceReading]
    working: Working
    ipv6: Ladder


class Devices(Answer):
    devices: list[Device]
    next: Next


class Fact(Answer):
    device: DeviceName
    name: str
    labels: dict[str, str]
    value: str | None
    reason: str
    valid_from: Time
    valid_to: Time | None


class Facts(Answer):
    facts: list[Fact]
    next: Next


class Point(Answer):
    at: Time
    mean: float | None
    min: float
    max: float
    count: Count


class OneSeries(Answer):
    labels: dict[str, str]
    points: list[Point]


class Series(Answer):
    device: DeviceName
    metric: str
    unit: str
    since: Annotated[Time, Field(alias="from")]
    to: Time
    series: list[OneSeries]
