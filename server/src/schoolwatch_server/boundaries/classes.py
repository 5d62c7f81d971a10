"""Five classes of a map: which value gets which shade. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

CLASSES = 5
_FIFTHS = (0.2, 0.4, 0.6, 0.8)
_SPREAD = 3


@dataclass(frozen=True, slots=True)
class Class:
    """A shade from 1 (the smallest values) to 5, the values that it stands for, and how many have it."""

    shade: int
    least: float
    most: float
    count: int


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of one map; `fixed`: fifths of a whole, the same on every map, else about equal counts."""

    limits: tuple[float, ...]
    classes: tuple[Class, ...]
    fixed: bool

    def shade(self, value: float) -> int:
        """From 1 to 5; equal values have the same."""
        at = bisect_right(self.limits, value)
        return self.classes[at].shade


def classes(values: Sequence[float], *, is_share: bool) -> Classes | None:
    """Fifths for shares that spread over three of them or more, else about equally many in each class."""
    if not values:
        return None
    if is_share and len({bisect_right(_FIFTHS, value) for value in values}) >= _SPREAD:
        counts = [0] * CLASSES
        for value in values:
            counts[bisect_right(_FIFTHS, value)] += 1
        bounds = (0.0, *_FIFTHS, 1.0)
        made = (Class(at + 1, bounds[at], bounds[at + 1], count) for at, count in enumerate(counts))
        return Classes(_FIFTHS, tuple(made), fixed=True)
    ordered = sorted(values)
    cuts = {ordered[at * len(ordered) // CLASSES] for at in range(1, CLASSES)} - {ordered[0]}
    limits = tuple(sorted(cuts))
    groups: list[list[float]] = [[] for _ in range(len(limits) + 1)]
    for value in ordered:
        groups[bisect_right(limits, value)].append(value)
    made = (
        Class(_spread(at, len(groups)), group[0], group[-1], len(group)) for at, group in enumerate(groups)
    )
    return Classes(limits, tuple(made), fixed=False)


def _spread(at: int, count: int) -> int:
    """Shades far from each other when there are fewer classes than shades."""
    return 1 + round(at * (CLASSES - 1) / max(count - 1, 1)) if count > 1 else (1 + CLASSES) // 2
