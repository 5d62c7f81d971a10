"""Hours and days of every device's series, made anew from the journal where something new came in.

What is shown of rooms alone lies in a table of its own: what reads a device's series does not come by it,
and it goes when the room's week has been summed.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Double,
    Engine,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    select,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from schoolwatch_contract.catalogue import shown_alone
from schoolwatch_server.database import journal
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.asked import Asked
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.upsert import upsert
from schoolwatch_server.state import parse_key
from schoolwatch_server.store.rollup import (
    DAY,
    HOUR,
    Folds,
    bucket,
    fold_hours,
    fold_raw,
    keep_fuller,
    pack,
    unpack,
)

_STEP = 200
"""Buckets made in one go: a fraction of a second of writing, so that intake never waits long."""

GRACE = 120.0
"""Seconds after a bucket's end before it is made: most of what belongs to it has come by then."""


Half = Literal["devices", "rooms"]
"""Series that may be shown of one device, and those of rooms alone."""

TABLES: dict[Half, Table] = {"devices": t.rollup, "rooms": t.use_rollup}
"""Where the buckets of each half lie."""


@dataclass(frozen=True, slots=True)
class _Dirty:
    device_id: int
    resolution: int
    bucket: int
    journal_id: int


def mark(conn: Connection, written: Sequence[tuple[int, float, int]]) -> None:
    """Marks the buckets of new journal rows (device id, taken_at, journal id) to be made anew."""
    newest: dict[tuple[int, int, int], int] = {}
    for device_id, taken_at, journal_id in written:
        for resolution in (HOUR, DAY):
            at = (device_id, resolution, bucket(taken_at, resolution))
            newest[at] = max(journal_id, newest.get(at, 0))
    upsert(
        conn,
        t.dirty,
        [
            {"device_id": device_id, "resolution": resolution, "bucket": begin, "journal_id": journal_id}
            for (device_id, resolution, begin), journal_id in sorted(newest.items())
        ],
    )


def run_once(engine: Engine, now: float, *, seconds: float = 20.0) -> int:
    """Makes the dirty buckets that have ended, for at most so many seconds; gives how many were made.

    Hours come before days, because a day is made from its hours. Buckets that haven't ended stay dirty:
    whoever reads them gets them made on the spot.
    """
    deadline = time.monotonic() + seconds
    made = 0
    for resolution in (HOUR, DAY):
        while time.monotonic() < deadline:
            step = _step(engine, resolution, now)
            made += step
            if step < _STEP:
                break
        else:
            return made
    return made


def _step(engine: Engine, resolution: int, now: float) -> int:
    """Computes outside of the write lock; a bucket that got a newer row meanwhile stays dirty."""
    with begin_read(engine) as conn:
        work = _due(conn, resolution, now)
        pruned = journal.pruned_before(conn)
        made = [(one, _made(conn, one, pruned)) for one in work]
    rows = {half: _rows(made, half) for half in TABLES}
    if work:
        with begin_write(engine) as conn:
            for half, table in TABLES.items():
                upsert(conn, table, rows[half])
            for one in work:
                conn.execute(delete(t.dirty).where(_is(one), t.dirty.c.journal_id == one.journal_id))
    return len(work)


def _rows(made: Sequence[tuple[_Dirty, Folds]], half: Half) -> list[dict[str, object]]:
    """Rows of one half; a computer that is in no room of pupils has none of the rooms' half."""
    parts = ((one, _of(half, folds)) for one, folds in made)
    return [
        {
            "device_id": one.device_id,
            "resolution": one.resolution,
            "bucket": one.bucket,
            "body": pack(part),
        }
        for one, part in parts
        if part or half == "devices"
    ]


def _of(half: Half, folds: Folds) -> Folds:
    return {
        name: fold for name, fold in folds.items() if shown_alone(parse_key(name)[0]) == (half == "devices")
    }


def _due(conn: Connection, resolution: int, now: float) -> list[_Dirty]:
    d = t.dirty.c
    query = select(d.device_id, d.resolution, d.bucket, d.journal_id).where(
        d.resolution == resolution, d.bucket + resolution + GRACE <= now
    )
    if resolution == DAY:
        hour = t.dirty.alias()
        open_hours = select(hour.c.bucket).where(
            hour.c.device_id == d.device_id,
            hour.c.resolution == HOUR,
            hour.c.bucket >= d.bucket,
            hour.c.bucket < d.bucket + DAY,
        )
        query = query.where(~open_hours.exists())
    return [_Dirty(*row) for row in conn.execute(query.order_by(d.bucket, d.device_id).limit(_STEP))]


