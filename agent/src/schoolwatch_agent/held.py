"""What of the spool makes a frame: an envelope, its number, and by what clock its report was taken."""

import sqlite3
from collections.abc import Sequence

import msgspec

from schoolwatch_agent.clocks import Clocks
from schoolwatch_contract.frame import Clock

_SELECT = (
    "SELECT e.id, g.spool, e.seq, (SELECT min(seq) FROM envelope WHERE generation = g.id), e.body,"
    " e.clock, e.base FROM envelope e JOIN generation g ON g.id = e.generation WHERE "
)


class Held(msgspec.Struct, frozen=True):
    """An envelope to publish: its row, where it belongs, its deflated body, and the clock of its report.

    `sent_at` is what that clock shows now (UTC seconds), as far as `clock` says.
    """

    id: int
    spool: str
    seq: int
    floor: int
    body: bytes
    sent_at: float
    clock: Clock


def read(db: sqlite3.Connection, clocks: Clocks, which: str, values: Sequence[object]) -> tuple[Held, ...]:
    """The envelopes of a condition (on envelope `e`), an order and a limit, which `values` fill.

    `clocks` are those of the same file at this moment.
    """
    rows = db.execute(_SELECT + which, values).fetchall()
    return tuple(
        Held(row, spool, seq, floor, body, *clocks.of(run, base))
        for row, spool, seq, floor, body, run, base in rows
    )
