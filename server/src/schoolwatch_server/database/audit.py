"""The audit log: written in the transaction of what it tells of, chained by hashes, never changed."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, insert, select, update

from schoolwatch_server.audit_chain import DAY, PRUNED, Entry, chain_hash
from schoolwatch_server.database.tables_people import audit, audit_head
from schoolwatch_server.deeds import Deed

_STEP = 2000
_PRUNED_MAX = 20_000
"""Rows that one transaction reads, and that it removes."""

_ENTRY = (
    audit.c.id,
    audit.c.at,
    audit.c.actor,
    audit.c.action,
    audit.c.subject,
    audit.c.detail,
    audit.c.previous,
    audit.c.hash,
)

_HEAD = select(audit_head.c.last, audit_head.c.hash).where(audit_head.c.id == 1)
_CHANGE_HEAD = update(audit_head).where(audit_head.c.id == 1)


def record(
    conn: Connection, *, actor: str, action: str, subject: str, detail: dict[str, Any], now: float
) -> None:
    """One line of the audit log, in the transaction of what it tells of.

    Until that ends, nobody else writes a line: each knows the one before.
    """
    last, previous = conn.execute(_HEAD.with_for_update()).one()
    told = json.loads(json.dumps(detail))
    row = {"actor": actor, "action": action, "subject": subject, "detail": told}
    id_, at = last + 1, float(now)
    hash_ = chain_hash(previous, id_=id_, at=at, **row)
    conn.execute(insert(audit).values(id=id_, at=at, **row, previous=previous, hash=hash_))
    conn.execute(_CHANGE_HEAD.values(last=id_, hash=hash_))


def record_deeds(
    conn: Connection,
    rows: Sequence[tuple[Deed, int]],
    *,
    key: Literal["by", "from"],
    now: float,
    more: Mapping[str, Any] | None = None,
) -> None:
    """What `Deeds.rows` says is to be written; `more` is told of what is new, `key` is what `kind` says.

    Without any it takes as long as one row: how long a refusal lasts tells nothing.
    """
    if not rows:
        conn.execute(_CHANGE_HEAD.values(last=audit_head.c.last))
    for deed, times in rows:
        detail = {key: deed.kind} | ({"times_more": times} if times else dict(more or {}))
        record(conn, actor=deed.actor, action=deed.action, subject=deed.subject, detail=detail, now=now)


def head(conn: Connection, *, lock: bool = False) -> tuple[int, str]:
    """Number and hash of the last line; with `lock` there is no other until the transaction ends."""
    last, hash_ = conn.execute(_HEAD.with_for_update() if lock else _HEAD).one()
    return int(last), str(hash_)


def newest(conn: Connection, limit: int) -> tuple[Entry, ...]:
    """The last lines, newest first."""
    return tuple(
        Entry(*row) for row in conn.execute(select(*_ENTRY).order_by(audit.c.id.desc()).limit(limit))
    )


def entries(conn: Connection, since: float | None = None, until: float | None = None) -> Iterator[Entry]:
    """The lines of a time (UTC seconds; `until` excluded), oldest first, however many they are."""
    query = select(*_ENTRY).order_by(audit.c.id).limit(_STEP)
    if since is not None:
        query = query.where(audit.c.at >= since)
    if until is not None:
        query = query.where(audit.c.at < until)
    after = 0
    while rows := conn.execute(query.where(audit.c.id > after)).all():
        yield from (Entry(*row) for row in rows)
        after = rows[-1].id


def acted(conn: Connection, actions: Collection[str], after: int) -> tuple[Entry, ...]:
    """The lines of those actions whose number is above `after`, oldest first."""
    query = select(*_ENTRY).where(audit.c.id > after, audit.c.action.in_(actions)).order_by(audit.c.id)
    return tuple(Entry(*row) for row in conn.execute(query))


def prune(conn: Connection, before: float, now: float) -> int:
    """Removes the oldest lines, taken before `before`, and leaves one that says so; gives how many.

    At most once a day, so that what it leaves is less than what it takes.
    """
    oldest = conn.execute(select(audit.c.id, audit.c.at).order_by(audit.c.id).limit(1)).first()
    if oldest is None or oldest.at >= before - DAY:
        return 0
    conn.execute(_HEAD.with_for_update())
    young = conn.scalar(select(func.min(audit.c.id)).where(audit.c.at >= before))
    end = oldest.id + _PRUNED_MAX if young is None else min(young, oldest.id + _PRUNED_MAX)
    last = conn.execute(
        select(audit.c.id, audit.c.hash, audit.c.at)
        .where(audit.c.id < end)
        .order_by(audit.c.id.desc())
        .limit(1)
    ).first()
    if last is None:
        return 0
    count, until = conn.execute(select(func.count(), func.max(audit.c.at)).where(audit.c.id <= last.id)).one()
    detail = {"rows": count, "last": last.id, "hash": last.hash, "until": until}
    record(conn, actor="retention", action=PRUNED, subject="", detail=detail, now=now)
    conn.execute(_CHANGE_HEAD.values(removed=last.id))
    return conn.execute(delete(audit).where(audit.c.id <= last.id)).rowcount
