"""The packs that are in force together on a day."""

from collections.abc import Collection
from dataclasses import dataclass

from schoolwatch_server.lifecycle import Systems
from schoolwatch_server.packs.criteria import Criteria
from schoolwatch_server.packs.pack import Calendar, Pack, Slow, Windows
from schoolwatch_server.packs.plan import About, Plan, Target, targets_of
from schoolwatch_server.packs.reference import Reference
from schoolwatch_server.packs.sheet import Held


@dataclass(frozen=True, slots=True)
class Local:
    """What a server's own settings add to the packs.

    `issued`: parts of the names of the antivirus that the province issues. `room_devices`: computers that
    must have told before anything is said of a room's use. `systems`: until when makers support theirs.
    """

    issued: tuple[str, ...] = ()
    room_devices: int = 5
    systems: Systems = ()


@dataclass(
    frozen=True, eq=False
)  # one is itself: it is never compared, and what is made of it is found by it
class Packs:
    """All packs in force; every indicator is defined by exactly one of them.

    `held` has each of them once more with its text. `faults` says which stored versions can't be used, and
    why; what held before them holds.
    """

    packs: tuple[Pack, ...]
    plans: tuple[Plan, ...] = ()
    criteria: tuple[Criteria, ...] = ()
    references: tuple[Reference, ...] = ()
    held: tuple[Held, ...] = ()
    faults: tuple[str, ...] = ()
    local: Local = Local()

    def of(self, indicator: str) -> Pack:
        """The pack that defines an indicator; KeyError when none does (the loader has made sure)."""
        for pack in self.packs:
            if indicator in pack.indicators:
                return pack
        raise KeyError(indicator)

    def target_of(self, indicator: str, place: About | None = None) -> Target | None:
        """What the plans in force ask of an indicator (or of a declared question) at a place, if anything.

        Without a plan there is none: the number of the indicator's own definition is then what is shown.
        """
        return next(iter(targets_of(self.plans, indicator, () if place is None else (place,))), None)

    def reference(self, wanted: str) -> Reference | None:
        """The references of that id (`bandwidth`, `uis`, `tcvn14423`)."""
        return next((one for one in self.references if one.id == wanted), None)

    def criteria_for(self, stages: Collection[str]) -> tuple[Criteria, ...]:
        """The sets of criteria that a school teaching those stages is assessed by."""
        return tuple(one for one in self.criteria if set(one.applies_to) & set(stages))

    @property
    def windows(self) -> Windows:
        """The one pair of windows; ValueError when no pack has it (the loader has made sure)."""
        for pack in self.packs:
            if pack.windows is not None:
                return pack.windows
        raise ValueError("no pack has windows")

    @property
    def calendar(self) -> Calendar:
        """The schools' calendar; ValueError when no pack has it (the loader has made sure)."""
        for pack in self.packs:
            if pack.calendar is not None:
                return pack.calendar
        raise ValueError("no pack has a calendar")

    @property
    def ipv6_slow(self) -> Slow:
        """When IPv6 is slow; ValueError when no pack says it (the loader has made sure)."""
        for pack in self.packs:
            if pack.ipv6_slow is not None:
                return pack.ipv6_slow
        raise ValueError("no pack has ipv6_slow")
