"""Brings over what can still be read of a damaged spool file: one bad page is not to cost all the others.

What keeps its generation keeps its number, so that the server knows it if it has it already. Nothing new is
counted in a generation that came over: its next number may have been on the page that is lost.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from schoolwatch_agent import marks, spool_file
from schoolwatch_agent.log import log
from schoolwatch_contract.frame import SEQ_MAX

ENDED = "ended"
"""The boot of generations that came over: no machine starts under that name, so they only drain."""

_STEP = 500
_ROWS_MAX = 50_000_000
"""Rows that a spool has had in many years: a higher number is damage."""

_ERRORS_MAX = 20_000
"""Reads that failed, after which the rest is given up: a disk must not be asked for hours."""

_ROW = (
    "SELECT generation, seq, put_at, due_at, sent, pubacks, acked_at, body, {clock} FROM envelope NOT INDEXED"
    " WHERE id BETWEEN ? AND ? ORDER BY id"
)
_INSERT = (
    "INSERT OR IGNORE INTO envelope"
    " (generation, seq, put_at, due_at, sent, pubacks, acked_at, body, size, clock, base)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def bring_over(damaged: Path, db: sqlite3.Connection, row_bytes: int) -> None:
    """Copies envelopes, marks and counts into a new file, inside its transaction."""
    if not damaged.is_file():  # a folder was in its place
        return
    with closing(sqlite3.connect(damaged, isolation_level=None)) as old:
        generations = _generations(old, db)
        _notes(old, db)
        clocks = _clocks(old, db)
        found = sum(_bring(db, row, generations, clocks, row_bytes) for row in _rows(old))
    clock = db.execute("SELECT max(put_at) FROM envelope").fetchone()[0]
    if clock is not None and clock > spool_file.number(db, "clock"):
        spool_file.set_note(db, "clock", clock)
    log(__name__).warning("%d reports came over from the damaged file", found)


def _ask(old: sqlite3.Connection, question: str, *values: object) -> list[tuple[Any, ...]] | None:
    """What the damaged file answers; None when it cannot."""
    try:
        return old.execute(question, values).fetchall()
    except sqlite3.Error:
        return None


def _generations(old: sqlite3.Connection, db: sqlite3.Connection) -> dict[int, int]:
    """Old row to new row of the generations that can be read."""
    rows = _ask(old, "SELECT id, spool, next, upto FROM generation ORDER BY id") or []
    named = {spool: (row, following, upto) for row, spool, following, upto in rows}
    return {
        row: marks.bring_generation(db, spool, ENDED, following, upto)
        for spool, (row, following, upto) in named.items()
        if re.fullmatch("[0-9a-f]{16}", str(spool)) and _is_number(following) and _is_number(upto)
    }


def _clocks(old: sqlite3.Connection, db: sqlite3.Connection) -> dict[int, int]:
    """Old row to new row of the clocks that can be read; a file of version 1 holds none."""
    rows = _ask(old, "SELECT id, boot, base, first_up, last_up FROM clock ORDER BY id") or []
    found: dict[int, int] = {}
    for row, boot, *numbers in rows:
        if isinstance(boot, str) and all(isinstance(each, float) for each in numbers):
            added = db.execute(
                "INSERT OR IGNORE INTO clock (boot, base, first_up, last_up) VALUES (?, ?, ?, ?)",
                (boot, *numbers),
            )
            if added.rowcount:
                found[row] = int(added.lastrowid or 0)
    return found


def _notes(old: sqlite3.Connection, db: sqlite3.Connection) -> None:
    for key, kind in (
        ("epoch", str),
        ("dropped", float),
        ("clock", float),
        ("latest", float),
        ("bundled_at", float),
    ):
        try:
            value = spool_file.note(old, key)
        except sqlite3.Error:
            continue
        if isinstance(value, kind) or (kind is float and isinstance(value, int)):
            spool_file.set_note(db, key, value)


def _rows(old: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    last = _ask(old, "SELECT seq FROM sqlite_sequence WHERE name = 'envelope'")
    if not last or not _is_number(last[0][0]):
        return
    row = _ROW.format(clock="clock, base")
    if _ask(old, "SELECT clock, base FROM envelope LIMIT 0") is None:
        row = _ROW.format(clock="NULL, NULL")  # a file of version 1
    errors = 0
    ranges = [(low, low + _STEP - 1) for low in range(1, min(last[0][0], _ROWS_MAX) + 1, _STEP)][::-1]
    while ranges and errors < _ERRORS_MAX:
        low, high = ranges.pop()
        rows = _ask(old, row, low, high)
        if rows is None:  # somewhere in here is the damage: look at either half
            errors += 1
            middle = (low + high) // 2
            if low < high:
                ranges += [(middle + 1, high), (low, middle)]
            continue
        yield from rows


def _bring(
    db: sqlite3.Connection,
    row: tuple[Any, ...],
    generations: dict[int, int],
    clocks: dict[int, int],
    row_bytes: int,
) -> int:
    generation, seq, put_at, due_at, sent, pubacks, acked_at, body, run, base = row
    times = (put_at, due_at, 0.0 if acked_at is None else acked_at)
    if not (
        isinstance(body, bytes) and _is_number(seq) and all(isinstance(each, float | int) for each in times)
    ):
        return 0
    size = len(body) + row_bytes
    taken_by = (clocks[run], base) if run in clocks and isinstance(base, float) else (None, None)
    if generation in generations:
        told = (seq, put_at, due_at, sent, pubacks, acked_at, body, size)
        values = (generations[generation], *told, *taken_by)
        return db.execute(_INSERT, values).rowcount
    if sent == 0:  # the server cannot have it, so it may have another number
        home, number = marks.orphanage(db, ENDED)
        return db.execute(_INSERT, (home, number, put_at, 0, 0, 0, None, body, size, *taken_by)).rowcount
    return 0


def _is_number(value: object) -> bool:
    return isinstance(value, int) and 0 <= value <= SEQ_MAX
