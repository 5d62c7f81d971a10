"""Enrolment tokens of schools and rooms, and the credentials of the devices that came with one."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Connection, func, insert, select, union, update

from schoolwatch_server.database.tables import (
    arrival,
    credential,
    device,
    enrolment_token,
    generation,
    membership,
    room,
)

Admits = Literal["wait", "declared", "at_once"]
"""Whom a token lets in without a person: nobody, as many as its room declares, or everybody."""

ADMITS: tuple[Admits, ...] = get_args(Admits)


@dataclass(frozen=True, slots=True)
class EnrolmentTokenRow:
    """A school's or room's token; times are UTC seconds, `sign` is its end."""

    id: int
    school_id: int
    room_id: int | None
    created_at: float
    expires_at: float
    uses_left: int
    revoked_at: float | None
    admits: Admits
    sign: str
    room: str | None


@dataclass(frozen=True, slots=True)
class EnrolledRow:
    """A device that enrolled before: whether it has ever been heard, or lost its credential since."""

    id: int
    label: str
    heard: bool
    revoked: bool
    pending: bool


_TOKEN: tuple[ColumnElement[Any], ...] = (
    enrolment_token.c.id,
    enrolment_token.c.school_id,
    enrolment_token.c.room_id,
    enrolment_token.c.created_at,
    enrolment_token.c.expires_at,
    enrolment_token.c.uses_left,
    enrolment_token.c.revoked_at,
    enrolment_token.c.admits,
    enrolment_token.c.sign,
    select(room.c.name).where(room.c.id == enrolment_token.c.room_id).scalar_subquery().label("room"),
)


def add_token(
    conn: Connection,
    hashed: str,
    *,
    school_id: int,
    room_id: int | None,
    now: float,
    expires_at: float,
    uses: int,
    admits: Admits,
    sign: str,
) -> None:
    """Keeps the hash of an enrolment token."""
    conn.execute(
        insert(enrolment_token).values(
            hash=hashed,
            school_id=school_id,
            room_id=room_id,
            created_at=now,
            expires_at=expires_at,
            uses_left=uses,
            admits=admits,
            sign=sign,
        )
    )


def token(conn: Connection, hashed: str, *, lock: bool = False) -> EnrolmentTokenRow | None:
    """The token, however old or used up; with `lock` nobody else uses it until the transaction ends."""
    query = select(*_TOKEN).where(enrolment_token.c.hash == hashed)
    row = conn.execute(query.with_for_update() if lock else query).first()
    return None if row is None else EnrolmentTokenRow(*row)


def open_tokens(conn: Connection, school_id: int, now: float) -> tuple[EnrolmentTokenRow, ...]:
    """A school's tokens that still let a device in, the newest first."""
    query = (
        select(*_TOKEN)
        .where(
            enrolment_token.c.school_id == school_id,
            enrolment_token.c.expires_at > now,
            enrolment_token.c.uses_left > 0,
            enrolment_token.c.revoked_at.is_(None),
        )
        .order_by(enrolment_token.c.id.desc())
    )
    return tuple(EnrolmentTokenRow(*row) for row in conn.execute(query))


def use_token(conn: Connection, token_id: int) -> None:
    """One use less."""
    conn.execute(
        update(enrolment_token)
        .where(enrolment_token.c.id == token_id)
        .values(uses_left=enrolment_token.c.uses_left - 1)
    )


def revoke_tokens(conn: Connection, school_id: int, now: float) -> int:
    """Ends all open tokens of a school; how many they were."""
    result = conn.execute(
        update(enrolment_token)
        .where(enrolment_token.c.school_id == school_id, enrolment_token.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return int(result.rowcount)


def revoke_token(conn: Connection, school_id: int, token_id: int, now: float) -> bool:
    """Ends one token of a school; False when it has none such that is open."""
    result = conn.execute(
        update(enrolment_token)
        .where(
            enrolment_token.c.id == token_id,
            enrolment_token.c.school_id == school_id,
            enrolment_token.c.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )
    return bool(result.rowcount)


def room_of_school(conn: Connection, school_id: int, room_id: int) -> bool:
    """Whether the room is in the school."""
    query = select(room.c.id).where(room.c.id == room_id, room.c.school_id == school_id)
    return conn.execute(query).first() is not None


def has_place(conn: Connection, room_id: int) -> bool:
    """Whether fewer devices are in the room than it declares; nobody else puts one there meanwhile."""
    query = select(room.c.declared).where(room.c.id == room_id).with_for_update()
    declared = conn.scalar(query)
    here = (membership.c.room_id == room_id) & membership.c.valid_to.is_(None)
    return declared is not None and (conn.scalar(select(func.count()).where(here)) or 0) < declared


def enrolled(conn: Connection, name: str) -> EnrolledRow | None:
    """The device of that name, if one enrolled as it."""
    query = (
        select(
            device.c.id,
            device.c.label,
            device.c.pending_since,
            generation.c.id.label("heard"),
            credential.c.revoked_at,
        )
        .join(credential, credential.c.device_id == device.c.id)
        .outerjoin(generation, generation.c.device_id == device.c.id)
        .where(device.c.device == name)
        .limit(1)
    )
    row = conn.execute(query).first()
    if row is None:
        return None
    heard, revoked = row.heard is not None, row.revoked_at is not None
    return EnrolledRow(row.id, row.label, heard, revoked, row.pending_since is not None)


def name_of(conn: Connection, device_id: int) -> str:
    """The opaque name of a device."""
    return str(conn.execute(select(device.c.device).where(device.c.id == device_id)).scalar_one())


def devices_of_school(conn: Connection, school_id: int) -> int:
    """How many devices the school has, had, or was asked to let in: for the next one's label."""
    known = union(
        select(membership.c.device_id).where(membership.c.school_id == school_id),
        select(arrival.c.device_id).where(arrival.c.school_id == school_id),
    ).subquery()
    return int(conn.execute(select(func.count()).select_from(known)).scalar_one())
