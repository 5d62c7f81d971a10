"""Devices in the lists that may be nobody any more, and why: proposed to people, never dropped alone."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.identities import CHANGED, CLONE
from schoolwatch_server.database.registry import within
from schoolwatch_server.scope import Scope

Reason = Literal["silent", "never_heard", "installed_anew", "clone"]

DAY = 86_400.0
SILENT = 60 * DAY
"""Seconds without a report after which a device is taken for gone, while others of its school report."""

NEVER = 14 * DAY
"""Seconds after which one that never reported at all is."""

ALIVE = 7 * DAY
"""Seconds within which another device of the school must have reported: in the holidays all are silent."""

KEPT = 90 * DAY
"""Seconds for which somebody's word holds that a device is no ghost."""

CLONED = 14 * DAY
"""Seconds for which two machines under one identity are told."""

MOST = 500


@dataclass(frozen=True, slots=True)
class GhostRow:
    """A device that may be a ghost; `heir` is the one that its machine is now, where that is known."""

    device: str
    label: str
    room: str | None
    school_code: str
    school: str
    heard_at: float | None
    reason: Reason
    heir: str | None = None
    heir_label: str | None = None


@dataclass(frozen=True, slots=True)
class RetiredRow:
    """A device that was retired, and can be brought back."""

    device: str
    label: str
    school_code: str
    school: str
    retired_at: float


def proposed(conn: Connection, scope: Scope, now: float) -> tuple[GhostRow, ...]:
    """At most `MOST` devices of a scope, each with the reason that says most, by school."""
    found: dict[str, GhostRow] = {}
    for row in (*_installed_anew(conn, scope, now), *_cloned(conn, scope, now), *_silent(conn, scope, now)):
        found.setdefault(row.device, row)
    return tuple(sorted(found.values(), key=lambda row: (row.school, row.school_code, row.label)))[:MOST]


def retired(conn: Connection, scope: Scope, limit: int) -> tuple[RetiredRow, ...]:
    """The devices that were retired last, of the schools that a scope sees."""
    d, m = t.device.c, t.membership.c
    last = (
        select(m.school_id)
        .where(m.device_id == d.id)
        .order_by(m.valid_from.desc(), m.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(d.device, d.label, _code(), t.school.c.name, d.retired_at)
        .join_from(t.device, t.school, t.school.c.id == last)
        .where(d.retired_at.is_not(None), within(scope))
        .where(exists(select(t.credential.c.device_id).where(t.credential.c.device_id == d.id)))
        .order_by(d.retired_at.desc(), d.id.desc())
        .limit(limit)
    )
    return tuple(RetiredRow(*row) for row in conn.execute(query))


def _silent(conn: Connection, scope: Scope, now: float) -> list[GhostRow]:
    heard, since = t.state.c.heard_at, t.membership.c.valid_from
    other, theirs = t.membership.alias("other"), t.state.alias("theirs")
    alive = exists(
        select(other.c.id)
        .join_from(other, theirs, theirs.c.device_id == other.c.device_id)
        .where(
            other.c.school_id == t.school.c.id, other.c.valid_to.is_(None), theirs.c.heard_at > now - ALIVE
        )
    )
    gone = or_(heard < now - SILENT, and_(heard.is_(None), since < now - NEVER))
    query = _candidates(scope, now).where(gone, alive).limit(MOST)
    return [_row(row, "never_heard" if row.heard_at is None else "silent") for row in conn.execute(query)]


def _installed_anew(conn: Connection, scope: Scope, now: float) -> list[GhostRow]:
    """Devices whose hardware reports under another identity since, and that were not heard after that."""
    s, heir = t.sighting.c, t.device.alias("heir")
    seen = (
        select(s.detail, s.seen_at, heir.c.device, heir.c.label)
        .join_from(t.sighting, heir, heir.c.id == s.device_id)
        .where(s.kind == CHANGED, heir.c.retired_at.is_(None), s.seen_at > now - 365 * DAY)
        .order_by(s.seen_at)
    )
    was = {row.detail["was"]: row for row in conn.execute(seen) if row.detail.get("what") == "reinstalled"}
    if not was:
        return []
    rows = conn.execute(_candidates(scope, now).where(t.device.c.device.in_(was)).limit(MOST))
    return [
        _row(row, "installed_anew", was[row.device].device, was[row.device].label)
        for row in rows
        if row.heard_at is None or row.heard_at < was[row.device].seen_at
    ]


def _cloned(conn: Connection, scope: Scope, now: float) -> list[GhostRow]:
    s = t.sighting.c
    seen = exists(select(s.id).where(s.device_id == t.device.c.id, s.kind == CLONE, s.seen_at > now - CLONED))
    return [_row(row, "clone") for row in conn.execute(_candidates(scope, now).where(seen).limit(MOST))]


def _row(row: Any, reason: Reason, heir: str | None = None, heir_label: str | None = None) -> GhostRow:
    return GhostRow(
        row.device, row.label, row.room, row.code, row.school, row.heard_at, reason, heir, heir_label
    )


def _candidates(scope: Scope, now: float) -> Select[Any]:
    d, m = t.device.c, t.membership
    joined = (
        t.device.join(m, and_(m.c.device_id == d.id, m.c.valid_to.is_(None)))
        .join(t.school, t.school.c.id == m.c.school_id)
        .outerjoin(t.room, t.room.c.id == m.c.room_id)
        .outerjoin(t.state, t.state.c.device_id == d.id)
    )
    return (
        select(
            d.device,
            d.label,
            t.room.c.name.label("room"),
            _code().label("code"),
            t.school.c.name.label("school"),
            t.state.c.heard_at,
        )
        .select_from(joined)
        .where(within(scope), or_(d.kept_at.is_(None), d.kept_at < now - KEPT))
    )


def _code() -> ColumnElement[str]:
    c = t.school_code.c
    now = select(c.code).where(c.school_id == t.school.c.id, c.valid_to.is_(None)).scalar_subquery()
    return func.coalesce(now, "")
