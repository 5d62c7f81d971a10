"""Points of judged series, and folds of them into buckets of time made by the database itself."""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, and_, func, select

from schoolwatch_server.database import judged_statements as statements
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.asked import Asked, listed
from schoolwatch_server.influxql.errors import QueryError
from schoolwatch_server.influxql.instant import nanoseconds
from schoolwatch_server.influxql.patience import Patience
from schoolwatch_server.influxql.query import Buckets, Function, Span
from schoolwatch_server.influxql.source import Fold, Point
from schoolwatch_server.store.series import JUDGED_FIELDS

_v = t.judged.c


_TOGETHER: Final = 5000
"""Series in one query for the newest point of each: databases take so many parameters."""

_FOLDED, _READ = 500, 100
"""Series in one query that goes through all of their points, and in one that gives them: what is held at once
stays small, and between two such queries a long question ends."""

POINTS_MAX: Final = 1_000_000
"""Points that one question may get as they are."""


def points(
    conn: Connection, ids: Sequence[int], fields: Sequence[str], span: Span, patience: Patience
) -> dict[int, list[Point]]:
    """Series → its points in the span that have one of the fields at least, oldest first.

    Raises `QueryError` where there are too many, and as `Patience.check`.
    """
    found: defaultdict[int, list[Point]] = defaultdict(list)
    query, asked, left = statements.points(tuple(fields)), statements.within(span), POINTS_MAX
    for some in _parts(ids, _READ):
        rows = query.all(conn, asked | _ids(conn, some) | {"most": left + 1})
        patience.check(len(rows))
        left -= len(rows)
        if left < 0:
            raise QueryError(
                f"more than {POINTS_MAX} points: ask for a shorter time, as time > now() - 1h, or for "
                "mean() or last() and GROUP BY time()"
            )
        for id_, at, *values in rows:
            when = nanoseconds(at)
            if span.start <= when < span.end and any(value is not None for value in values):
                found[id_].append(Point(when, tuple(values)))
    return found


def newest_points(
    conn: Connection, ids: Sequence[int], fields: Sequence[str], span: Span, patience: Patience
) -> dict[int, list[Point]]:
    """Series → its newest point in the span that has one of the fields at least.

    Raises `QueryError` as `points`.
    """
    found: dict[int, list[Point]] = {}
    query, asked, others = statements.newest_row(tuple(fields)), statements.within(span), list[int]()
    for some in _parts(ids, _TOGETHER):
        patience.check()
        for id_, at, *values in query.all(conn, asked | _ids(conn, some)):
            if values.count(None) < len(values):
                found[id_] = [Point(nanoseconds(at), tuple(values))]
            else:
                others.append(id_)
    older = points(conn, others, fields, span, patience)
    return found | {id_: its[-1:] for id_, its in older.items()}


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
    patience: Patience,
) -> dict[int, dict[int, Fold]]:
    """Series → its folds by the beginning of their bucket; without buckets, all under 0.

    What is not needed of a fold may be wrong in it. Raises `QueryError` as `Patience.check`.
    """
    found: defaultdict[int, dict[int, Fold]] = defaultdict(dict)
    if need == {"last"} and buckets is None:
        told = lasts(conn, ids, field, span, buckets, patience)
        return {id_: {0: Fold(1, value, value, value, value, at)} for id_, ((at, value),) in told.items()}
    if need == {"last"} and buckets is not None:
        for id_, its in _of_each(conn, ids, statements.lasts(field, told=True), span, buckets, patience):
            for start, at, value in its:
                found[id_][start] = Fold(1, value, value, value, value, nanoseconds(at))
        return found
    asked = statements.within(span)
    query = statements.folded(field, has_last="last" in need, has_buckets=buckets is not None)
    asked |= statements.numbered(span, buckets)
    for some in _parts(ids, _FOLDED):
        rows = conn.execute(query, asked | {"ids": some}).all()
        patience.check(len(rows))
        for id_, bucket, *numbers in rows:
            start = 0 if buckets is None else buckets.start(span.start) + bucket * buckets.every
            found[id_][start] = _fold(*numbers)
    return found


def lasts(
    conn: Connection,
    ids: Sequence[int],
    field: str,
    span: Span,
    buckets: Buckets | None,
    patience: Patience,
) -> dict[int, Sequence[tuple[int, float]]]:
    """Series → the last value of each bucket that has one, by the bucket's beginning, oldest first.

    Without buckets its last point. A panel's intervals hold one point or few: to read them as they lie is
    faster than a GROUP BY. Raises `QueryError` as `Patience.check`.
    """
    found: dict[int, Sequence[tuple[int, float]]] = {}
    if buckets is None:
        asked = statements.within(span)
        for some in _parts(ids, _TOGETHER):
            patience.check()
            for id_, at, value in statements.newest(field).all(conn, asked | _ids(conn, some)):
                if at is not None:
                    found[id_] = ((nanoseconds(at), value),)
        return found
    for id_, its in _of_each(conn, ids, statements.lasts(field), span, buckets, patience):
        found[id_] = tuple(dict(its).items())
    return found


def _of_each(
    conn: Connection, ids: Sequence[int], query: Asked, span: Span, buckets: Buckets, patience: Patience
) -> Iterator[tuple[int, list[Any]]]:
    """Series that have points, in whatever order, each with what a `statements.lasts` says of them."""
    asked = statements.within(span) | statements.even(span, buckets)
    if conn.dialect.name == "postgresql":
        for some in _parts(ids, _READ):
            patience.check()
            rows = query.all(conn, asked | _ids(conn, some))
            patience.check(len(rows))
            for id_, its in itertools.groupby(rows, itemgetter(0)):
                yield id_, [row[1:] for row in its]
        return
    for id_ in ids:
        patience.check()
        if rows := query.all(conn, asked | {"series": id_}):
            patience.check(len(rows))
            yield id_, rows


def _ids(conn: Connection, some: Sequence[int]) -> dict[str, object]:
    return {"ids": listed(conn.dialect.name, some)}


def _fold(count: int, total: float, low: float, high: float, last_at: float, last: float = 0.0) -> Fold:
    return Fold(count, total, low, high, last, nanoseconds(last_at))


def _parts(ids: Sequence[int], most: int) -> Iterator[Sequence[int]]:
    whole = iter(ids)
    while part := tuple(itertools.islice(whole, most)):
        yield part
