"""What an acknowledgement does to the spool: how far the server has each generation, in which epoch."""

import os
import sqlite3
from typing import Literal

from schoolwatch_agent import spool_file
from schoolwatch_agent.log import log
from schoolwatch_contract.ack import Ack

News = Literal["nothing", "marked", "restored"]
"""What an acknowledgement told: nothing new, more committed, or that the server was restored."""


def believe(db: sqlite3.Connection, ack: Ack, clock: float, boot: str) -> News:
    """Marks what the server has committed, inside a transaction.

    A new epoch means that the server was restored from a copy: what lies above its marks is not there
    any more, so it is unmarked and due at once. A generation that the ack does not name has no mark.
    """
    epoch = spool_file.note(db, "epoch")
    known = db.execute("SELECT id, spool, upto FROM generation ORDER BY id").fetchall()
    if epoch == ack.epoch and all(ack.spools.get(spool, 0) <= upto for _, spool, upto in known):
        return "nothing"
    restored = epoch not in (None, ack.epoch)
    spool_file.set_note(db, "epoch", ack.epoch)
    for generation, spool, _ in known:
        said = ack.spools.get(spool, 0)
        if restored:
            _unmark(db, generation, said)
        if generation == known[-1][0] and _is_older_copy(db, generation, said):
            _change_generation(db, generation, said, clock, boot)
        else:
            _mark(db, generation, said, clock)
    return "restored" if restored else "marked"


def begin_generation(db: sqlite3.Connection, boot: str) -> int:
    """A generation with a random id, counting from 1; new envelopes belong to it from now on."""
    return int(
        db.execute(
            "INSERT INTO generation (spool, boot, next, upto) VALUES (?, ?, 1, 0)",
            (os.urandom(8).hex(), boot),
        ).lastrowid
        or 0
    )


def bring_generation(db: sqlite3.Connection, spool: str, boot: str, following: int, upto: int) -> int:
    """A generation that is there already elsewhere; its row here."""
    added = db.execute(
        "INSERT INTO generation (spool, boot, next, upto) VALUES (?, ?, ?, ?)", (spool, boot, following, upto)
    )
    return int(added.lastrowid or 0)


def orphanage(db: sqlite3.Connection, boot: str) -> tuple[int, int]:
    """A generation for envelopes whose own is lost, and the next free number in it."""
    key = "orphans"
    found = spool_file.note(db, key)
    home = int(found) if isinstance(found, int | float) else begin_generation(db, boot)
    spool_file.set_note(db, key, home)
    number = db.execute("SELECT next FROM generation WHERE id = ?", (home,)).fetchone()[0]
    db.execute("UPDATE generation SET next = ? WHERE id = ?", (number + 1, home))
    return home, number


def _unmark(db: sqlite3.Connection, generation: int, above: int) -> None:
    db.execute(
        "UPDATE envelope SET acked_at = NULL, due_at = 0, pubacks = 0 WHERE generation = ? AND seq > ?",
        (generation, above),
    )
    db.execute("UPDATE generation SET upto = min(upto, ?) WHERE id = ?", (above, generation))


def _mark(
    db: sqlite3.Connection, generation: int, said: int, clock: float, *, sent_only: bool = False
) -> None:
    """Marks up to `said`, or what of that was ever sent; up to the mark before all is marked already."""
    db.execute(
        "UPDATE envelope SET acked_at = ? WHERE generation = ? AND seq <= ? AND acked_at IS NULL"
        " AND seq > (SELECT upto FROM generation WHERE id = ?) AND sent >= ?",
        (clock, generation, said, generation, sent_only),
    )
    db.execute("UPDATE generation SET upto = max(upto, ?) WHERE id = ?", (said, generation))


def _change_generation(db: sqlite3.Connection, generation: int, said: int, clock: float, boot: str) -> None:
    """New envelopes must not take numbers that are taken, so they count in a generation of their own.

    What the file never sent is something else than what the server has under its number: it moves along.
    """
    log(__name__).warning("the spool file is older than what the server has of it: a new generation begins")
    _mark(db, generation, said, clock, sent_only=True)
    fresh = begin_generation(db, boot)
    unsent = db.execute(
        "SELECT id FROM envelope WHERE generation = ? AND acked_at IS NULL AND sent = 0 ORDER BY id",
        (generation,),
    ).fetchall()
    db.executemany(
        "UPDATE envelope SET generation = ?, seq = ? WHERE id = ?",
        [(fresh, seq, row) for seq, (row,) in enumerate(unsent, 1)],
    )
    db.execute("UPDATE generation SET next = ? WHERE id = ?", (len(unsent) + 1, fresh))


def _is_older_copy(db: sqlite3.Connection, generation: int, said: int) -> bool:
    """The server has numbers of this very boot that the file has not sent: somebody put an old file back."""
    following = db.execute("SELECT next FROM generation WHERE id = ?", (generation,)).fetchone()[0]
    unsent = db.execute(
        "SELECT min(seq) FROM envelope WHERE generation = ? AND acked_at IS NULL AND sent = 0", (generation,)
    ).fetchone()[0]
    return bool(said >= (following if unsent is None else min(following, unsent)))
