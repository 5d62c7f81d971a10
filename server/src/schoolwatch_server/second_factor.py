"""The second factor: one-time passwords of a phone (TOTP, RFC 6238), and codes for when the phone is lost.

SHA-1, 6 digits and 30 s are what every authenticator app takes; the secret has 160 bits (RFC 4226 §4, R6).
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import Connection, Engine

from schoolwatch_server import people, sessions
from schoolwatch_server.config import People
from schoolwatch_server.database import people as accounts
from schoolwatch_server.database import second_factor as rows
from schoolwatch_server.database import sessions as open_sessions
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.sealed import TOTP as SECRET
from schoolwatch_server.database.sealed import keys
from schoolwatch_server.deeds import Deeds
from schoolwatch_server.passwords import new_recovery_code

DIGITS = 6
STEP_SECONDS = 30
SECRET_BYTES = 20

DRIFT = 1
"""Steps that the phone's clock may be ahead or behind (RFC 6238 §5.2 advises one)."""

RECOVERY_CODES = 10
"""How many are made at once; each is good once."""

ISSUER = "SchoolWatch"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A secret to put into a phone: as an `otpauth` address for a QR code, and to type (base32)."""

    uri: str
    typed: str


def begin(engine: Engine, account_id: int) -> Proposal:
    """A new secret for the account; it counts once `confirm` was given a code of it."""
    secret = secrets.token_bytes(SECRET_BYTES)
    with begin_write(engine) as conn:
        name = _account(conn, account_id).name
        rows.propose(conn, account_id, keys(conn).seal(SECRET.purpose(account_id), secret))
    return _proposal(secret, name)


def proposed(engine: Engine, account_id: int) -> Proposal | None:
    """The secret that waits for its first code."""
    with begin_read(engine) as conn:
        held, name = rows.factor(conn, account_id), _account(conn, account_id).name
    return None if held.totp_new is None else _proposal(_open(conn, account_id, held.totp_new), name)


def confirm(engine: Engine, account_id: int, code: str, now: float) -> tuple[str, ...] | None:
    """Recovery codes, to be shown once, when the code is one of the proposed secret; else None."""
    with begin_write(engine) as conn:
        held, account = rows.factor(conn, account_id), _account(conn, account_id)
        if held.totp_new is None:
            return None
        step = matching_step(_open(conn, account_id, held.totp_new), code, now)
        if step is None:
            return None
        codes = _new_codes()
        rows.accept(conn, account_id, step, map(_hashed, codes))
        _record(conn, account.name, "factor.on", now)
    return codes


def renew_codes(engine: Engine, account_id: int, now: float) -> tuple[str, ...]:
    """New recovery codes in the place of the old ones, to be shown once."""
    codes = _new_codes()
    with begin_write(engine) as conn:
        rows.set_codes(conn, account_id, map(_hashed, codes))
        _record(conn, _account(conn, account_id).name, "factor.codes", now)
    return codes


def codes_left(engine: Engine, account_id: int) -> int:
    """How many recovery codes have not been used."""
    with begin_read(engine) as conn:
        return rows.codes_left(conn, account_id)


def turn_off(engine: Engine, account_id: int, now: float) -> None:
    """The account has no second factor any more."""
    with begin_write(engine) as conn:
        rows.drop(conn, account_id)
        _record(conn, _account(conn, account_id).name, "factor.off", now)


def reset(engine: Engine, name: str, *, by: str = "command line") -> None:
    """Takes the second factor from somebody who lost it, and ends the sessions. Raises `AccountError`."""

    people.change(engine, name, drop, action="factor.reset", by=by)


def drop(conn: Connection, account: accounts.AccountRow, _now: float) -> None:
    """Takes it away, and ends the sessions."""
    rows.drop(conn, account.id)
    accounts.end_sessions(conn, account.id)


def finish(
    engine: Engine,
    waiting: str,
    code: str,
    *,
    address: str,
    now: float,
    terms: People,
    failed: Deeds | None = None,
) -> sessions.Login | None:
    """The open session of somebody whose password was right, once the code is too.

    None when it isn't, when too many wrong ones came, and when the login has waited too long; `failed` as in
    `people.log_in`.
    """
    with begin_write(engine) as conn:
        found = open_sessions.find(conn, sessions.hashed(waiting), now, waits=True)
        if found is None:
            return None
        account, held = found.account, rows.factor(conn, found.account.id)
        if (held.locked_until or 0.0) > now or not people.is_usable(account, now):
            people.note_failure(conn, failed, "login.refused", account.name, address=address, now=now)
            return None
        factor = _used(conn, account.id, held, code, now)
        if not factor:
            people.count_wrong_code(conn, account, held.failures, address=address, now=now, failed=failed)
            return None
        open_sessions.end(conn, sessions.hashed(waiting))
        return people.enter(
            conn, account, address=address, now=now, terms=terms, factor=factor, proof=found.proof
        )


def waits(engine: Engine, waiting: str, now: float) -> bool:
    """Whether there is such a login whose second factor is still to come."""
    with begin_read(engine) as conn:
        return open_sessions.find(conn, sessions.hashed(waiting), now, waits=True) is not None


def matching_step(secret: bytes, code: str, now: float) -> int | None:
    """The step of time, `DRIFT` around now, whose code this is; all are compared, in constant time."""
    typed = "".join(code.split()).encode()
    totp = TOTP(secret, DIGITS, SHA1(), STEP_SECONDS)  # nosec B303 # noqa: S303  RFC 6238's own; HMAC needs no collisions
    step_now, found = int(now // STEP_SECONDS), None
    for step in range(step_now - DRIFT, step_now + DRIFT + 1):
        if step >= 0 and hmac.compare_digest(totp.generate(step * STEP_SECONDS), typed):
            found = step
    return found


def _used(conn: Connection, account_id: int, held: rows.FactorRow, code: str, now: float) -> str:
    """What let somebody in, "totp" or "recovery"; empty when nothing did. Either counts once."""
    if held.totp is not None:
        step = matching_step(_open(conn, account_id, held.totp), code, now)
        if step is not None and rows.use_step(conn, account_id, step):
            return "totp"
    return "recovery" if rows.use_code(conn, account_id, _hashed(code)) else ""


def _proposal(secret: bytes, name: str) -> Proposal:
    totp = TOTP(secret, DIGITS, SHA1(), STEP_SECONDS)  # nosec B303 # noqa: S303  as above
    typed = base64.b32encode(secret).decode()
    return Proposal(
        totp.get_provisioning_uri(name, ISSUER), " ".join(typed[i : i + 4] for i in range(0, len(typed), 4))
    )


def _open(conn: Connection, account_id: int, sealed: bytes) -> bytes:
    return keys(conn).unseal(SECRET.purpose(account_id), sealed)


def _new_codes() -> tuple[str, ...]:
    return tuple(new_recovery_code() for _ in range(RECOVERY_CODES))


def _hashed(code: str) -> str:
    """Of a recovery code however it was typed: with other spaces, hyphens or capitals."""
    letters = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(letters.encode()).hexdigest()


def _account(conn: Connection, account_id: int) -> accounts.AccountRow:
    account = accounts.account_by_id(conn, account_id)
    assert account is not None  # it has a session: only what was off for years is deleted
    return account


def _record(conn: Connection, name: str, action: str, now: float) -> None:
    accounts.record(conn, actor=name, action=action, subject=name, detail={}, now=now)
