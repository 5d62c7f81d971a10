"""An indicator is a pure function of counted values and the declared numbers of a school."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "not_enough_data"]
Place = Literal["province", "commune", "school"]
Unit = Literal["ratio", "students/computer"]
Basis = Literal["observed", "declared", "hybrid"]
"""What a value rests on: devices and gateways, what a school declared, or both."""
Reason = Literal["", "not_declared", "nothing_declared", "coverage_below_floor", "nothing_to_count"]
"""Why there is no value; a key of the text file `indicators`."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What one school's registry and device states add up to; None is "not declared".

    Devices that are retired are not counted; a device is *working* when its newest report lies in the
    pack's working window and it is not marked broken. Only working devices fill the counts after
    `student_devices_working`: what a device said half a year ago is not known today.
    `ipv6_rung[i]` counts devices whose highest rung is i-1, so the first one is "rung 0 failed".
    `student_devices_known` also counts broken ones: that they don't work is known.
    """

    devices_declared: int | None = None
    students_declared: int | None = None
    student_devices_declared: int | None = None
    devices_enrolled: int = 0
    devices_heard: int = 0
    student_devices_known: int = 0
    student_devices_working: int = 0
    protected_yes: int = 0
    protected_known: int = 0
    link_known: int = 0
    wired: int = 0
    wired_100: int = 0
    wired_1000: int = 0
    ipv6_known: int = 0
    ipv6_rung: tuple[int, ...] = (0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Fraction:
    """What an indicator computes for one school; `known` of `declared` devices cover it.

    `declared` is None when the school has not declared what the indicator needs.
    """

    numerator: float | None
    denominator: float | None
    known: int
    declared: int | None


@dataclass(frozen=True, slots=True)
class Total:
    """Fractions of the schools of a place, added up; `coverage` is 0…1, None when nothing was declared."""

    numerator: float | None
    denominator: float | None
    coverage: float | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Source:
    """Where a definition or number comes from, and how sure it is (criteria tags V-seed … NF, P)."""

    document: str
    clause: str
    confidence: str


LineKind = Literal["floor", "target", "threshold", "reference", "window"]


@dataclass(frozen=True, slots=True)
class Line:
    """A number of the pack that takes part in the judgement, to be printed with its own source.

    `applies_to` names school levels (TH, THCS, THPT); empty is all.
    """

    kind: LineKind
    value: float
    unit: str
    applies_to: tuple[str, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator: its id (`students_per_computer`), unit, and the function that computes it.

    `parts` splits what was counted into named parts for a page (`none`, `0` … `4`); most have none.
    `with_threshold`: a pack must give it one. `window`: which of the packs' windows its devices fall in.
    """

    id: str
    unit: Unit
    compute: Callable[[Counts], Fraction]
    parts: Callable[[Counts], tuple[tuple[str, int], ...]] | None = None
    with_threshold: bool = False
    window: Literal["working", "heard"] = "working"


@dataclass(frozen=True, slots=True)
class IndicatorValue:
    """A judged value, ready to be shown, exported and written back as a series.

    `value` is None exactly when `status` is "not_enough_data"; `reason` is then a key of the text file.
    `coverage` is 0…1 or None when nothing was declared. `at` is UTC seconds. `lines` are the pack's
    numbers behind it, `parts` the counts behind it. `declared` is what the school says of the same quantity,
    with how far that has come (`declared_state`) and since when (UTC seconds); it never becomes `value` by
    itself. `deadline` is the target's last day, ISO 8601, empty when there is none.
    """

    indicator: str
    level: Place
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
    better: Literal["higher", "lower"] = "higher"
    lines: tuple[Line, ...] = ()
    parts: tuple[tuple[str, int], ...] = ()
    basis: Basis = "observed"
    declared: float | None = None
    declared_state: str = ""
    declared_at: float | None = None
    deadline: str = ""
