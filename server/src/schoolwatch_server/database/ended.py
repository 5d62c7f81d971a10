"""Ended once is ended for good: what an older database lets in again is ended again (`endings.py`)."""

import functools
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select

from schoolwatch_server import endings, lasting
from schoolwatch_server.account_names import RESTORE
from schoolwatch_server.audit_chain import Checkpoint
from schoolwatch_server.database import (
    api_tokens,
    audit,
    credentials,
    enrolment,
    erasure,
    lives,
    people,
    registry,
)
from schoolwatch_server.database import tables as t
from schoolwatch_server.database import tables_people as p
from schoolwatch_server.database.engine import begin_read, begin_write, history
from schoolwatch_server.database.upsert import upsert
from schoolwatch_server.endings import KINDS, Ending, Kind
from schoolwatch_server.passwords import hash_password
from schoolwatch_server.scope import EVERYTHING

SEEN, TRIED, WENT_BACK = "endings_seen", "endings_tried", "went_back"
"""Keys in `meta`: the last row of the audit log that was looked through for the list; hashes of lines of the
list that this database was put right by, as JSON; the hash of a row that the log had come to before."""

_STEP = 500


def note(engine: Engine, path: Path) -> int:
    """Puts on the list what the audit log tells and was not looked through yet; how many.

    A list that is gone, or can't be read, is made anew from all of the log and what can be read; what was
    there is set aside.
    Raises `LastingError` when it can't be written.
    """
    with begin_read(engine) as conn:
        if _seen(conn) == audit.head(conn)[0] and _is_filled(path):
            return 0
    with begin_write(engine) as conn:
        last, _ = audit.head(conn, lock=True)  # of two that note at once, one waits
        (known, is_whole), after = lasting.read_or_mend(path, Ending), _seen(conn)
        if not (known and is_whole):
            after = 0
        entries = audit.acted(conn, tuple(KINDS), after=after)
        found = [endings.of(entry, history(conn)) for entry in entries if entry.actor != RESTORE]
        if found or not path.is_file():
            lasting.write(path, endings.bounded({*known, *found}))
        upsert(conn, t.meta, [{"key": SEEN, "value": str(last)}])
    return len(found)


def _is_filled(path: Path) -> bool:
    try:
        now = path.stat()
    except OSError:
        return False
    return now.st_size > 0 and _is_whole(path, now.st_mtime_ns, now.st_size)


@functools.lru_cache(maxsize=1)
def _is_whole(path: Path, _changed_at: int, _size: int) -> bool:
    """Read once for each time that it was written: each minute it would cost seconds, large as it may be."""
    return not lasting.trouble(path, Ending)


def goes_back(engine: Engine, noted: Checkpoint) -> bool:
    """Whether the log lacks a row that was noted of it, once for each; nobody stays signed in then."""
    with begin_read(engine) as conn:
        last, _ = audit.head(conn)
        here = conn.scalar(select(p.audit.c.hash).where(p.audit.c.id == noted.id))
        known = _meta(conn, WENT_BACK)
    lacks = last < noted.id if here is None else here != noted.hash
    if not lacks or known == noted.hash:
        return False
    with begin_write(engine) as conn:
        conn.execute(delete(t.session))
        upsert(conn, t.meta, [{"key": WENT_BACK, "value": noted.hash}])
    return True


def is_gone(engine: Engine, path: Path) -> bool:
    """Whether the list lacks every line, though the log tells of endings that were on it."""
    if lasting.trouble(path, Ending) or lasting.read(path, Ending):
        return False
    with begin_read(engine) as conn:
        seen = _seen(conn)
        return any(one.id <= seen and one.actor != RESTORE for one in audit.acted(conn, tuple(KINDS), 0))


def lacking(engine: Engine, path: Path, until: float) -> int:
    """How many things that the log tells of until then (UTC seconds) the list does not name as it does."""
    listed = lasting.read(path, Ending)
    known = {one.what for one in listed}
    others = [one.at for one in listed if one.action != endings.RENEWED]
    since = others[0] if len(others) >= endings.LINES_MAX else 0.0
    with begin_read(engine) as conn:
        told = [one for one in audit.acted(conn, tuple(KINDS), 0) if one.actor != RESTORE]
    told = [one for one in told if one.action != endings.RENEWED]  # the last of each device alone is kept
    return sum(endings.of(one, "").what not in known for one in told if since < one.at < until)


