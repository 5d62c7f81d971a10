"""What a technician reads about frames that could not be taken in."""

import time
from collections.abc import Collection
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Again:
    """What came of trying again: frames taken in, refused once more, and those that can't be tried at all."""

    taken: int
    refused: tuple[str, ...]
    impossible: tuple[str, ...]

    @property
    def tried(self) -> int:
        """How many were looked at again."""
        return self.taken + len(self.refused)

    @property
    def text(self) -> str:
        """How many of each, and why the others still can't be taken in."""
        return "\n".join([f"{self.taken} taken in, {len(self.refused)} refused again", *self.refused])


def again(engine: Engine, ids: Collection[int], delivery_period: float) -> Again:
    """Tries them again (no ids: all that can be); an id that can't be tried is said so, with the reason."""
    impossible = _impossible(engine, ids)
    possible = [id_ for id_ in ids if id_ not in impossible]
    if ids and not possible:
        return Again(0, (), tuple(impossible.values()))
    done = replay(engine, possible, now=time.time(), delivery_period=delivery_period)
    refused = (f"{id_} refused again: {_plain(why)}" for id_, why in done.refused.items())
    return Again(len(done.taken), tuple(refused), tuple(impossible.values()))


def _impossible(engine: Engine, ids: Collection[int]) -> dict[int, str]:
    with begin_read(engine) as conn:
        found = {row.id: row for row in quarantine.rows(conn, ids)}
    why = {}
    for id_ in ids:
        row = found.get(id_)
        if row is None:
            why[id_] = f"{id_}: not in quarantine"
        elif not row.verified:
            why[id_] = f"{id_}: not verified, can't be replayed"
        elif row.replayed_at is not None:
            why[id_] = f"{id_}: was taken in already"
    return why


def _line(row: quarantine.QuarantineRow) -> str:
    at = datetime.fromtimestamp(row.received_at, UTC).isoformat(timespec="seconds")
    proved = "replayed" if row.replayed_at else "replayable" if row.verified else "unverified"
    device = _plain(row.device or "-")
    return f"{row.id}  {at}  {device}  {row.size} B  {proved}  {row.reason}: {_plain(row.detail)}"


def _plain(text: str) -> str:
    """What strangers sent must not move a terminal's cursor."""
    return "".join(c if c.isprintable() else "?" for c in text)