def _is(one: _Dirty) -> ColumnElement[bool]:
    d = t.dirty.c
    return and_(d.device_id == one.device_id, d.resolution == one.resolution, d.bucket == one.bucket)


def _made(conn: Connection, one: _Dirty, pruned: float) -> Folds:
    """A bucket from everything that the journal, or the hours, hold of it now."""
    if one.resolution == DAY:
        only, end = (one.device_id,), one.bucket + DAY
        halves = [read_many(conn, only, HOUR, one.bucket, end, half) for half in TABLES]
        new = fold_hours(hour for half in halves for hour in half.get(one.device_id, {}).values())
    else:
        new = _hour(conn, one.device_id, one.bucket)
    whole = one.bucket >= pruned
    return new if whole else keep_fuller(_held(conn, one), new)


def _hour(conn: Connection, device_id: int, begin: int) -> Folds:
    return fold_raw(
        (row.taken_at, row.envelope) for row in journal.of_device(conn, device_id, begin, begin + HOUR)
    )


def _held(conn: Connection, one: _Dirty) -> Folds:
    held: Folds = {}
    for table in TABLES.values():
        r = table.c
        query = select(r.body).where(
            r.device_id == one.device_id, r.resolution == one.resolution, r.bucket == one.bucket
        )
        held |= {name: fold for body in conn.scalars(query) for name, fold in unpack(body).items()}
    return held


def read(conn: Connection, device_id: int, resolution: int, start: float, end: float) -> dict[int, Folds]:
    """What may be shown of a device: its buckets that begin in [start, end), in their order.

    Dirty ones are made on the spot.
    """
    return read_many(conn, (device_id,), resolution, start, end).get(device_id, {})


def read_many(
    conn: Connection,
    device_ids: Collection[int],
    resolution: int,
    start: float,
    end: float,
    half: Half = "devices",
) -> dict[int, dict[int, Folds]]:
    """Device → its buckets of one half, as `read` gives them; devices without any are left out."""
    asked = _asked(device_ids, resolution, start, end)
    found: dict[int, dict[int, Folds]] = {}
    for device_id, begin, body in conn.execute(_bodies(half), asked):
        found.setdefault(device_id, {})[begin] = unpack(body)
    dirty = conn.execute(_DIRTY, asked).all()
    pruned = journal.pruned_before(conn)
    for device_id, begin, journal_id in dirty:
        made = _of(half, _made(conn, _Dirty(device_id, resolution, begin, journal_id), pruned))
        found.setdefault(device_id, {})[begin] = made
    return {device_id: dict(sorted(buckets.items())) for device_id, buckets in found.items()}


def kept(
    conn: Connection, device_id: int, resolution: int, start: float, end: float
) -> tuple[dict[int, bytes], list[int]]:
    """A device's buckets that begin in [start, end), packed, by their beginning; which are dirty."""
    asked = {"device": device_id, "resolution": resolution, "start": start, "end": end}
    bodies = {begin: bytes(body) for begin, body in _KEPT.all(conn, asked)}
    return bodies, [begin for (begin,) in _KEPT_DIRTY.all(conn, asked)]


def _asked(ids: Collection[int], resolution: int, start: float, end: float) -> dict[str, object]:
    return {"ids": list(ids), "resolution": resolution, "start": start, "end": end}


@cache
def _bodies(half: Half) -> Select[Any]:
    r = TABLES[half].c
    return select(r.device_id, r.bucket, r.body).where(*_within(r))


def _of_one(of: ReadOnlyColumnCollection[str, Column[Any]]) -> tuple[ColumnElement[bool], ...]:
    return of.device_id == bindparam("device"), *_between(of)


def _within(of: ReadOnlyColumnCollection[str, Column[Any]]) -> tuple[ColumnElement[bool], ...]:
    return of.device_id.in_(bindparam("ids", expanding=True)), *_between(of)


def _between(of: ReadOnlyColumnCollection[str, Column[Any]]) -> tuple[ColumnElement[bool], ...]:
    return (
        of.resolution == bindparam("resolution"),
        of.bucket >= bindparam("start", type_=Double),
        of.bucket < bindparam("end", type_=Double),
    )


_r = TABLES["devices"].c
_KEPT = Asked(select(_r.bucket, _r.body).where(*_of_one(_r)))
_KEPT_DIRTY = Asked(select(t.dirty.c.bucket).where(*_of_one(t.dirty.c)))
_DIRTY = select(t.dirty.c.device_id, t.dirty.c.bucket, t.dirty.c.journal_id).where(*_within(t.dirty.c))


def waiting(conn: Connection) -> int:
    """How many buckets are dirty."""
    return conn.scalar(select(func.count()).select_from(t.dirty)) or 0