def again(engine: Engine, path: Path, now: float) -> tuple[Ending, ...]:
    """Ends again what the list names and this database knows nothing of; what it ended, oldest first.

    It is done once: who is let in afterwards stays so. Raises `LastingError`.
    """
    known = lasting.read(path, Ending)
    with begin_read(engine) as conn:
        lost = _lost(conn, known)
    if not lost:
        return ()
    with begin_write(engine) as conn:
        done = tuple(one for one in endings.lasting_ones(lost) if _end(conn, one, now))
        tried = sorted(_tried(conn) | {one.hash for one in lost})
        upsert(conn, t.meta, [{"key": TRIED, "value": json.dumps(tried)}])
    return done


def _seen(conn: Connection) -> int:
    return int(_meta(conn, SEEN) or 0)


def _tried(conn: Connection) -> set[str]:
    return set(json.loads(_meta(conn, TRIED) or "[]"))


def _meta(conn: Connection, key: str) -> str | None:
    return conn.scalar(select(t.meta.c.value).where(t.meta.c.key == key))


def _lost(conn: Connection, known: Sequence[Ending]) -> tuple[Ending, ...]:
    """Those of this history of which the log has no line, and from which on it has lines.

    Older ones went in their time.
    """
    c, mine = p.audit.c, history(conn)
    here = _tried(conn)
    known = [one for one in known if one.history == mine and one.hash not in here]
    for start in range(0, len(known), _STEP):
        some = c.hash.in_([one.hash for one in known[start : start + _STEP]])
        rows = c.id.in_([one.row for one in known[start : start + _STEP]])
        here.update(conn.scalars(select(c.hash).where(rows, some)))
    first = conn.scalar(select(func.min(c.id))) or 0
    return tuple(one for one in known if one.hash not in here and one.row >= first)


def _end(conn: Connection, one: Ending, now: float) -> bool:
    """Ends it, with its line in the log; False when it isn't here, or has ended."""
    detail: dict[str, Any] = {
        "reason": "ended before; an older copy brought it back",
        "before": one.action,
        "ended_at": datetime.fromtimestamp(one.at, UTC).isoformat(timespec="seconds"),
    }
    act = _ENDS.get(one.kind) if one.kind else None
    action = act(conn, one, now) if act else ""
    if not action:
        return False
    if one.number:
        detail["number" if one.kind == "token" else "token"] = one.number
    audit.record(conn, actor=RESTORE, action=action, subject=one.subject, detail=detail, now=now)
    return True


def _device(conn: Connection, one: Ending, now: float) -> str:
    """The action that took place; empty when none was needed, as of those below."""
    id_ = erasure.id_of(conn, one.subject)
    if id_ is None:
        return ""
    if one.action == "device.no_gateway":
        return one.action if lives.no_gateway(conn, id_) else ""
    if one.action == endings.RENEWED and credentials.offered_key(conn, id_) is not None:
        credentials.take_up(conn, id_, now)  # the copy is of the time between: it knows the new one too
        return one.action
    if one.action not in ("device.revoke", endings.RENEWED):
        if conn.scalar(select(t.device.c.retired_at).where(t.device.c.id == id_)) is not None:
            return ""
        registry.retire_device(conn, id_, now)
        return "device.retire"
    held = (t.credential.c.device_id == id_) & t.credential.c.revoked_at.is_(None)
    if conn.scalar(select(t.credential.c.device_id).where(held)) is None:
        return ""
    credentials.revoke(conn, id_, now)
    return "device.revoke"


def _account(conn: Connection, one: Ending, now: float) -> str:
    """Locked; and a former password opens it no more, whoever unlocks it."""
    found = people.account_by_name(conn, one.subject)
    if found is None or (found.disabled_at is not None and one.action in endings.LOCKED):
        return ""
    if one.action in endings.PASSWORD:
        people.set_password(conn, found.id, _nobodys(), must_change=True)
    if found.disabled_at is None:
        people.switch_off(conn, found.id, now)
    return "account.disable"


@functools.cache
def _nobodys() -> str:
    """The hash of a password that nobody has; made once, for it takes a while."""
    return hash_password(secrets.token_urlsafe(32))


def _token(conn: Connection, one: Ending, now: float) -> str:
    good = {row.id: row.name for row in api_tokens.good(conn, EVERYTHING, now)}
    if good.get(one.number) != one.subject:
        return ""
    api_tokens.revoke(conn, one.number, EVERYTHING, now)
    return one.action


def _enrolment(conn: Connection, one: Ending, now: float) -> str:
    found = registry.school_by_code(conn, one.subject, EVERYTHING)
    school = found.id if found else one.school  # a copy may know it by another code
    if not school:
        return ""
    if one.number:
        ended = enrolment.revoke_token(conn, school, one.number, now)
    else:
        ended = bool(enrolment.revoke_tokens(conn, school, now))
    return one.action if ended else ""


_ENDS: Mapping[Kind, Callable[[Connection, Ending, float], str]] = {
    "device": _device,
    "account": _account,
    "token": _token,
    "enrolment": _enrolment,
}
