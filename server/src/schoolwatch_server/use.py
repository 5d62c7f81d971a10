"""The use of a room in one week as sums that are nobody's; pure.

What a computer told of one day is a cell. A cell belongs to one room and one week, for ever: sums never
overlap, so no difference of two of them is a computer's (docs/decisions/0011-use-of-rooms.md).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Quantity = Literal["on", "active", "boots"]
QUANTITIES: Final[tuple[Quantity, ...]] = ("on", "active", "boots")
"""Seconds on, seconds in use, starts of the system."""

FEWEST: Final = 3
"""Computers below which a sum is never kept: of two, each owner has the other's by subtracting their own.

The minimum frequency rule of ESSNet SDC, Handbook on Statistical Disclosure Control, "Magnitude tabular
data". Some offices ask for five (OECD, Glossary of Statistical Terms, "threshold rule"), which is the
default of `privacy.room_devices`.
"""

PRECISION: Final = 0.1
"""Share of the largest part to which nobody may come near it, the owner of the second largest included.

The p% rule of the same handbook: all but the two largest parts together are less than p% of the largest.
"""

DAY: Final = 86400
WEEK: Final = 7 * DAY
SETTLED: Final = WEEK
"""Seconds after its end when a week is summed, once: what computers measured without a line has come."""

_MONDAY: Final = 4 * DAY - 7 * 3600
"""Midnight in Vietnam (UTC+7) of the first Monday since 1970 began."""


def week_of(at: float) -> int:
    """The beginning of the week (Monday, UTC+7) that an instant is in, UTC seconds."""
    return int((at - _MONDAY) // WEEK * WEEK + _MONDAY)


def newest_settled(now: float) -> int:
    """The last week that may be summed."""
    return week_of(now - SETTLED) - WEEK


def next_sum(now: float) -> int:
    """When the next week is summed, UTC seconds."""
    return newest_settled(now) + 2 * WEEK + SETTLED


Cell = Mapping[Quantity, float]
"""What a computer told of one day; what it did not tell is not there."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What so many computers told on so many of their days; no total where it would be one computer's."""

    devices: int
    device_days: int
    total: float | None


@dataclass(frozen=True, slots=True)
class Week:
    """A room's week: on how many days somebody told, and a sum of each quantity."""

    days: int
    sums: Mapping[Quantity, Sum]


def summed(cells: Mapping[int, Mapping[int, Cell]]) -> Week:
    """A room's week from its cells: device → day → cell.

    A day of which a computer told nothing is in no sum: whether it was off or not heard is unknown.
    """
    told = {day for days in cells.values() for day, cell in days.items() if "on" in cell}
    return Week(len(told), {quantity: _sum(cells.values(), quantity) for quantity in QUANTITIES})


def is_dominated(parts: Sequence[float]) -> bool:
    """Whether the largest part can be told from the sum to within `PRECISION`."""
    largest, *rest = sorted(parts, reverse=True)
    return sum(rest[1:]) < PRECISION * largest


def _sum(devices: Iterable[Mapping[int, Cell]], quantity: Quantity) -> Sum:
    told = [[cell[quantity] for cell in days.values() if quantity in cell] for days in devices]
    parts = [sum(values) for values in told if values]
    nobodys = len(parts) >= FEWEST and not is_dominated(parts)
    return Sum(len(parts), sum(map(len, told)), math.fsum(parts) if nobodys else None)
