"""What a pack holds: the numbers that indicators are judged by, each with its document and how sure it is."""

from typing import Annotated, Literal

import msgspec

from schoolwatch_server.packs.calendar import Break, Hours
from schoolwatch_server.strict_yaml import Confidence, Id, Title, Version

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number with its unit and source; `applies_to` names school levels (TH, THCS, THPT), empty is all."""

    value: Annotated[float, msgspec.Meta(ge=0)]
    unit: str
    document: Title
    clause: str
    confidence: Confidence
    applies_to: tuple[str, ...] = ()


class Windows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days: a device is `working` or `heard` when its newest report is no older than that.

    `working` are days of the schools' calendar, without its breaks.
    """

    working: Number
    heard: Number


class Calendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Breaks, in which nobody switches computers on, and the days that what a person saw counts.

    `hours` are when school is held on other days, by level; without them no watch tells of silence.
    """

    breaks: tuple[Break, ...]
    by_hand: Number
    hours: tuple[Hours, ...] = ()


class Slow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds: a rung of the IPv6 ladder is slow from `answer` on, or when IPv6 connects later than IPv4 by
    more than `behind`."""

    answer: Number
    behind: Number


class Definition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an indicator comes from, and the numbers it is held against.

    `numbers` are those that it is computed with, by the names that the indicator gives them. `encouraged`:
    the document asks nobody for it, so that who has it not fails nothing.
    """

    document: Title
    clause: str
    confidence: Confidence
    better: Literal["higher", "lower"] = "higher"
    target: Number | None = None
    threshold: Number | None = None
    numbers: dict[Id, Number] = {}
    references: tuple[Number, ...] = ()
    encouraged: bool = False


class Pack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a subject; a higher version of the same id replaces it as a whole."""

    id: Id
    version: Version
    vi: Title
    en: Title
    coverage_floor: Number
    indicators: dict[Id, Definition]
    windows: Windows | None = None
    calendar: Calendar | None = None
    ipv6_slow: Slow | None = None
    kind: Literal["indicators"] = "indicators"

    @property
    def name(self) -> str:
        """`network@1`: what is written beside every value that was judged with it."""
        return f"{self.id}@{self.version}"
