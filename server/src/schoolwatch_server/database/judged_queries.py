"""Points of judged series, and folds of them into buckets of time made by the database itself."""

import itertools
import operator
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, and_, cast, func, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.influxql.errors import QueryError, in_time
from schoolwatch_server.influxql.instant import SECOND, nanoseconds
from schoolwatch_server.influxql.query import Buckets, Function, Span
from schoolwatch_server.influxql.source import Fold, Point
from schoolwatch_server.store.series import JUDGED_FIELDS

_v = t.judged.c

_MICRO: Final = 1000
"""Nanoseconds; what is kept as a float of seconds is as exact as that."""

_TOGETHER: Final = 5000
"""Series in one query for the newest point of each: databases take so many parameters."""

_FOLDED, _READ = 500, 100
"""Series in one query that goes through all of their points, and in one that gives them: what is held at once
stays small, and between two such queries a long question ends."""

POINTS_MAX: Final = 1_000_000
"""Points that one question may get as they are."""


def points(
    conn: Connection, ids: Sequence[int], fields: Sequence[str], span: Span, until: float
) -> dict[int, list[Point]]:
    """Series → its points in the span that have one of the fields at least, oldest first.

    Raises `QueryError` where there are too many, or it is later than `until`.
    """
    columns = [_v[name] for name in fields]
    found: defaultdict[int, list[Point]] = defaultdict(list)
    left = POINTS_MAX
    for some in _parts(ids, _READ):
        in_time(until)
        query = select(_v.series_id, _v.at, *columns).where(_v.series_id.in_(some), *_within(span))
        rows = conn.execute(query.order_by(_v.series_id, _v.at).limit(left + 1)).all()
        left -= len(rows)
        if left < 0:
            raise QueryError(f"more than {POINTS_MAX} points: ask for mean() or last() and GROUP BY time()")
        for id_, at, *values in rows:
            when = nanoseconds(at)
            if span.start <= when < span.end and any(value is not None for value in values):
                found[id_].append(Point(when, tuple(values)))
    return found


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest row of a series: when, and the numbers of `JUDGED_FIELDS`."""

    at: float
    numbers: tuple[float | None, ...]


def newest(conn: Connection, ids: Sequence[int], after: float) -> dict[int, Newest]:
    """Series → its newest row, whatever is known in it, where that is not before an instant (UTC seconds)."""
    found: dict[int, Newest] = {}
    earlier = t.judged.alias().c
    at = (
        select(func.max(earlier.at))
        .where(earlier.series_id == t.judged_series.c.id)
        .correlate(t.judged_series)
        .scalar_subquery()
    )
    joined = t.judged_series.join(t.judged, and_(_v.series_id == t.judged_series.c.id + 0, _v.at == at))
    columns = [_v[name] for name in JUDGED_FIELDS]
    for some in _parts(ids, _TOGETHER):
        query = select(_v.series_id, _v.at, *columns).select_from(joined)
        query = query.where(t.judged_series.c.id.in_(some), _v.at >= after)
        found |= {id_: Newest(when, tuple(numbers)) for id_, when, *numbers in conn.execute(query)}
    return found


def folds(
    conn: Connection,
    ids: Sequence[int],
    field: str,
    span: Span,
    buckets: Buckets | None,
    need: frozenset[Function],
    until: float,
) -> dict[int, dict[int, Fold]]:
    """Series → its folds by the beginning of their bucket; without buckets, all under 0.

    What is not needed of a fold may be wrong in it. Raises `QueryError` when it is later than `until`.
    """
    found: defaultdict[int, dict[int, Fold]] = defaultdict(dict)
    is_last = need == {"last"}
    if is_last and buckets is not None:
        for some in _parts(ids, _READ):
            in_time(until)
            _add_last(found, conn.execute(_all(some, field, span)).all(), span, buckets)
        return found
    for some in _parts(ids, _TOGETHER if is_last else _FOLDED):
        in_time(until)
        query = _newest(some, field, span) if is_last else _folded(some, field, span, buckets, need)
        for id_, bucket, *numbers in conn.execute(query).all():
            start = 0 if buckets is None else buckets.start(span.start) + bucket * buckets.every
            found[id_][start] = _fold(*numbers)
    return found


def _all(ids: Sequence[int], field: str, span: Span) -> Select[Any]:
    column = _v[field]
    wanted = _v.series_id.in_(ids), column.is_not(None), *_within(span)
    return select(_v.series_id, _v.at, column).where(*wanted).order_by(_v.series_id, _v.at)


def _add_last(
    found: defaultdict[int, dict[int, Fold]], rows: Sequence[Any], span: Span, buckets: Buckets
) -> None:
    """The last of each bucket's points, which come in their order.

    A panel's intervals hold one point or few: to read them as they lie is faster than a GROUP BY.
    """
    first, every = buckets.start(span.start), buckets.every
    begin, length = first / SECOND - 0.5e-6, every / SECOND  # half a microsecond, as in `_within`
    for id_, its in itertools.groupby(rows, _series):
        last = {(at - begin) // length: (at, value) for _, at, value in its}
        found[id_] = {
            first + int(bucket) * every: Fold(1, value, value, value, value, nanoseconds(at))
            for bucket, (at, value) in last.items()
        }


_series = operator.itemgetter(0)


def _fold(count: int, total: float, low: float, high: float, last_at: float, last: float = 0.0) -> Fold:
    return Fold(count, total, low, high, last, nanoseconds(last_at))


def _folded(
    ids: Sequence[int],
    field: str,
    span: Span,
    buckets: Buckets | None,
    need: frozenset[Function],
) -> Select[Any]:
    column = _v[field]
    bucket = _bucket(span, buckets)
    made = (
        select(
            _v.series_id,
            bucket.label("bucket"),
            func.count(column).label("count"),
            func.sum(column).label("sum"),
            func.min(column).label("min"),
            func.max(column).label("max"),
            func.max(_v.at).label("last_at"),
        )
        .where(_v.series_id.in_(ids), column.is_not(None), *_within(span))
        .group_by(_v.series_id, bucket)
    )
    if "last" not in need:
        return made
    m, newest = made.subquery().c, t.judged.alias()
    last = newest.c[field]
    return select(m.series_id, m.bucket, m["count"], m["sum"], m["min"], m["max"], m.last_at, last).join(
        newest, and_(newest.c.series_id == m.series_id, newest.c.at == m.last_at)
    )


def _newest(ids: Sequence[int], field: str, span: Span) -> Select[Any]:
    """One look into the key of each series, however many points there are."""
    column, earlier = _v[field], t.judged.alias()
    at = (
        select(func.max(earlier.c.at))
        .where(earlier.c.series_id == t.judged_series.c.id, earlier.c[field].is_not(None))
        .where(*_within(span, earlier.c.at))
        .correlate(t.judged_series)
        .scalar_subquery()
    )
    joined = t.judged_series.join(t.judged, and_(_v.series_id == t.judged_series.c.id + 0, _v.at == at))
    none = cast(0, BigInteger)
    return (
        select(_v.series_id, none, none + 1, column, column, column, _v.at, column)
        .select_from(joined)
        .where(t.judged_series.c.id.in_(ids))
    )


def _bucket(span: Span, buckets: Buckets | None) -> ColumnElement[int]:
    """The number of a point's bucket, from that of the span's start on; exact to the microsecond."""
    if buckets is None:
        return cast(0, BigInteger)
    first = buckets.start(span.start)
    micros = cast(func.round((_v.at - first / SECOND) * 1_000_000), BigInteger)
    return micros // (buckets.every // _MICRO)


def _within(span: Span, at: ColumnElement[float] = _v.at) -> tuple[ColumnElement[bool], ...]:
    """Between whole microseconds, whatever a float makes of them."""
    start, end = (-(-bound // _MICRO) - 0.5 for bound in (span.start, span.end))
    return at >= start / 1_000_000, at < end / 1_000_000


def _parts(ids: Sequence[int], most: int) -> Iterator[Sequence[int]]:
    whole = iter(ids)
    while part := tuple(itertools.islice(whole, most)):
        yield part
