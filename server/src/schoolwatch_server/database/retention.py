"""Forgets what has had its time; never what a cursor has still to read or a bucket to be made from."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, Table, delete, func, or_, select

from schoolwatch_server.database import audit, channel_rows, claims, journal, retired, rollups, store_writer
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.ages import AGES
from schoolwatch_server.database.dependents import delete_with_dependents, for_good
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.marks import NEWEST
from schoolwatch_server.store.names import INCIDENT_OPENED, SERVER
from schoolwatch_server.store.rollup import DAY, HOUR
from schoolwatch_server.terms import OF_DEVICES, TERMS, Name

STALE = 2 * DAY
"""Seconds for which a message waits for a channel that is off: longer than it would be tried."""

_STEP = 2000
_DEVICES = 200
"""Rows, and devices, that are seen to in one transaction."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Days that each class of data is kept; a class that is not named, as `TERMS` says."""

    days: dict[Name, float] = field(default_factory=dict)

    def of(self, name: Name) -> float:
        """Days of one class."""
        return self.days.get(name, TERMS[name].days)

    @property
    def longest(self) -> float:
        """Days of the class that is kept longest, of those that may point to a device."""
        return max(self.of(name) for name in OF_DEVICES)


def prune(engine: Engine, now: float, kept: Kept | None = None) -> int:
    """Deletes in steps whatever has had its time; gives how many rows, children not counted."""
    kept = kept or Kept()
    gone = sum(_all(engine, step) for step in _steps(now, kept))
    over, last = now - kept.of("retired") * DAY, now - kept.longest * DAY
    gone += _all(engine, lambda conn: retired.remove(conn, over, last), retired.MOST)
    plan: tuple[tuple[rollups.Half, int, float], ...] = (
        ("devices", HOUR, kept.of("hourly")),
        ("devices", DAY, kept.of("daily")),
        ("rooms", HOUR, kept.of("journal") + 1),  # a day is made from its hours as long as reports come
        ("rooms", DAY, kept.of("use")),
    )
    return gone + sum(_rollups(engine, half, each, now - days * DAY) for half, each, days in plan)


_Step = Callable[[Connection], int]


def _steps(now: float, kept: Kept) -> list[_Step]:
    """One function a rule; each deletes at most `_STEP` rows and gives how many."""

    def before(name: Name) -> float:
        return now - kept.of(name) * DAY

    return [
        lambda conn: _journal(conn, before("journal")),
        lambda conn: _generations(conn, before("generation")),
        lambda conn: _judged(conn, before("proof")),
        lambda conn: _judged(conn, before("hourly"), (SERVER,)),
        lambda conn: _judged(conn, before("incident"), (INCIDENT_OPENED,), keeps_newest=False),
        lambda conn: _declarations(conn, before("proof")),
        lambda conn: claims.prune(conn, before("proof"), _STEP),
        lambda conn: _ended(conn, t.incident, ("closed_at",), before("incident")),
        lambda conn: channel_rows.give_up_stale(conn, now - STALE),
        lambda conn: audit.prune(conn, before("audit"), now),
        lambda conn: _ended(conn, t.account, ("disabled_at",), before("audit")),
        *(
            lambda conn, table=t.metadata.tables[name], age=age: _ended(conn, table, age.by, before(age.term))
            for name, age in AGES.items()
            if age.how == "rows" and age.term is not None
        ),
        lambda conn: _ended(conn, t.membership, ("valid_to",), now - kept.longest * DAY),
        *(
            lambda conn, table=table: retired.strip(conn, table, before("retired"), _STEP)
            for table in retired.STRIPPED
        ),
    ]


def _all(engine: Engine, step: _Step, many: int = _STEP) -> int:
    """A step again and again, while it deletes `many`, each in a transaction of its own: intake goes on."""
    gone = 0
    while True:
        with begin_write(engine) as conn:
            for_good(conn)
            one = step(conn)
        gone += one
        if one < many:
            return gone


def _ended(conn: Connection, table: Table, by: tuple[str, ...], before: float) -> int:
    """Rows of which any of these instants lies before; an empty instant has not come yet."""
    key = list(table.primary_key)
    over = or_(*(table.c[name] < before for name in by))
    rows = [tuple(row) for row in conn.execute(select(*key).where(over).limit(_STEP))]
    return delete_with_dependents(conn, table, rows)


def _rollups(engine: Engine, half: rollups.Half, resolution: int, before: float) -> int:
    """Device by device along the key: the table is by far the largest, and nothing else finds them in it."""
    with begin_read(engine) as conn:
        devices = list(conn.scalars(select(t.device.c.id).order_by(t.device.c.id)))
    table, gone = rollups.TABLES[half], 0
    r = table.c
    for start in range(0, len(devices), _DEVICES):
        some = r.device_id.in_(devices[start : start + _DEVICES])
        old = delete(table).where(some, r.resolution == resolution, r.bucket < before)
        with begin_write(engine) as conn:
            for_good(conn)
            gone += conn.execute(old).rowcount
    return gone


def _judged(conn: Connection, before: float, only: tuple[str, ...] = (), *, keeps_newest: bool = True) -> int:
    """Old values of all measurements or `only` of some. One look into the key a series.

    Each series keeps its newest, which is what holds now, but for those of what happened once.
    """
    v, s = t.judged.c, t.judged_series.c
    first = select(func.min(v.at)).where(v.series_id == s.id).correlate(t.judged_series).scalar_subquery()
    newest = select(func.max(v.at)).where(v.series_id == s.id).correlate(t.judged_series).scalar_subquery()
    query = select(s.id, newest).where(first < before)
    if keeps_newest:
        query = query.where(first < newest)
    if only:
        query = query.where(s.measurement.in_(only))
    gone = 0
    for series, last in conn.execute(query.limit(_STEP)).all():
        if gone >= _STEP:
            break
        until = min(before, last) if keeps_newest else before
        gone += conn.execute(delete(t.judged).where(v.series_id == series, v.at < until)).rowcount
    return gone


def _declarations(conn: Connection, before: float) -> int:
    """Those that another had replaced by then; the last one before still counted."""
    d, newer = t.declaration, t.declaration.alias()
    replaced = (
        select(newer.c.id)
        .where(
            newer.c.school_id == d.c.school_id,
            newer.c.quantity == d.c.quantity,
            newer.c.declared_at > d.c.declared_at,
            newer.c.declared_at < before,
        )
        .exists()
    )
    ids = list(conn.scalars(select(d.c.id).where(replaced).limit(_STEP)))
    return conn.execute(delete(d).where(d.c.id.in_(ids))).rowcount if ids else 0


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
        store_writer.lose(conn, ids)
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
