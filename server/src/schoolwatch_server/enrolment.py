"""Enrolment: with a school's or room's token a device gets a name, a frame key and a password.

Whether it is let in at once or waits for a person, the token says: see `Admits`. A device that waits is in
no school's lists and no broker's, and nothing of it is taken; approving it hands nothing over.

A device's name follows from the token, the install id and a count, so a repeated request finds what the
first one made. While that device has never been heard, the repeat gets a new key and password for it: the
first answer was lost, and no ghost and no second use of the token remain. Once it has been heard, or where
the hardware is another's, the same install id means a copied disk: the copy becomes a device of its own and
costs a use.

A frozen computer forgets at each start that it ever enrolled. It is found again by its hardware, gets a new
key and password for the same device, and costs no use; that its token has expired meanwhile does not lock
it out, revoking the token does.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine

from schoolwatch_server import identity
from schoolwatch_server.alphabet import plain
from schoolwatch_server.broker.passwords import hash_password
from schoolwatch_server.database import arrivals, credentials, identities, pages, people, registry
from schoolwatch_server.database import enrolment as rows
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.enrolment import ADMITS as ADMITS
from schoolwatch_server.database.enrolment import Admits as Admits
from schoolwatch_server.identity import Hints
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.tokens import DAY

PREFIX = "swe_"
"""How an enrolment token starts."""

DAYS_MAX = 90.0
USES_MAX = 1000
"""Bounds of a token: who needs more issues another."""

SIGN = 4
"""Letters at a token's end by which people recognise it; 28 others stay secret."""

COPIES_MAX = 1000
"""How many devices may come from one install id and one token."""


class EnrolmentError(ValueError):
    """No device is let in; the text is for the audit log, never for who asked."""


