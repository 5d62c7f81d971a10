"""How far the writer of a store of series beside this database has come, and what became of the points.

`reached` is what the store was told and has said yes to, `settled` what it also keeps when it is killed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, func, select, update

from schoolwatch_server.database import journal, judged_log
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.upsert import upsert

NAME: Final = "series"
"""The one writer there is."""

_w, _j = t.store_writer.c, t.journal.c


class Reached(msgspec.Struct, frozen=True):
    """The last row of the journal and of the log of judged values, and the last deletion (UTC seconds).

    `within` is how far the row of judged values after that was told: its id, series and instant.
    """

    journal: int = 0
    judged: int = 0
    deleted: float = 0.0
    within: tuple[int, int, float] | None = None


class Progress(msgspec.Struct, frozen=True):
    """What the writer has done; counts are points, instants UTC seconds.

    `place` is which store it is; `instance` tells one start of it from the next, "" where it doesn't say.
    `filled` is the row of the log of judged values from which on it was, or is, filled: what was written
    before is not counted on. `future` and `old` were not sent, `refused` the store took none of, `undeleted`
    are deletions that it can't carry out. `notice` is what its people should set otherwise. Single readings
    are whole from `whole_from` on (UTC seconds; 0: from the first one on): what came before had left the
    journal when the store was filled.
    """

    reached: Reached = Reached()
    settled: Reached = Reached()
    place: str = ""
    instance: str = ""
    filled: int = 0
    whole_from: float = 0.0
    written: int = 0
    future: int = 0
    old: int = 0
    refused: int = 0
    undeleted: int = 0
    error: str = ""
    error_at: float = 0.0
    ok_at: float = 0.0
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A row: who moves it takes the next `turn`. `lost` reports left the journal before they were written."""

    turn: int
    progress: Progress
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How far behind the writer is, in reports and in seconds since the oldest of them came; and the rest."""

    reports: int
    seconds: float
    judged: int
    lost: int
    progress: Progress


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Progress).decode


def load(conn: Connection) -> Held | None:
    """What is kept; None where nothing was ever written to such a store."""
    row = conn.execute(select(_w.turn, _w.body, _w.lost).where(_w.name == NAME)).first()
    return None if row is None else Held(row.turn, _decode(row.body), row.lost)


def begin(conn: Connection, place: str) -> Held:
    """What is kept; of a store that is new, the beginning, with all that was ever judged still to write."""
    held = load(conn)
    if held is not None and held.progress.place == place:
        return held
    start = Reached(judged=judged_log.newest(conn))
    judged_log.note_again(conn, 0.0)
    made = Progress(start, start, place, filled=start.judged, whole_from=journal.pruned_before(conn))
    new = Held(1 if held is None else held.turn + 1, made)
    row = {"name": NAME, "turn": new.turn, "body": _encode(new.progress), "lost": 0}
    upsert(conn, t.store_writer, [row])
    return new


def save(conn: Connection, turn: int, progress: Progress) -> bool:
    """Keeps what was done in this turn; False when somebody has moved the writer meanwhile."""
    mine = update(t.store_writer).where(_w.name == NAME, _w.turn == turn)
    return conn.execute(mine.values(body=_encode(progress))).rowcount == 1


def fail(conn: Connection, place: str, why: str, now: float) -> None:
    """Keeps why nothing can be written, though the store was never asked."""
    held = begin(conn, place)
    save(conn, held.turn, msgspec.structs.replace(held.progress, error=why, error_at=now))


def rewind(conn: Connection, place: str, start: float) -> int:
    """Has everything since an instant written again; gives how many reports of the journal that are.

    Deletions are all carried out again: what a copy of the store brought back must go.
    """
    held = begin(conn, place)
    first = conn.scalar(select(func.min(_j.id)).where(_j.received_at >= start))
    known = held.progress.reached.journal
    upto = known if first is None else min(first - 1, known)
    judged_log.note_again(conn, start)
    back = Reached(upto, held.progress.reached.judged, 0.0)
    progress = msgspec.structs.replace(held.progress, reached=back, settled=back, filled=back.judged)
    pruned = journal.pruned_before(conn)
    if pruned > start or not start:  # what it had before `start` it still has
        progress = msgspec.structs.replace(progress, whole_from=pruned)
    conn.execute(
        update(t.store_writer).where(_w.name == NAME).values(turn=held.turn + 1, body=_encode(progress))
    )
    return _after(conn, upto)


def forget(conn: Connection) -> None:
    """That there was such a store: it is not in the settings any more. One that is again is filled anew."""
    conn.execute(delete(t.store_writer).where(_w.name == NAME))


def lose(conn: Connection, journal_ids: Collection[int]) -> None:
    """Counts reports that leave the journal unwritten, in the transaction that prunes them."""
    held = load(conn)
    if held is None:
        return
    lost = sum(id_ > held.progress.reached.journal for id_ in journal_ids)
    if lost:
        conn.execute(update(t.store_writer).where(_w.name == NAME).values(lost=_w.lost + lost))


def devices(conn: Connection, ids: Collection[int]) -> dict[int, str]:
    """Opaque ids of devices."""
    query = select(t.device.c.id, t.device.c.device).where(t.device.c.id.in_(ids))
    return {row.id: row.device for row in conn.execute(query)}


def standing(conn: Connection, now: float) -> Standing | None:
    """How the writer stands; None where there never was one."""
    held = load(conn)
    if held is None:
        return None
    reached = held.progress.reached
    oldest = conn.scalar(select(_j.received_at).where(_j.id > reached.journal).order_by(_j.id).limit(1))
    return Standing(
        reports=_after(conn, reached.journal),
        seconds=0.0 if oldest is None else max(0.0, now - oldest),
        judged=max(0, judged_log.newest(conn) - reached.judged),
        lost=held.lost,
        progress=held.progress,
    )


def _after(conn: Connection, position: int) -> int:
    """About how many rows of the journal: of ids that were never given away there are few."""
    newest = conn.scalar(select(func.max(_j.id))) or 0
    oldest = conn.scalar(select(func.min(_j.id))) or 0
    return max(0, newest - max(position, oldest - 1)) if newest else 0
