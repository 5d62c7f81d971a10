"""The journal: every report as it came, still deflated; and the cursors of those who read it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Double, bindparam, func, insert, select
from sqlalchemy.sql.dml import ReturningInsert

from schoolwatch_contract.envelope import decode_stored
from schoolwatch_contract.records import Envelope
from schoolwatch_server.database import arrays
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.asked import Asked
from schoolwatch_server.database.upsert import insert_new, upsert

_PRUNED = "pruned_before"
_ID = t.journal.c.id
_APPEND = insert(t.journal).returning(_ID, sort_by_parameter_order=True)


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A report: when it was taken (on the server's clock) and received, and its body.

    Of an `uncertain` one nobody knows when it was taken: it is kept, and nothing is reckoned from it.
    """

    id: int
    device_id: int
    taken_at: float
    received_at: float
    late: bool
    body: bytes
    uncertain: bool = False

    @property
    def envelope(self) -> Envelope:
        """What the device said; its own `taken_at` is on the device's clock, the row's is on ours."""
        return decode_stored(self.body)


@dataclass(frozen=True, slots=True)
class Carried:
    """The newest report of a device that came on a stick: when it was taken in, and when it was measured."""

    received_at: float
    taken_at: float


_WHEN_PRUNED = Asked(select(t.meta.c.value).where(t.meta.c.key == _PRUNED))
_j = t.journal.c
_ROW = select(_j.id, _j.device_id, _j.taken_at, _j.received_at, _j.late, _j.body, _j.uncertain)


def append(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Writes reports; gives their ids in the same order."""
    if conn.dialect.name == "postgresql" and arrays.fit(t.journal, rows):
        # ids are given in the order in which rows are written; what returns them first is not said
        return sorted(conn.scalars(_append_many(tuple(rows[0])), arrays.values(t.journal, rows)))
    return list(conn.scalars(_APPEND, rows)) if rows else []


@cache
def _append_many(columns: tuple[str, ...]) -> ReturningInsert[tuple[int]]:
    rows = arrays.rows_of(t.journal, columns)
    in_order = select(*(rows.c[name] for name in columns)).order_by(rows.c[arrays.ORDER])
    return insert(t.journal).from_select(columns, in_order).returning(_ID)


def digests(conn: Connection, numbers: Collection[tuple[int, int]]) -> dict[tuple[int, int], set[bytes]]:
    """What is stored under each (generation id, seq): usually one digest; two are a fork."""
    held: dict[tuple[int, int], set[bytes]] = {}
    if numbers:
        query = select(_j.generation_id, _j.seq, _j.digest)
        query = query.where(arrays.among_rows(conn, (_j.generation_id, _j.seq), numbers))
        for generation_id, seq, digest in conn.execute(query):
            held.setdefault((generation_id, seq), set()).add(digest)
    return held


def carried(conn: Connection, device_id: int) -> Carried | None:
    """Whether any report that is still held, and certain, came on a stick, and which is the newest."""
    certain = _j.device_id == device_id, _j.carried, ~_j.uncertain
    query = select(_j.received_at, _j.taken_at).where(*certain)
    row = conn.execute(query.order_by(_j.taken_at.desc()).limit(1)).first()
    return None if row is None else Carried(*row)


def uncertain(conn: Connection, device_id: int) -> int:
    """How many of a device's reports that are still held were taken nobody knows when."""
    query = select(func.count()).select_from(t.journal).where(_j.device_id == device_id, _j.uncertain)
    return int(conn.execute(query).scalar_one())


def rows_after(conn: Connection, position: int, limit: int) -> tuple[JournalRow, ...]:
    """The next reports after a cursor's position, in the order they were committed."""
    query = _ROW.where(_j.id > position).order_by(_j.id).limit(limit)
    return tuple(JournalRow(*row) for row in conn.execute(query))


def of_device(conn: Connection, device_id: int, start: float, end: float) -> tuple[JournalRow, ...]:
    """A device's reports taken in [start, end) for certain, oldest first."""
    query = _ROW.where(_j.device_id == device_id, _j.taken_at >= start, _j.taken_at < end, ~_j.uncertain)
    return tuple(JournalRow(*row) for row in conn.execute(query.order_by(_j.taken_at, _j.id)))


@dataclass(frozen=True, slots=True)
class Look:
    """Which reports there are: ids only ever grow, and a report never changes."""

    count: int = 0
    newest: int = 0
    sum: int = 0

    def with_(self, ids: Collection[int]) -> "Look":
        """When these have come besides."""
        return Look(self.count + len(ids), max(self.newest, *ids, 0), self.sum + sum(ids))


_since = _j.device_id == bindparam("device"), _j.taken_at >= bindparam("since", type_=Double)
_LOOK = Asked(
    select(func.count(_j.id), func.coalesce(func.max(_j.id), 0), func.coalesce(func.sum(_j.id), 0)).where(
        *_since
    )
)
_REPORTED = _ROW.where(*_since, _j.id > bindparam("after")).order_by(_j.taken_at, _j.id)


def look(conn: Connection, device_id: int, since: float) -> Look:
    """Which reports of a device there are that were taken from an instant on, for certain or not."""
    return Look(*map(int, *_LOOK.all(conn, {"device": device_id, "since": since})))


def reported(conn: Connection, device_id: int, since: float, after: int = 0) -> tuple[JournalRow, ...]:
    """Those of the look whose ids are larger than one, in the order in which they were taken."""
    asked = {"device": device_id, "since": since, "after": after}
    return tuple(JournalRow(*row) for row in conn.execute(_REPORTED, asked))


def last_received_at(conn: Connection) -> float | None:
    """When the newest report was received, UTC seconds."""
    newest: float | None = conn.scalar(select(func.max(_j.received_at)))
    return newest


def received_until(conn: Connection, at: float) -> float | None:
    """When the newest report was received that had been by `at`, UTC seconds."""
    newest: float | None = conn.scalar(select(func.max(_j.received_at)).where(_j.received_at <= at))
    return newest


def position(conn: Connection, name: str) -> int:
    """Where a cursor stands: everything up to this id has been read. 0 for a cursor that never moved."""
    return conn.scalar(select(t.cursor.c.position).where(t.cursor.c.name == name)) or 0


def create_cursor(conn: Connection, name: str, now: float) -> None:
    """A cursor at the beginning, so that nothing is pruned before it was read; one that is there stays."""
    insert_new(conn, t.cursor, [{"name": name, "position": 0, "moved_at": now}], ("name",))


def move(conn: Connection, name: str, to: int, now: float) -> None:
    """Moves a cursor, forward or back."""
    upsert(conn, t.cursor, [{"name": name, "position": to, "moved_at": now}])


def pruned_before(conn: Connection) -> float:
    """What was received before this may have been pruned, UTC seconds; 0 when nothing ever was."""
    return max((float(value or 0) for (value,) in _WHEN_PRUNED.all(conn, {})), default=0.0)


def held_since(conn: Connection, now: float) -> float:
    """From when on what was received is held, UTC seconds; `now` while nothing is."""
    oldest: float | None = conn.scalar(select(func.min(_j.received_at)))
    return now if oldest is None else max(oldest, pruned_before(conn))


def set_pruned_before(conn: Connection, at: float) -> None:
    """Says, in the transaction that prunes, from when on the journal is whole."""
    if at > pruned_before(conn):
        upsert(conn, t.meta, [{"key": _PRUNED, "value": repr(at)}])
