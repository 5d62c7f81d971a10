"""What a technician reads about frames that could not be taken in."""

import time
from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Engine

from schoolwatch_server.database import quarantine
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.intake.replay import replay

_ROW_BYTES = 16


def listing(engine: Engine, limit: int) -> str:
    """The newest ones, one a line: id, when, device, reason."""
    with begin_read(engine) as conn:
        rows = quarantine.newest(conn, limit)
    return "\n".join(map(_line, rows)) or "nothing is in quarantine"


def one(engine: Engine, id_: int) -> str | None:
    """One of them with its bytes, or None when there is none of that number."""
    with begin_read(engine) as conn:
        found = quarantine.find(conn, id_)
    if found is None:
        return None
    row, frame = found
    steps = range(0, len(frame), _ROW_BYTES)
    dump = "\n".join(f"{at:06x}  {frame[at : at + _ROW_BYTES].hex(' ')}" for at in steps)
    return f"{_line(row)}\ntopic {_plain(row.topic)}\n{dump}"


def again(engine: Engine, ids: Collection[int], delivery_period: float) -> str:
    """Tries them again; says which were taken in and why the others still can't be."""
    done = replay(engine, ids, now=time.time(), delivery_period=delivery_period)
    refused = [f"{id_} refused again: {_plain(why)}" for id_, why in done.refused.items()]
    return "\n".join([f"{len(done.taken)} taken in, {len(refused)} refused again", *refused])


def _line(row: quarantine.QuarantineRow) -> str:
    at = datetime.fromtimestamp(row.received_at, UTC).isoformat(timespec="seconds")
    proved = "replayed" if row.replayed_at else "replayable" if row.verified else "unverified"
    device = _plain(row.device or "-")
    return f"{row.id}  {at}  {device}  {row.size} B  {proved}  {row.reason}: {_plain(row.detail)}"


def _plain(text: str) -> str:
    """What strangers sent must not move a terminal's cursor."""
    return "".join(c if c.isprintable() else "?" for c in text)
