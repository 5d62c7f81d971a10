"""Deleted once is deleted for good: what an older copy of the database brings back is deleted again.

The database notes up to which instant it knows the list of deletions (`deletions.py`), so that a copy of it
knows less, whatever way it came back: by a restore, by a rollback, or by a person's hand.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from schoolwatch_server import deletions
from schoolwatch_server.account_names import RESTORE
from schoolwatch_server.database import audit, erasure
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.deletions import Deletion

KNOWN = "deleted_upto"
"""Key of that instant in `meta`: UTC seconds."""

_STEP = 500


def note(conn: Connection, listed: Path, now: float, *, device: str = "", school: int = 0) -> None:
    """Puts a deletion on the list, as the last step of the transaction that deletes and has its audit line.

    That line's lock makes it the only one. Raises `LastingError`: the transaction must then not commit.
    """
    at = max(now, _known(conn) + 0.001)
    made = conn.scalar(select(t.school.c.created_at).where(t.school.c.id == school)) or 0.0
    _know(conn, at)
    deletions.add(listed, Deletion(at, device, school, made))


def is_gone(engine: Engine, listed: Path) -> bool:
    """Whether the list is not there, though this database knows of deletions."""
    if listed.exists():
        return False
    with begin_read(engine) as conn:
        return _known(conn) > 0.0


def again(engine: Engine, known: Sequence[Deletion], now: float) -> Counter[str]:
    """Deletes again what is on the list and is here all the same; how many devices and schools."""
    gone: Counter[str] = Counter()
    with begin_read(engine) as conn:
        here = _here(conn, [one.device for one in known if one.device])
        upto = _known(conn)
    for one in known:
        if one.device in here or (one.school and one.at > upto):
            with begin_write(engine) as conn:
                gone += _again(conn, one, now)
    newest = max((one.at for one in known), default=0.0)
    if newest > upto:
        with begin_write(engine) as conn:
            _know(conn, newest)
    return gone


def _again(conn: Connection, one: Deletion, now: float) -> Counter[str]:
    if one.device:
        what, subject = "device", one.device
        id_ = erasure.id_of(conn, one.device)
        rows = erasure.device(conn, id_, one.device) if id_ is not None else None
    else:
        what, subject = "school", _code(conn, one.school)
        s = t.school.c
        same = conn.scalar(select(s.id).where(s.id == one.school, s.created_at == one.made))
        rows = erasure.school(conn, one.school, now) if same is not None else None
    if rows is None:
        return Counter()
    detail: dict[str, Any] = {
        "reason": "deleted before; an older copy brought it back",
        "deleted_at": datetime.fromtimestamp(one.at, UTC).isoformat(timespec="seconds"),
        "rows": dict(sorted(rows.items())),
    }
    audit.record(conn, actor=RESTORE, action=f"{what}.delete", subject=subject, detail=detail, now=now)
    return Counter({what: 1})


def _here(conn: Connection, names: list[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(names), _STEP):
        some = t.device.c.device.in_(names[start : start + _STEP])
        found.update(conn.scalars(select(t.device.c.device).where(some)))
    return found


def _code(conn: Connection, school: int) -> str:
    c = t.school_code.c
    last = select(c.code).where(c.school_id == school).order_by(c.valid_from.desc()).limit(1)
    return conn.scalar(last) or f"#{school}"


def _known(conn: Connection) -> float:
    return float(conn.scalar(select(t.meta.c.value).where(t.meta.c.key == KNOWN)) or 0.0)


def _know(conn: Connection, at: float) -> None:
    if not conn.execute(update(t.meta).where(t.meta.c.key == KNOWN).values(value=repr(at))).rowcount:
        conn.execute(insert(t.meta).values(key=KNOWN, value=repr(at)))
