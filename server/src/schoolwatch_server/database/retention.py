"""Forgets what has had its time; never what a cursor has still to read or a bucket to be made from."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, func, select

from schoolwatch_server.database import journal
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.database.marks import NEWEST
from schoolwatch_server.store.rollup import DAY, HOUR

_STEP = 2000
GENERATION_DAYS = 120
"""Days after which a generation that fell silent is forgotten: longer than a summer without school."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Days that each kind of row is kept."""

    journal_days: float = 14
    hourly_days: float = 730
    daily_days: float = 1830


def prune(engine: Engine, now: float, kept: Kept | None = None) -> int:
    """Deletes journal rows, sightings, rollups and generations that have had their time; gives how many."""
    kept = kept or Kept()
    gone = 0
    while True:
        with begin_write(engine) as conn:
            step = _journal(conn, now - kept.journal_days * DAY)
        gone += step
        if step < _STEP:
            break
    with begin_write(engine) as conn:
        for resolution, days in ((HOUR, kept.hourly_days), (DAY, kept.daily_days)):
            r = t.rollup.c
            old = (r.resolution == resolution, r.bucket < now - days * DAY)
            gone += conn.execute(delete(t.rollup).where(*old)).rowcount
        gone += _generations(conn, now - GENERATION_DAYS * DAY)
    return gone


def _journal(conn: Connection, before: float) -> int:
    """One step of pruning. The horizon moves first, so that no reader takes a half-empty bucket for whole."""
    j, d = t.journal.c, t.dirty.c
    read_by_all = conn.scalar(select(func.min(t.cursor.c.position)))
    needed = select(d.bucket).where(
        d.device_id == j.device_id, d.resolution == HOUR, d.bucket <= j.taken_at, d.bucket + HOUR > j.taken_at
    )
    query = select(j.id).where(j.received_at < before, ~needed.exists()).order_by(j.received_at).limit(_STEP)
    if read_by_all is not None:
        query = query.where(j.id <= read_by_all)
    ids = list(conn.scalars(query))
    if ids:
        journal.set_pruned_before(conn, before)
        conn.execute(delete(t.sighting).where(t.sighting.c.journal_id.in_(ids)))
        conn.execute(delete(t.journal).where(j.id.in_(ids)))
    return len(ids)


def _generations(conn: Connection, before: float) -> int:
    """Each device keeps its newest ones: they stand in its retained ack."""
    g, newer = t.generation, t.generation.alias()
    followers = (
        select(func.count())
        .select_from(newer)
        .where(newer.c.device_id == g.c.device_id, newer.c.id > g.c.id)
        .scalar_subquery()
    )
    in_journal = select(t.journal.c.id).where(t.journal.c.generation_id == g.c.id)
    query = select(g.c.id).where(g.c.heard_at < before, followers >= NEWEST, ~in_journal.exists())
    ids = list(conn.scalars(query.limit(_STEP)))
    conn.execute(delete(t.arrived).where(t.arrived.c.generation_id.in_(ids)))
    return conn.execute(delete(g).where(g.c.id.in_(ids))).rowcount
