"""Enrolment: a school's or room's token lets a device in, which gets a name, a frame key and a password.

A device's name follows from the token, the install id and a count, so a repeated request finds what the
first one made. While that device has never been heard, the repeat gets a new key and password for it: the
first answer was lost, and no ghost and no second use of the token remain. Once it has been heard, the same
install id means a copied disk: the copy becomes a device of its own and costs a use.
"""

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from schoolwatch_server.broker.passwords import hash_password
from schoolwatch_server.database import credentials, people, registry
from schoolwatch_server.database import enrolment as rows
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.tokens import DAY

PREFIX = "swe_"
"""How an enrolment token starts."""

DAYS_MAX = 90.0
USES_MAX = 1000
"""Bounds of a token: who needs more issues another."""

COPIES_MAX = 1000
"""How many devices may come from one install id and one token."""


class EnrolmentError(ValueError):
    """No device is let in; the text is for the audit log, never for who asked."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What the device is told once: its name for life, its frame key, and its password at the broker."""

    device: str
    key: bytes
    password: str


def issue_enrolment_token(
    engine: Engine,
    school_id: int,
    room_id: int | None,
    days: float,
    uses: int,
    *,
    now: float,
    by: str = "command line",
) -> str:
    """A new token that lets so many devices into a school within so many days. Raises `ValueError`."""
    if not 0 < days <= DAYS_MAX:
        raise ValueError(f"a token is valid for more than 0 and at most {DAYS_MAX:.0f} days")
    if not 1 <= uses <= USES_MAX:
        raise ValueError(f"a token lets in 1 to {USES_MAX} devices")
    token = PREFIX + secrets.token_urlsafe(24)
    with begin_write(engine) as conn:
        if room_id is not None and not rows.room_of_school(conn, school_id, room_id):
            raise ValueError("the room is not in this school")
        rows.add_token(
            conn,
            _hashed(token),
            school_id=school_id,
            room_id=room_id,
            now=now,
            expires_at=now + days * DAY,
            uses=uses,
        )
        detail = {"room": room_id, "days": days, "uses": uses}
        school = registry.school(conn, school_id, EVERYTHING)
        subject = school.code if school else ""
        people.record(conn, actor=by, action="enrolment.token", subject=subject, detail=detail, now=now)
    return token


def enrol(engine: Engine, token: str, install_id: str, *, now: float) -> Enrolled:
    """A device with its credential, made in one transaction. Raises `EnrolmentError`."""
    with begin_read(engine) as conn:  # a wrong token must not keep those who write waiting
        _check(rows.token(conn, _hashed(token)), now)
    key, password = secrets.token_bytes(32), secrets.token_urlsafe(32)
    password_hash = hash_password(password)  # slow on purpose: not while others wait for the database
    with begin_write(engine) as conn:
        row = _check(rows.token(conn, _hashed(token), lock=True), now)
        for copy in range(COPIES_MAX):
            name = _name(token, install_id, copy)
            known = rows.enrolled(conn, name)
            if known is None:
                _admit(conn, row, name, key=key, password_hash=password_hash, now=now)
                return Enrolled(name, key, password)
            if not known.heard and not known.revoked:
                credentials.set_credential(conn, known.id, key, password_hash, now)
                _write_down(conn, "enrolment.repeat", name, row, now)
                return Enrolled(name, key, password)
    raise EnrolmentError(f"{COPIES_MAX} devices came from one install id")


def _check(token: rows.EnrolmentTokenRow | None, now: float) -> rows.EnrolmentTokenRow:
    if token is None or token.revoked_at is not None or token.expires_at <= now:
        raise EnrolmentError("unknown, expired or revoked token")
    return token


def _admit(
    conn: Connection,
    token: rows.EnrolmentTokenRow,
    name: str,
    *,
    key: bytes,
    password_hash: str,
    now: float,
) -> None:
    if token.uses_left < 1:
        raise EnrolmentError("the token is used up")
    rows.use_token(conn, token.id)
    label = f"Máy {rows.devices_of_school(conn, token.school_id) + 1:02d}"
    made = registry.create_device(conn, token.school_id, token.room_id, label, now, name=name)
    credentials.set_credential(conn, made.id, key, password_hash, now)
    _write_down(conn, "enrolment", name, token, now)


def _write_down(conn: Connection, action: str, name: str, token: rows.EnrolmentTokenRow, now: float) -> None:
    detail = {"school": token.school_id, "room": token.room_id, "token": token.id}
    actor = f"enrolment token {token.id}"
    people.record(conn, actor=actor, action=action, subject=name, detail=detail, now=now)


def _name(token: str, install_id: str, copy: int) -> str:
    text = "\0".join(("schoolwatch device", token, install_id, str(copy)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
