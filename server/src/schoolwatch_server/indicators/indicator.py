"""An indicator is a pure function of what is counted and declared of a school, and of the pack's numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from schoolwatch_server.indicators.facts import (
    NO_ASSETS,
    NO_CLASSROOMS,
    NO_PAIR,
    NO_TESTS,
    NO_USE,
    Assets,
    Classrooms,
    Contract,
    Lab,
    LabUse,
    LineTests,
    Pair,
    Said,
    SchoolClass,
    Site,
)

Status = Literal["ok", "not_enough_data"]
Place = Literal["province", "commune", "school"]
Unit = Literal[
    "ratio",
    "students/computer",
    "boolean",
    "count",
    "level",
    "step",
    "Mbit/s",
    "kbit/s/student",
    "hours/day",
]
Basis = Literal["observed", "declared", "hybrid"]
"""What a value rests on: devices and gateways, what a school declared, or both."""
Reason = Literal[
    "",
    "not_declared",
    "nothing_declared",
    "coverage_below_floor",
    "few_schools",
    "nothing_to_count",
    "no_students",
    "none_working",
    "no_classes",
    "no_lab",
    "no_rooms",
    "no_contracts",
    "no_assets",
    "no_claim",
    "no_product",
    "no_tests",
    "no_use",
    "not_applicable",
    "site_unknown",
    "nothing_due",
]
"""Why there is no value; a key of the text file `indicators`."""
Group = Literal["assessment", "network", "security", "devices", "observation"]
"""Under which heading a page shows it."""
Numbers = Mapping[str, float]
"""The pack's numbers of one indicator by name; `at` is the instant that is judged, UTC seconds."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What one school's registry, lists and device states add up to; None is "not declared".

    Devices that are retired are not counted; a device is *working* when its newest report lies in the
    pack's working window and it is not marked broken. Only working devices fill the counts after
    `student_devices_working`: what a device said half a year ago is not known today.
    `ipv6_rung[i]` counts devices whose highest rung is i-1, so the first one is "rung 0 failed".
    `student_devices_known` also counts broken ones: that they don't work is known. `signatures_old` are among
    `protected_yes`.
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
    signatures_old: int = 0
    link_known: int = 0
    wired: int = 0
    wired_100: int = 0
    wired_1000: int = 0
    ipv6_known: int = 0
    ipv6_rung: tuple[int, ...] = (0, 0, 0, 0, 0, 0)
    issued: Pair = NO_PAIR
    firewall: Pair = NO_PAIR
    patched: Pair = NO_PAIR
    supported: Pair = NO_PAIR
    autorun_off: Pair = NO_PAIR
    attachments_marked: Pair = NO_PAIR
    accounts: Pair = NO_PAIR
    due: Pair = NO_PAIR
    quality: Pair = NO_PAIR
    backed_up: Pair = NO_PAIR
    ipv6_works: Pair = NO_PAIR
    clocks: Pair = NO_PAIR
    servers: int = 0
    issued_named: bool = False
    stages: tuple[str, ...] = ()
    is_public: bool = True
    labs: tuple[Lab, ...] = ()
    classes: tuple[SchoolClass, ...] = ()
    classrooms: Classrooms = NO_CLASSROOMS
    contracts: tuple[Contract, ...] = ()
    line: LineTests = NO_TESTS
    assets: Assets = NO_ASSETS
    use: LabUse = NO_USE
    site: Site | None = None
    said: Mapping[str, Said] = field(default_factory=dict)


class OfStage(msgspec.Struct, frozen=True, gc=False):
    """An indicator of one stage of a school that teaches several (TH&THCS), against that stage's number."""

    stage: str
    value: float | None
    numerator: float | None
    denominator: float | None
    target: float | None
    meets: bool | None


class Fraction(msgspec.Struct, frozen=True, gc=False):
    """What an indicator computes for one school; `known` of `declared` devices (or rooms) cover it.

    `declared` is None when the school has not declared what the indicator needs. `reason` withholds the value
    whatever the coverage. `meets`: whether the school reaches what is asked (None: not known, or nothing is);
    it is what indicators of a commune or province count that are about schools. `target` is what
    is asked of this very school; `is_asked` false: nothing is. `said` is its own number of the same quantity.
    """

    numerator: float | None
    denominator: float | None
    known: float
    declared: float | None
    reason: Reason = ""
    meets: bool | None = None
    target: float | None = None
    said: Said | None = None
    is_asked: bool = True
    stages: tuple[OfStage, ...] = ()


class Total(msgspec.Struct, frozen=True, gc=False):
    """Fractions of the schools of a place, added up; `coverage` is 0…1, None when nothing was declared.

    `said` is the same by what the schools declare, where enough of them do.
    """

    numerator: float | None
    denominator: float | None
    coverage: float | None
    reason: Reason
    said: Said | None = None


class Source(msgspec.Struct, frozen=True, gc=False):
    """Where a definition or number comes from, and how sure it is (criteria tags V-seed … NF, P)."""

    document: str
    clause: str
    confidence: str


LineKind = Literal["floor", "target", "threshold", "reference", "window"]


class Line(msgspec.Struct, frozen=True, gc=False):
    """A number of the pack that takes part in the judgement, to be printed with its own source.

    `applies_to` names school levels (TH, THCS, THPT); empty is all.
    """

    kind: LineKind
    value: float
    unit: str
    applies_to: tuple[str, ...]
    source: Source


Parts = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator: its id (`students_per_computer`), unit, and the function that computes it.

    `code` is the catalogue's (`I-03`); of several that one entry asks for, each has a letter (`I-22a`).
    `parts` splits what was counted into named parts for a page (`none`, `0` … `4`); most have none.
    `numbers`: which numbers a pack must give it. `window`: which of the packs' windows its devices fall in.
    `counts_schools`: a commune or province has the share of schools that meet what is asked, not a sum.
    `public_only`: its target is of public schools alone, and private ones are in no such share.
    """

    id: str
    unit: Unit
    compute: Callable[[Counts, Numbers], Fraction]
    parts: Callable[[Counts, Numbers], Parts] | None = None
    with_threshold: bool = False
    window: Literal["working", "heard"] = "working"
    code: str = ""
    group: Group = "devices"
    basis: Basis = "observed"
    numbers: tuple[str, ...] = ()
    counts_schools: bool = False
    public_only: bool = False


class IndicatorValue(msgspec.Struct, frozen=True, gc=False):
    """A judged value, ready to be shown, exported and written back as a series.

    `value` is None exactly when `status` is "not_enough_data"; `reason` is then a key of the text file.
    `coverage` is 0…1 or None when nothing was declared. `at` is UTC seconds. `lines` are the pack's
    numbers behind it, `parts` the counts behind it. `declared` is what the school says of the same quantity,
    with how far that has come (`declared_state`) and since when (UTC seconds); it never becomes `value` by
    itself. `deadline` is the target's last day, ISO 8601, empty when there is none. `meets` is whether what
    is asked is reached, also known of some that have no value (every computer of a lab broken). `encouraged`:
    no document asks for it, one or more only recommend it, so that a false `meets` is no failing.
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
    parts: Parts = ()
    basis: Basis = "observed"
    declared: float | None = None
    declared_state: str = ""
    declared_at: float | None = None
    deadline: str = ""
    code: str = ""
    meets: bool | None = None
    stages: tuple[OfStage, ...] = ()
    encouraged: bool = False
