"""Where a query's series come from: what every source of them answers."""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from schoolwatch_server.influxql.condition import Condition, Match, allowed, meant, parts
from schoolwatch_server.influxql.patience import Patience
from schoolwatch_server.influxql.query import Buckets, Call, Function, Span


@dataclass(frozen=True, slots=True)
class Series:
    """One series: what its source calls it, and its tags as they are kept; all of them are its `labels`."""

    id: Hashable
    tags: Mapping[str, str] = field(hash=False)


class Fold(msgspec.Struct, frozen=True, gc=False):
    """What a series was in one bucket: all that functions are made of. Instants are nanoseconds."""

    count: int
    sum: float
    min: float
    max: float
    last: float
    last_at: int


class Point(NamedTuple):
    """The values of a series at an instant (nanoseconds), one a field asked for; None: it has none."""

    at: int
    values: tuple[float | None, ...]


Line = Sequence[tuple[int, float]]
"""Instants (nanoseconds) and values, oldest first."""

VALUES: Final[Mapping[Function, Callable[[Fold], float]]] = {
    "count": attrgetter("count"),
    "sum": attrgetter("sum"),
    "mean": lambda fold: fold.sum / fold.count,
    "min": attrgetter("min"),
    "max": attrgetter("max"),
    "last": attrgetter("last"),
}
"""What a function is of a fold."""


class Source(Protocol):
    """Series that one reader may see; nothing else of what there is."""

    def measurements(self) -> Collection[str]:
        """The names of measurements."""

    def fields(self, measurement: str) -> Sequence[str]:
        """A measurement's fields, all of them numbers; none for a measurement that there isn't."""

    def tag_keys(self, measurement: str) -> Sequence[str]:
        """The tags that series of a measurement have."""

    def series(self, measurement: str, where: Condition, span: Span) -> Sequence[Series]:
        """The series asked for; those without a point in the span may be among them.

        Raises `QueryError` where too many would have to be looked through, `UnnamedError` where all would.
        """

    def labels(
        self, measurement: str, series: Sequence[Series], keys: Sequence[str]
    ) -> Sequence[tuple[str, ...]]:
        """Of each series the values of some tags; a text that is empty where it has no such tag."""

    def folds(
        self,
        measurement: str,
        field: str,
        series: Sequence[Series],
        span: Span,
        buckets: Buckets | None,
        need: frozenset[Function],
    ) -> Mapping[Any, Mapping[int, Fold]]:
        """Each series' points in the span, in buckets by their beginning; all under 0 without any.

        `need` are the functions that are made of the folds: what these don't ask for may be wrong.
        """

    def lines(
        self, measurement: str, call: Call, series: Sequence[Series], span: Span, buckets: Buckets | None
    ) -> Mapping[Any, Line]:
        """What a function gives of each series in each bucket that has a point, oldest first.

        Each stands by its bucket's beginning; without buckets `last` is asked alone, and stands by its own
        instant.
        """

    def points(
        self, measurement: str, fields: Sequence[str], series: Sequence[Series], span: Span
    ) -> Mapping[Any, Sequence[Point]]:
        """Each series' points in the span, oldest first, that have one of the fields at least."""

    def newest(
        self, measurement: str, fields: Sequence[str], series: Sequence[Series], span: Span
    ) -> Mapping[Any, Sequence[Point]]:
        """The newest of these points of each series that has any, alone."""


def kept(where: Condition, series: Iterable[Series], patience: Patience) -> list[Series]:
    """Those of the series that are asked for. Raises `QueryError` as `Patience.check`."""
    found = list(series)
    patience.check()
    for part in parts(where):
        values = allowed(part, part.tag) if isinstance(part, Match) else None
        if isinstance(part, Match) and values is not None:
            tag = part.tag
            found = [one for one in found if one.tags.get(tag, "") in values]
        else:
            found = list(_kept(part, found, patience))
    return found


def _kept(where: Condition, series: Iterable[Series], patience: Patience) -> Iterator[Series]:
    is_meant = meant(where)
    for one in series:
        patience.check()
        if is_meant(one.tags):
            yield one


def labels(series: Iterable[Series], keys: Sequence[str]) -> list[tuple[str, ...]]:
    """`Source.labels` of series whose tags are all that they have."""
    return [tuple([one.tags.get(key, "") for key in keys]) for one in series]


def merged(first: Fold, second: Fold) -> Fold:
    """Two folds as one; of two last points at the same instant the larger one."""
    last_at, last = max((first.last_at, first.last), (second.last_at, second.last))
    return Fold(
        first.count + second.count,
        first.sum + second.sum,
        min(first.min, second.min),
        max(first.max, second.max),
        last,
        last_at,
    )


def lines(folds: Mapping[Any, Mapping[int, Fold]], call: Call, buckets: Buckets | None) -> dict[Any, Line]:
    """Of folds, what `Source.lines` answers."""
    if buckets is None:
        return {id_: [(its[0].last_at, its[0].last)] for id_, its in folds.items() if its}
    return {id_: line(its, call) for id_, its in folds.items()}


def line(folds: Mapping[int, Fold], call: Call) -> Line:
    """A function of each bucket."""
    value = VALUES[call.function]
    return [(start, value(folds[start])) for start in sorted(folds)]


def newest(points: Mapping[Any, Sequence[Point]]) -> dict[Any, Sequence[Point]]:
    """Of points, what `Source.newest` answers."""
    return {id_: its[-1:] for id_, its in points.items()}


def folded(points: Sequence[tuple[int, float]], buckets: Buckets | None) -> dict[int, Fold]:
    """Points (instant, value) in buckets by their beginning; without any, all under 0."""
    found: dict[int, Fold] = {}
    for at, value in points:
        start = 0 if buckets is None else buckets.start(at)
        one = Fold(1, value, value, value, value, at)
        found[start] = merged(found[start], one) if start in found else one
    return found
