"""Devices that enrolled and wait: where each wants to be, what it told of itself, and how that ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from schoolwatch_server.alphabet import order
from schoolwatch_server.database import tables as t
from schoolwatch_server.database import told
from schoolwatch_server.database.registry import within
from schoolwatch_server.identity import Hints
from schoolwatch_server.scope import Scope


@dataclass(frozen=True, slots=True)
class ArrivalRow:
    """A device that waits; `resembles` names the known device of the school whose hardware it has.

    `about` is what it told of itself: names of facts to their values. `sign` is the end of its token.
    """

    id: int
    device: str
    label: str
    school_id: int
    school_code: str
    school: str
    room_id: int | None
    room: str | None
    asked_at: float
    about: Mapping[str, str]
    sign: str
    resembles: str | None
    resembles_label: str | None


def add(
    conn: Connection,
    name: str,
    label: str,
    *,
    school_id: int,
    room_id: int | None,
    token_id: int,
    now: float,
    hints: Hints,
    about: Mapping[str, str],
    resembles_id: int | None,
) -> int:
    """A device that waits, in no school yet; its id. It has no credential yet."""
    made = conn.execute(insert(t.device).values(device=name, label=label, created_at=now, pending_since=now))
    key = made.inserted_primary_key
    assert key is not None
    plain = {kind: sorted(digests) for kind, digests in hints.items()}
    conn.execute(
        insert(t.arrival).values(
            device_id=key[0],
            school_id=school_id,
            room_id=room_id,
            token_id=token_id,
            asked_at=now,
            hints=plain,
            about=dict(about),
            resembles_id=resembles_id,
        )
    )
    return int(key[0])


def hints_of(conn: Connection, device_id: int) -> Hints:
    """What a device told of its hardware when it came; empty for one that told nothing."""
    told_ = conn.scalar(select(t.arrival.c.hints).where(t.arrival.c.device_id == device_id)) or {}
    return {kind: frozenset(digests) for kind, digests in told_.items()}


def waiting(conn: Connection, scope: Scope, *, school_id: int | None = None) -> tuple[ArrivalRow, ...]:
    """Devices that wait within a scope, by school and room, then in the order in which they came."""
    query = _waiting().where(within(scope))
    if school_id is not None:
        query = query.where(t.school.c.id == school_id)
    found = (ArrivalRow(*row) for row in conn.execute(query))
    return tuple(sorted(found, key=lambda row: (order(row.school), order(row.room or ""), row.id)))


def count_waiting(conn: Connection, scope: Scope) -> int:
    """How many devices wait within a scope."""
    query = (
        select(func.count())
        .select_from(t.arrival.join(t.device, t.device.c.id == t.arrival.c.device_id).join(t.school))
        .where(t.device.c.pending_since.is_not(None), within(scope))
    )
    return int(conn.scalar(query) or 0)


def school_of(conn: Connection, device_id: int) -> int | None:
    """The school where a device asked to be let in."""
    return conn.scalar(select(t.arrival.c.school_id).where(t.arrival.c.device_id == device_id))


def let_in(conn: Connection, device_id: int, now: float) -> None:
    """The device is of its school, from the moment at which it asked: what it measured since counts there."""
    a, d = t.arrival, t.device
    asked = conn.execute(
        select(a.c.school_id, a.c.room_id, a.c.asked_at).where(a.c.device_id == device_id)
    ).one()
    conn.execute(update(d).where(d.c.id == device_id).values(pending_since=None))
    row = {"device_id": device_id, "school_id": asked.school_id, "room_id": asked.room_id}
    conn.execute(insert(t.membership).values(valid_from=asked.asked_at, **row))
    _credential_changed(conn, device_id, now)
    told.mark(conn, [device_id])


def turn_away(conn: Connection, device_id: int, now: float) -> None:
    """The device is refused: it never was of the school, and what it was given proves nothing."""
    d, c = t.device, t.credential
    conn.execute(update(d).where(d.c.id == device_id).values(pending_since=None, retired_at=now))
    conn.execute(update(c).where(c.c.device_id == device_id).values(revoked_at=now, changed_at=now))


def _credential_changed(conn: Connection, device_id: int, now: float) -> None:
    c = t.credential
    conn.execute(update(c).where(c.c.device_id == device_id).values(changed_at=now))


def _waiting() -> Select[Any]:
    a, d, s, r = t.arrival.c, t.device.c, t.school.c, t.room.c
    like = t.device.alias("like")
    code = (
        select(t.school_code.c.code)
        .where(t.school_code.c.school_id == s.id, t.school_code.c.valid_to.is_(None))
        .scalar_subquery()
    )
    joined = (
        t.arrival.join(t.device, d.id == a.device_id)
        .join(t.school, s.id == a.school_id)
        .outerjoin(t.enrolment_token, t.enrolment_token.c.id == a.token_id)
        .outerjoin(t.room, r.id == a.room_id)
        .outerjoin(like, like.c.id == a.resembles_id)
    )
    return (
        select(
            d.id,
            d.device,
            d.label,
            s.id,
            func.coalesce(code, ""),
            s.name,
            r.id,
            r.name,
            a.asked_at,
            a.about,
            func.coalesce(t.enrolment_token.c.sign, ""),
            like.c.device,
            like.c.label,
        )
        .select_from(joined)
        .where(d.pending_since.is_not(None))
    )
