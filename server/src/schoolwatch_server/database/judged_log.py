"""The order in which judged values were written: what a store of series beside this database gets next.

A row names series, and between which instants their points were written.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, Select, and_, func, insert, or_, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.store.series import Judged

_l, _s, _v = t.judged_log.c, t.judged_series.c, t.judged.c

_AT_ONCE = 20
"""Series in a row of many instants: five years of an hourly one are 44,000 points."""

_PAGE = 5000
"""Points read at once at most."""


@dataclass(frozen=True, slots=True)
class Noted:
    """Series by their ids whose points in [start, end] were written."""

    id: int
    start: float
    end: float
    series: tuple[int, ...]


_rows: Select[tuple[int, float, float, bytes]] = select(_l.id, _l.start, _l.end, _l.series)
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[int, ...])


def note(conn: Connection, written: Iterable[tuple[int, float]]) -> None:
    """Notes points (series id, instant), in the transaction that writes them."""
    of: defaultdict[float, set[int]] = defaultdict(set)
    for series, at in written:
        of[at].add(series)
    _add(conn, ((at, at, sorted(ids)) for at, ids in sorted(of.items())))


def note_again(conn: Connection, start: float) -> None:
    """Notes all points from `start` on, for a store that has lost them or never had them."""
    ids = list(conn.scalars(select(_s.id).order_by(_s.id)))
    parts = (ids[first : first + _AT_ONCE] for first in range(0, len(ids), _AT_ONCE))
    _add(conn, ((start, time.time(), part) for part in parts))


def _add(conn: Connection, rows: Iterable[tuple[float, float, Sequence[int]]]) -> None:
    now = time.time()
    made = [
        {"start": start, "end": end, "written_at": now, "series": _encoder.encode(ids)}
        for start, end, ids in rows
    ]
    if made:
        conn.execute(insert(t.judged_log), made)


def newest(conn: Connection) -> int:
    """The id of the newest row; 0 where there is none."""
    return conn.scalar(select(func.max(_l.id))) or 0


def after(conn: Connection, position: int) -> Noted | None:
    """The next row after a position."""
    return _first(conn, _rows.where(_l.id > position).order_by(_l.id))


def last_between(conn: Connection, after: int, upto: int) -> Noted | None:
    """The newest row after one position and up to another."""
    return _first(conn, _rows.where(_l.id > after, _l.id <= upto).order_by(_l.id.desc()))


def _first(conn: Connection, query: Select[tuple[int, float, float, bytes]]) -> Noted | None:
    row = conn.execute(query.limit(1)).first()
    return None if row is None else Noted(row.id, row.start, row.end, _decoder.decode(row.series))


def page(
    conn: Connection, noted: Noted, last: tuple[int, float] | None, most: int = _PAGE
) -> tuple[list[Judged], tuple[int, float] | None]:
    """The next points of a row, as they stand now, and the last one (series id, instant); None at its end.

    `last` is what the page before gave; a page has at most so many.
    """
    query = (
        select(
            _v.series_id, _s.measurement, _s.tags,
            _v.at, _v.value, _v.numerator, _v.denominator, _v.coverage, _v.pack,
        )
        .join(t.judged_series, _s.id == _v.series_id)
        .where(_v.series_id.in_(noted.series), _v.at >= noted.start, _v.at <= noted.end)
    )  # fmt: skip
    if last is not None:
        query = query.where(or_(_v.series_id > last[0], and_(_v.series_id == last[0], _v.at > last[1])))
    rows = conn.execute(query.order_by(_v.series_id, _v.at).limit(most)).all()
    found = [Judged(measurement, _tags(tags), *values) for _, measurement, tags, *values in rows]
    return found, (rows[-1].series_id, rows[-1].at) if len(rows) == most else None


_tags = msgspec.json.Decoder(dict[str, str]).decode
