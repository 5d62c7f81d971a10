"""What the server counts about itself: received, committed, quarantined and why."""

from collections.abc import Mapping

from sqlalchemy import Connection, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.upsert import upsert

Counts = Mapping[tuple[str, str], int]
"""(name, label) → count; the label is empty where the name says it all."""


def add(conn: Connection, counts: Counts) -> None:
    """Adds to counters; they only ever grow."""
    rows = [
        {"name": name, "label": label[:60], "value": n} for (name, label), n in sorted(counts.items()) if n
    ]
    upsert(conn, t.counter, rows, add=("value",))


def read(conn: Connection) -> dict[tuple[str, str], int]:
    """Every counter that has ever counted."""
    c = t.counter.c
    return {(row.name, row.label): row.value for row in conn.execute(select(c.name, c.label, c.value))}
