"""Enrolment: a school's or room's token lets a device in, which gets a name, a frame key and a password.

A device's name follows from the token, the install id and a count, so a repeated request finds what the
first one made. While that device has never been heard, the repeat gets a new key and password for it: the
first answer was lost, and no ghost and no second use of the token remain. Once it has been heard, the same
install id means a copied disk: the copy becomes a device of its own and costs a use.

A frozen computer forgets at each start that it ever enrolled. It is found again by its hardware, gets a new
key and password for the same device, and costs no use; that its token has expired meanwhile does not lock
it out, revoking the token does.
"""

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from schoolwatch_server import identity
from schoolwatch_server.broker.passwords import hash_password
from schoolwatch_server.database import credentials, identities, people, registry
from schoolwatch_server.database import enrolment as rows
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.identity import Hints
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
    """What the device is told once: its name for life, its frame key, its password at the broker.

    `school_id` is where it was let in.
    """

    device: str
    key: bytes
    password: str
    school_id: int


@dataclass(frozen=True, slots=True)
class _Secret:
    """A new frame key, and the hash of a new password."""

    key: bytes
    password_hash: str


def check_bounds(days: float, uses: int) -> None:
    """Raises `ValueError` for a token that would be valid too long, or for too many."""
    if not 0 < days <= DAYS_MAX:
        raise ValueError(f"a token is valid for more than 0 and at most {DAYS_MAX:.0f} days")
    if not 1 <= uses <= USES_MAX:
        raise ValueError(f"a token lets in 1 to {USES_MAX} devices")


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
    check_bounds(days, uses)
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


def school_of(engine: Engine, token: str) -> int:
    """The school that a token is of, expired or not. Raises `EnrolmentError` for one that never was one."""
    with begin_read(engine) as conn:
        return _known(rows.token(conn, _hashed(token))).school_id


def enrol(
    engine: Engine, token: str, install_id: str, *, now: float, frozen: Hints | None = None
) -> Enrolled:
    """A device with its credential, made in one transaction; `frozen` are the hints of a frozen computer.

    Raises `EnrolmentError`.
    """
    if frozen is not None and len(identity.agreeing(frozen, frozen)) < identity.ENOUGH:
        raise EnrolmentError("a frozen computer without hardware numbers cannot be told from others")
    with begin_read(engine) as conn:  # a wrong token must not keep those who write waiting
        row = _known(rows.token(conn, _hashed(token)))
        if frozen is None:
            _check(row, now)
    key, password = secrets.token_bytes(32), secrets.token_urlsafe(32)
    password_hash = hash_password(password)  # slow on purpose: not while others wait for the database
    secret = _Secret(key, password_hash)
    with begin_write(engine) as conn:
        row = _known(rows.token(conn, _hashed(token), lock=True))
        name = None if frozen is None else _readmit(conn, row, frozen, secret, now)
        if name is None:
            _check(row, now)
            name = _admit_once(conn, row, token, install_id, secret, now, frozen)
    return Enrolled(name, key, password, row.school_id)


def _known(token: rows.EnrolmentTokenRow | None) -> rows.EnrolmentTokenRow:
    if token is None or token.revoked_at is not None:
        raise EnrolmentError("unknown or revoked token")
    return token


def _check(token: rows.EnrolmentTokenRow, now: float) -> None:
    if token.expires_at <= now:
        raise EnrolmentError("expired token")


def _readmit(
    conn: Connection, token: rows.EnrolmentTokenRow, hints: Hints, secret: _Secret, now: float
) -> str | None:
    """The frozen device of the token's school that this hardware is, with its new credential."""
    found = identity.find(hints, identities.frozen(conn, token.school_id))
    if found is None:
        return None
    name = rows.name_of(conn, found)
    known = rows.enrolled(conn, name)
    if known is None or known.revoked:
        raise EnrolmentError("this frozen device was revoked")
    credentials.set_credential(conn, found, secret.key, secret.password_hash, now)
    identities.keep_frozen(conn, found, hints, now)
    _write_down(conn, "enrolment.frozen", name, token, now)
    return name


def _admit_once(
    conn: Connection,
    row: rows.EnrolmentTokenRow,
    token: str,
    install_id: str,
    secret: _Secret,
    now: float,
    frozen: Hints | None,
) -> str:
    """The device of this install id, made or, while it was never heard, told its secret again."""
    for copy in range(COPIES_MAX):
        name = _name(token, install_id, copy)
        known = rows.enrolled(conn, name)
        if known is None:
            device_id = _admit(conn, row, name, secret, now)
            if frozen is not None:
                identities.keep_frozen(conn, device_id, frozen, now)
            return name
        if not known.heard and not known.revoked:
            credentials.set_credential(conn, known.id, secret.key, secret.password_hash, now)
            _write_down(conn, "enrolment.repeat", name, row, now)
            return name
    raise EnrolmentError(f"{COPIES_MAX} devices came from one install id")


def _admit(conn: Connection, token: rows.EnrolmentTokenRow, name: str, secret: _Secret, now: float) -> int:
    if token.uses_left < 1:
        raise EnrolmentError("the token is used up")
    rows.use_token(conn, token.id)
    label = f"Máy {rows.devices_of_school(conn, token.school_id) + 1:02d}"
    made = registry.create_device(conn, token.school_id, token.room_id, label, now, name=name)
    credentials.set_credential(conn, made.id, secret.key, secret.password_hash, now)
    _write_down(conn, "enrolment", name, token, now)
    return made.id


def _write_down(conn: Connection, action: str, name: str, token: rows.EnrolmentTokenRow, now: float) -> None:
    detail = {"school": token.school_id, "room": token.room_id, "token": token.id}
    actor = f"enrolment token {token.id}"
    people.record(conn, actor=actor, action=action, subject=name, detail=detail, now=now)


def _name(token: str, install_id: str, copy: int) -> str:
    text = "\0".join(("schoolwatch device", token, install_id, str(copy)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