class RoomError(EnrolmentError):
    """The token is good and the room is not: the text is for who asked."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a computer says of itself when it enrols.

    `hints` are digests of its hardware numbers, empty where it may not read them; `frozen` says that it
    forgets at each start; `room` is where who installs it says that it stands, and `about` what helps a
    person to recognise it: names of facts to their values.
    """

    install_id: str
    hints: Hints = field(default_factory=dict)
    frozen: bool = False
    room: str = ""
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What the device is told once: its name for life, its frame key, its password at the broker.

    `school_id` is where it was let in, or asks to be while it is `pending`.
    """

    device: str
    key: bytes
    password: str
    school_id: int
    label: str
    pending: bool
    made_at: float


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
    admits: Admits = "declared",
) -> str:
    """A new token with which so many devices enrol at a school within so many days. Raises `ValueError`."""
    check_bounds(days, uses)
    token = PREFIX + secrets.token_urlsafe(24)
    with begin_write(engine) as conn:
        school = registry.school(conn, school_id, EVERYTHING)
        if school is None or not school.code:
            raise ValueError("the school is no more: it was merged into another one, or deleted")
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
            admits=admits,
            sign=token[-SIGN:],
        )
        detail = {"room": room_id, "days": days, "uses": uses, "admits": admits}
        people.record(conn, actor=by, action="enrolment.token", subject=school.code, detail=detail, now=now)
    return token


def school_of(engine: Engine, token: str) -> int:
    """The school that a token is of, expired or not. Raises `EnrolmentError` for one that never was one."""
    with begin_read(engine) as conn:
        return _known(rows.token(conn, _hashed(token))).school_id


def enrol(engine: Engine, token: str, asking: Asking, *, now: float) -> Enrolled:
    """A device with its credential, made in one transaction. Raises `EnrolmentError`."""
    if asking.frozen and len(identity.agreeing(asking.hints, asking.hints)) < identity.ENOUGH:
        raise EnrolmentError("a frozen computer without hardware numbers cannot be told from others")
    with begin_read(engine) as conn:  # a wrong token must not keep those who write waiting
        row = _known(rows.token(conn, _hashed(token)))
        if not asking.frozen:
            _check(row, now)
    key, password = secrets.token_bytes(32), secrets.token_urlsafe(32)
    password_hash = hash_password(password)  # slow on purpose: not while others wait for the database
    secret = _Secret(key, password_hash)
    with begin_write(engine) as conn:
        row = _known(rows.token(conn, _hashed(token), lock=True))
        name = _readmit(conn, row, asking.hints, secret, now) if asking.frozen else None
        if name is None:
            _check(row, now)
            name = _admit_once(conn, row, token, asking, secret, now)
        device = rows.enrolled(conn, name)
        assert device is not None
    return Enrolled(name, key, password, row.school_id, device.label, device.pending, now)


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
        raise EnrolmentError("this frozen device was refused or revoked")
    credentials.set_credential(conn, found, secret.key, secret.password_hash, now)
    identities.keep_frozen(conn, found, hints, now)
    _write_down(conn, "enrolment.frozen", name, token, now)
    return name


def _admit_once(
    conn: Connection, row: rows.EnrolmentTokenRow, token: str, asking: Asking, secret: _Secret, now: float
) -> str:
    """The device of this install id, made or, while it was never heard, told its secret again."""
    for copy in range(COPIES_MAX):
        name = _name(token, asking.install_id, copy)
        known = rows.enrolled(conn, name)
        if known is None:
            _admit(conn, row, name, asking, secret, now)
            return name
        if not known.heard and not known.revoked and _may_be(conn, known.id, asking.hints):
            credentials.set_credential(conn, known.id, secret.key, secret.password_hash, now)
            _write_down(conn, "enrolment.repeat", name, row, now)
            return name
    raise EnrolmentError(f"{COPIES_MAX} devices came from one install id")


def _may_be(conn: Connection, device_id: int, hints: Hints) -> bool:
    """Whether the hardware says nothing against it: forty copies of one disk wait as forty computers."""
    before = arrivals.hints_of(conn, device_id)
    both = [kind for kind in identity.HARDWARE if before.get(kind) and hints.get(kind)]
    return len(both) < identity.ENOUGH or identity.is_same_machine(before, hints)


def _admit(
    conn: Connection, token: rows.EnrolmentTokenRow, name: str, asking: Asking, secret: _Secret, now: float
) -> None:
    if token.uses_left < 1:
        raise EnrolmentError("the token is used up")
    room_id = _room(conn, token, asking.room)
    like = identity.find(asking.hints, identities.of_school(conn, token.school_id)) if asking.hints else None
    rows.use_token(conn, token.id)
    device_id = arrivals.add(
        conn,
        name,
        f"Máy {rows.devices_of_school(conn, token.school_id) + 1:02d}",
        school_id=token.school_id,
        room_id=room_id,
        token_id=token.id,
        now=now,
        hints=asking.hints,
        about=asking.about,
        resembles_id=like,
    )
    credentials.set_credential(conn, device_id, secret.key, secret.password_hash, now)
    if asking.frozen:
        identities.keep_frozen(conn, device_id, asking.hints, now)
    is_in = _lets_in(conn, token.admits, room_id, is_known=like is not None)
    if is_in:
        arrivals.let_in(conn, device_id, now)
    _write_down(conn, "enrolment" if is_in else "enrolment.pending", name, token, now)


def _room(conn: Connection, token: rows.EnrolmentTokenRow, asked: str) -> int | None:
    """The token's room, or the one that was named at the computer."""
    if not asked:
        return token.room_id
    rooms = [room for room in pages.rooms(conn, token.school_id) if token.room_id in (None, room.id)]
    wanted = " ".join(asked.split())
    found = [room for room in rooms if room.name == wanted]
    found = found or [room for room in rooms if plain(room.name) == plain(wanted)]
    if len(found) != 1:
        named = ", ".join(room.name for room in rooms) or "no room: the school has none yet"
        raise RoomError(f"this token is for {named}")
    return found[0].id


def _lets_in(conn: Connection, admits: Admits, room_id: int | None, *, is_known: bool) -> bool:
    """Whether nobody needs to be asked; a computer that looks like a known one is somebody's decision."""
    match admits:
        case "at_once":
            return True
        case "wait":
            return False
        case "declared":
            return not is_known and room_id is not None and rows.has_place(conn, room_id)


def _write_down(conn: Connection, action: str, name: str, token: rows.EnrolmentTokenRow, now: float) -> None:
    detail = {"school": token.school_id, "room": token.room_id, "token": token.id}
    actor = f"enrolment token {token.id}"
    people.record(conn, actor=actor, action=action, subject=name, detail=detail, now=now)


def _name(token: str, install_id: str, copy: int) -> str:
    text = "\0".join(("schoolwatch device", token, install_id, str(copy)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
