"""Which devices are to be told their settings anew; marked where the registry changes, so it is an outbox.

A mark counts up: what changed again while it was being told stays due.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.upsert import upsert

_TARGETS, _PASS = "settings.targets", "settings.pass"


@dataclass(frozen=True, slots=True)
class DueRow:
    """A device to tell; `role` and `tests_line` as of now, `digest` of what it was told last.

    `renew` is since when its credential is to be renewed.

    `here` is False for a device that is in no school any more.
    """

    device_id: int
    device: str
    here: bool
    role: str | None
    tests_line: bool
    renew: float | None
    due: int
    digest: str | None


def mark(conn: Connection, device_ids: Iterable[int]) -> None:
    """Something that these devices' settings follow from has changed."""
    rows = [{"device_id": device_id, "due": 1} for device_id in device_ids]
    upsert(conn, t.device_settings, rows, add=("due",))


def mark_room(conn: Connection, room_id: int) -> None:
    """Something of a room has changed."""
    m = t.membership.c
    mark(conn, conn.scalars(select(m.device_id).where(m.room_id == room_id, m.valid_to.is_(None))))


def mark_all(conn: Connection, *, forgotten: bool = False) -> None:
    """All devices in use are due; with `forgotten` the broker has lost what it held for them."""
    m, ds = t.membership.c, t.device_settings
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    inserted = make(ds).from_select(
        ["device_id", "due"], select(m.device_id, literal(1)).where(m.valid_to.is_(None))
    )
    conn.execute(
        inserted.on_conflict_do_update(
            index_elements=["device_id"], set_={"due": ds.c.due + inserted.excluded.due}
        )
    )
    if forgotten:
        conn.execute(update(ds).values(digest=None))


def due(conn: Connection, limit: int) -> tuple[DueRow, ...]:
    """The next devices to tell, in the order of their ids."""
    ds, d, m, r, lt, cr = (
        t.device_settings.c,
        t.device.c,
        t.membership.c,
        t.room.c,
        t.line_tester.c,
        t.credential.c,
    )
    joined = (
        t.device_settings.join(t.device, ds.device_id == d.id)
        .outerjoin(t.membership, and_(m.device_id == d.id, m.valid_to.is_(None)))
        .outerjoin(t.room, m.room_id == r.id)
        .outerjoin(t.line_tester, lt.device_id == d.id)
        .outerjoin(t.credential, cr.device_id == d.id)
    )
    role = func.coalesce(d.role, r.role)
    columns = (ds.device_id, d.device, m.id.is_not(None), role, lt.school_id.is_not(None), cr.rotate_at)
    state = (ds.due, ds.digest)
    some_due = ds.due > literal_column("0")  # said as the index says it, or SQLite does not use that
    query = select(*columns, *state).select_from(joined).where(some_due).order_by(ds.device_id).limit(limit)
    return tuple(DueRow(*row) for row in conn.execute(query))


def told(conn: Connection, rows: Sequence[tuple[DueRow, str | None]]) -> None:
    """The broker has what these devices are told now (its digest; None: nothing any more)."""
    ds = t.device_settings
    was = and_(ds.c.device_id == bindparam("of"), ds.c.due == bindparam("seen"))
    done = [{"of": row.device_id, "seen": row.due, "now": digest} for row, digest in rows]
    if done:
        conn.execute(update(ds).where(was).values(due=0, digest=bindparam("now")), done)


def targets(conn: Connection) -> str:
    """The digest of the targets that all devices were last marked for; empty when there are none yet."""
    return _meta(conn, _TARGETS)


def set_targets(conn: Connection, digest: str) -> None:
    """The targets have changed: everybody is due."""
    upsert(conn, t.meta, [{"key": _TARGETS, "value": digest}])
    mark_all(conn)


def passes(conn: Connection) -> int:
    """How many batches were told; the broker holds the same number when it has forgotten nothing."""
    return int(_meta(conn, _PASS) or 0)


def set_passes(conn: Connection, count: int) -> None:
    """Keeps it."""
    upsert(conn, t.meta, [{"key": _PASS, "value": str(count)}])


def line_tester(conn: Connection, school_id: int) -> int | None:
    """The device that tests the school's line; None when nobody was chosen."""
    c = t.line_tester.c
    return conn.scalar(select(c.device_id).where(c.school_id == school_id))


def line_testers(conn: Connection) -> tuple[tuple[int, int], ...]:
    """School and device of every choice."""
    c = t.line_tester.c
    return tuple((row[0], row[1]) for row in conn.execute(select(c.school_id, c.device_id)))


def set_line_tester(conn: Connection, school_id: int, device_id: int | None) -> None:
    """Chooses the device, one of the school's own, or nobody; whoever it was before is told."""
    before = line_tester(conn, school_id)
    if before == device_id:
        return
    conn.execute(delete(t.line_tester).where(t.line_tester.c.school_id == school_id))
    if device_id is not None:
        conn.execute(insert(t.line_tester).values(school_id=school_id, device_id=device_id))
    mark(conn, [id_ for id_ in (before, device_id) if id_ is not None])


def leave_line(conn: Connection, device_id: int) -> None:
    """A device that leaves its school tests its line no longer."""
    conn.execute(delete(t.line_tester).where(t.line_tester.c.device_id == device_id))
    mark(conn, [device_id])


def _meta(conn: Connection, key: str) -> str:
    return str(conn.scalar(select(t.meta.c.value).where(t.meta.c.key == key)) or "")
