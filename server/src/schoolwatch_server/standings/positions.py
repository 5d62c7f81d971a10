"""How many schools have no known position, and so are on no map."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.store.names import UNPLACED
from schoolwatch_server.store.series import Judged

LEVELS: Final[tuple[Place, ...]] = ("commune", "province")

Tags = Mapping[tuple[Place, int], dict[str, str]]


def rows(has_position: Mapping[int, bool], tags: Tags, at: float) -> Iterator[Judged]:
    """The points of communes and provinces; `has_position` of each school, by its id."""
    found: dict[tuple[Place, int], Counter[bool]] = {}
    for school, has in has_position.items():
        its = tags.get(("school", school))
        if its is not None:
            for level in LEVELS:
                found.setdefault((level, int(its[level])), Counter())[has] += 1
    for key, counts in found.items():
        whole = counts[True] + counts[False]
        yield Judged(UNPLACED, tags[key], at, float(counts[False]), float(counts[False]), float(whole))
