"""Frames that could not be taken in, with the reason: bounded, readable, and replayable when verified."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from schoolwatch_server.database import tables as t

ROWS_MAX = 10_000
BYTES_MAX = 64 << 20
KEPT_OF_UNVERIFIED = 1024
"""Bytes kept of a frame that nobody proved to have sent: enough to see what it is, useless to flood with."""


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A refused frame; `verified` ones were a device's own and can be replayed."""

    id: int
    received_at: float
    topic: str
    device: str | None
    reason: str
    detail: str
    verified: bool
    size: int
    replayed_at: float | None


_q = t.quarantine.c
_ROW = select(
    _q.id, _q.received_at, _q.topic, _q.device, _q.reason, _q.detail, _q.verified, _q.size, _q.replayed_at
)


def row(
    *,
    received_at: float,
    topic: str,
    device: str | None,
    reason: str,
    detail: str,
    verified: bool,
    frame: bytes,
    waited: float = 0.0,
    made_at: float | None = None,
) -> dict[str, Any]:
    """A row to `add`; texts and unverified frames are cut. `waited` and `made_at` are as in a `Message`."""
    kept = frame if verified else frame[:KEPT_OF_UNVERIFIED]
    return {
        "received_at": received_at,
        "topic": topic[:200],
        "device": device,
        "reason": reason,
        "detail": detail[:200],
        "verified": verified,
        "size": len(kept),
        "frame": kept,
        "waited": waited,
        "made_at": made_at,
    }


def add(conn: Connection, rows: Sequence[Mapping[str, Any]], rows_max: int = ROWS_MAX) -> None:
    """Puts frames in quarantine; when it is full, the oldest leave, unverified ones first."""
    if rows:
        conn.execute(insert(t.quarantine), rows)
        _trim(conn, rows_max)


def newest(conn: Connection, limit: int) -> tuple[QuarantineRow, ...]:
    """The newest refused frames."""
    return tuple(QuarantineRow(*found) for found in conn.execute(_ROW.order_by(_q.id.desc()).limit(limit)))


def rows(conn: Connection, ids: Collection[int]) -> tuple[QuarantineRow, ...]:
    """Those of these ids that are there."""
    return tuple(QuarantineRow(*found) for found in conn.execute(_ROW.where(_q.id.in_(ids))))


def find(conn: Connection, id_: int) -> tuple[QuarantineRow, bytes] | None:
    """One refused frame with its bytes (of an unverified one only the first)."""
    found = conn.execute(_ROW.add_columns(_q.frame).where(_q.id == id_)).first()
    return None if found is None else (QuarantineRow(*found[:-1]), found[-1])


def replayable(
    conn: Connection, ids: Collection[int], after: int, limit: int
) -> list[tuple[int, tuple[str, bytes, float, float, float | None]]]:
    """Verified frames not yet replayed, oldest first: id, and the fields of a `Message`. No ids means all."""
    query = select(_q.id, _q.topic, _q.frame, _q.received_at, _q.waited, _q.made_at)
    query = query.where(_q.verified, _q.replayed_at.is_(None), _q.id > after).order_by(_q.id).limit(limit)
    if ids:
        query = query.where(_q.id.in_(ids))
    return [(id_, tuple(message)) for id_, *message in conn.execute(query)]


def set_replayed(conn: Connection, ids: Collection[int], now: float) -> None:
    """These were taken in after all."""
    conn.execute(update(t.quarantine).where(_q.id.in_(ids)).values(replayed_at=now))


def _trim(conn: Connection, rows_max: int) -> None:
    count, size = conn.execute(select(func.count(), func.coalesce(func.sum(_q.size), 0))).one()
    if count <= rows_max and size <= BYTES_MAX:
        return
    spare_rows, spare_bytes = count - rows_max, size - BYTES_MAX
    for verified in (False, True):
        of_kind: ColumnElement[bool] = _q.verified if verified else ~_q.verified
        last = None
        for id_, bytes_ in conn.execute(select(_q.id, _q.size).where(of_kind).order_by(_q.id)):
            if spare_rows <= 0 and spare_bytes <= 0:
                break
            last, spare_rows, spare_bytes = id_, spare_rows - 1, spare_bytes - bytes_
        if last is not None:
            conn.execute(delete(t.quarantine).where(of_kind, _q.id <= last))
