"""What is asked of judged points, each statement built once: building costs more than a small panel reads.

All take `ids` of series, and `start` and `end` as `within` gives them.
"""

from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Double,
    Select,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import distinct_on

from schoolwatch_server.database import asked
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.asked import Asked
from schoolwatch_server.influxql.instant import SECOND
from schoolwatch_server.influxql.query import Buckets, Span

_v = t.judged.c

_MICRO: Final = 1000
"""Nanoseconds; what is kept as a float of seconds is as exact as that."""

NO_LIMIT: Final = 2**62
"""`most` where all points are wanted."""


def within(span: Span) -> dict[str, object]:
    """Between whole microseconds, whatever a float makes of them."""
    start, end = (-(-bound // _MICRO) - 0.5 for bound in (span.start, span.end))
    return {"start": start / 1_000_000, "end": end / 1_000_000}


def numbered(span: Span, buckets: Buckets | None) -> dict[str, object]:
    """How `folded` numbers buckets, from that of the span's start on; exact to the microsecond."""
    if buckets is None:
        return {}
    return {"first": buckets.start(span.start) / SECOND, "every": buckets.every // _MICRO}


def even(span: Span, buckets: Buckets) -> dict[str, object]:
    """The buckets of `lasts`: where the first begins and how long each is, in ns and in seconds as kept."""
    first = buckets.start(max(span.start, 0))  # nothing is judged before 1970, where databases' integers end
    begin, length = first / SECOND - 0.5e-6, buckets.every / SECOND  # as in `within`
    return {"first": first, "every": buckets.every, "begin": begin, "length": length}


@cache
def points(fields: tuple[str, ...]) -> Asked:
    """Series, instant and values, in this order; at `most` so many."""

    def build(dialect: str) -> Select[Any]:
        query = select(_v.series_id, _v.at, *(_v[name] for name in fields))
        query = query.where(asked.among(dialect, _v.series_id), *_between(_v.at))
        return query.order_by(_v.series_id, _v.at).limit(bindparam("most", type_=BigInteger))

    return Asked(build)


@cache
def lasts(field: str, *, told: bool = False) -> Asked:
    """Of one `series` the points that have the field, oldest first: when their bucket begins, and the value.

    With `told` the instant stands between them. Buckets are those of `even`.
    On PostgreSQL of many (`ids`), one after the other and each before its own: a way there and back takes as
    long as SQLite to read a series. It gives the last point of each bucket alone; to send all takes twice as
    long.
    """
    at, begin, length = _v.at, bindparam("begin", type_=Double), bindparam("length", type_=Double)
    first, every = bindparam("first", type_=BigInteger), bindparam("every", type_=BigInteger)

    def build(dialect: str) -> Select[Any]:
        number, is_there = (at - begin) / length, and_(_v[field].is_not(None), *_between(at))
        said = (at, _v[field]) if told else (_v[field],)
        if dialect == "postgresql":
            bucket = first + cast(func.floor(number), BigInteger) * every
            query = select(_v.series_id, bucket.label("bucket"), *said)
            query = query.where(asked.among(dialect, _v.series_id), is_there)
            by = (_v.series_id, text("bucket"))
            return query.ext(distinct_on(*by)).order_by(*by, at.desc())
        mine = _v.series_id == bindparam("series", type_=BigInteger)
        query = select(first + cast(number, BigInteger) * every, *said)  # SQLite cuts
        return query.where(mine, is_there).order_by(at)

    return Asked(build)


@cache
def folded(field: str, *, has_last: bool, has_buckets: bool) -> Select[Any]:
    """Series, number of the bucket, count, sum, min, max, last instant; with `has_last` the last value."""
    column, bucket = _v[field], _bucket() if has_buckets else _ZERO
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
        .where(_v.series_id.in_(_IDS), column.is_not(None), *_between(_v.at))
        .group_by(_v.series_id, bucket)
    )
    if not has_last:
        return made
    m, newest = made.subquery().c, t.judged.alias()
    last = newest.c[field]
    return select(m.series_id, m.bucket, m["count"], m["sum"], m["min"], m["max"], m.last_at, last).join(
        newest, and_(newest.c.series_id == m.series_id, newest.c.at == m.last_at)
    )


@cache
def newest(field: str) -> Asked:
    """Series, instant and value of its newest point that has the field, both nothing where it has none.

    Two looks into an index each, the second at the page of the first: a join costs twice as much.
    """
    column = _v[field]

    def build(dialect: str) -> Select[Any]:
        each = asked.each(dialect)
        point = (
            select(_v.at)
            .where(_v.series_id == each.c.value, column.is_not(None), *_between(_v.at))
            .correlate(each)
            .order_by(_v.at.desc())
            .limit(1)
        )
        at, value = point.scalar_subquery(), point.with_only_columns(column).scalar_subquery()
        return select(each.c.value, at, value)

    return Asked(build)


@cache
def newest_row(fields: tuple[str, ...]) -> Asked:
    """Series, instant and values of its newest row, whatever is known in it.

    SQLite finds the rows in the index first and then reads them in their order: newest ones lie side by side.
    """

    def build(dialect: str) -> Select[Any]:
        each, earlier = asked.each(dialect), t.judged.alias("earlier")
        columns = (_v.at, *(_v[name] for name in fields))
        if dialect == "postgresql":
            mine = select(*columns).where(_v.series_id == each.c.value, *_between(_v.at))
            row = mine.order_by(_v.at.desc()).limit(1).lateral()
            return select(each.c.value, *row.c).select_from(each.join(row, true()))
        row_id: Select[Any] = select(literal_column("earlier.rowid")).select_from(earlier).correlate(each)
        row_id = row_id.where(earlier.c.series_id == each.c.value, *_between(earlier.c.at))
        newest_id = row_id.order_by(earlier.c.at.desc()).limit(1).scalar_subquery()
        return select(_v.series_id, *columns).where(
            literal_column("judged.rowid").in_(select(newest_id).select_from(each))
        )

    return Asked(build)


_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_ZERO = cast(0, BigInteger)


def _between(at: ColumnElement[float]) -> tuple[ColumnElement[bool], ...]:
    return at >= bindparam("start", type_=Double), at < bindparam("end", type_=Double)


def _bucket() -> ColumnElement[int]:
    micros = cast(func.round((_v.at - bindparam("first", type_=Double)) * 1_000_000), BigInteger)
    return micros // bindparam("every", type_=BigInteger)
