"""Versions of packs that were typed into the console: kept for ever, none is ever changed."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, func, insert, select

from schoolwatch_server.database.tables_packs import pack_text, pack_version
from schoolwatch_server.database.upsert import insert_new
from schoolwatch_server.packs.sheet import Held, Stored

_v = pack_version.c


def stamp(conn: Connection) -> int:
    """Another number whenever a version was added."""
    return int(conn.scalar(select(func.coalesce(func.max(_v.id), 0))) or 0)


def stored(conn: Connection) -> tuple[Stored, ...]:
    """Every version of every pack, the oldest first."""
    rows = conn.execute(select(pack_version).order_by(_v.id)).all()
    return tuple(
        Stored(
            row.pack,
            row.version,
            date.fromisoformat(row.valid_from),
            row.text,
            row.saved_at,
            row.saved_by,
            row.is_end,
        )
        for row in rows
    )


def add(conn: Connection, one: Stored) -> None:
    """Adds a version. Raises `IntegrityError` when somebody has saved that version meanwhile."""
    conn.execute(
        insert(pack_version).values(
            pack=one.name,
            version=one.version,
            valid_from=one.valid_from.isoformat(),
            text=one.text,
            is_end=one.is_end,
            saved_at=one.saved_at,
            saved_by=one.saved_by,
        )
    )


def keep(conn: Connection, held: Iterable[Held], now: float) -> None:
    """Keeps the texts of packs that a report names, so that each can be read years later."""
    rows = {
        one.sha256: {"sha256": one.sha256, "name": one.sheet.name, "text": one.text.decode(), "kept_at": now}
        for one in held
    }
    if rows:
        insert_new(conn, pack_text, list(rows.values()), ("sha256",))


def kept(conn: Connection, sha256: str) -> tuple[str, str] | None:
    """Name and text of a pack by its digest; None when no report has named it."""
    c = pack_text.c
    row = conn.execute(select(c.name, c.text).where(c.sha256 == sha256)).first()
    return None if row is None else (row.name, row.text)
