"""An indicator is a pure function of counted values and the declared numbers of a place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "not_enough_data"]


@dataclass(frozen=True, slots=True)
class Counts:
    """What a school's (or commune's, province's) registry and device states add up to.

    None is "not declared" or "not known". Sums over schools keep None apart: see `places`.
    """

    devices_declared: int | None
    students_declared: int | None
    student_devices_declared: int | None
    devices_enrolled: int
    devices_heard: int
    student_devices_working: int
    protected_yes: int
    protected_known: int
    wired: int
    wired_100: int
    wired_1000: int
    ipv6_known: int
    ipv6_rung: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Fraction:
    """What an indicator computes: `value` is usually numerator / denominator; `known` of `declared` cover it."""

    numerator: float | None
    denominator: float | None
    known: int
    declared: int | None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a definition or number comes from, and how sure it is (criteria tags V-seed … NF, P)."""

    document: str
    clause: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator: its id (`students_per_computer`), unit, and the function that computes it."""

    id: str
    unit: Literal["ratio", "students/computer"]
    compute: Callable[[Counts], Fraction]


@dataclass(frozen=True, slots=True)
class IndicatorValue:
    """A judged value, ready to be shown, exported and written back as a series.

    `value` is None exactly when `status` is "not_enough_data"; `reason` is then a key of the text file.
    `coverage` is 0…1 or None when nothing was declared. `at` is UTC seconds.
    """

    indicator: str
    level: Literal["province", "commune", "school"]
    place_id: int
    unit: str
    status: Status
    reason: str
    value: float | None
    numerator: float | None
    denominator: float | None
    coverage: float | None
    source: Source
    pack: str
    target: float | None
    at: float
