"""The end of series of a place that is no more, or that stands elsewhere now.

A value holds until the next point of its series. So what a school came to where it stood until yesterday
would be there for a day more, and twice in a table of all schools. Its end says that nothing is known there
any more: of nothing (denominator 0), no number.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.store.names import SUMS
from schoolwatch_server.store.series import ENDED, Judged

LOOK_BACK: Final = 2 * 86400.0
"""Seconds in which a series must have told something: of older ones nobody asks what holds now."""

Tags = Mapping[tuple[Place, int], Mapping[str, str]]


def is_gone(measurement: str, tags: Mapping[str, str], places: Tags) -> bool:
    """Whether a series is of a place that there isn't, or not there."""
    level = tags.get("level", "")
    if level not in ("school", "commune", "province") or measurement in SUMS:
        return False
    now = places.get((level, int(tags.get(level, 0))))  # type: ignore[arg-type]  # one of the three
    return now is None or any(tags.get(key) != value for key, value in now.items())


def ends(newest: Iterable[Judged], slot: float) -> Iterator[Judged]:
    """The end of each series by its newest point; of those that have none yet.

    It stands before `slot`, the instant of what is judged of the place where it stands now.
    """
    for row in newest:
        is_over = row.value is None and row.numerator is None and not row.denominator
        if not is_over:
            at = slot - 1 if row.at < slot - 1 else row.at + 1
            yield Judged(row.measurement, row.tags, at, *ENDED)
