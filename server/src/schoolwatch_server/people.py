"""People: accounts with argon2id passwords, lockout after wrong ones, and sessions kept on the server.

Parameters of argon2id are argon2-cffi's defaults (RFC 9106's second recommended option: 64 MiB, 3 passes).
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from schoolwatch_server.access import ROLES, Principal, Role, as_role
from schoolwatch_server.database import people as rows
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.scope import EVERYTHING, Level, Scope

SESSION_SECONDS = 12 * 3600.0
"""How long a login lasts: a working day."""

FREE_FAILURES = 5
"""Wrong passwords before the account rests."""

LOCK_SECONDS = 30.0
LOCK_MAX_SECONDS = 900.0
"""The first rest, doubled by each further wrong password, up to the longest one."""

PASSWORD_MIN = 10
PASSWORD_MAX = 200
"""Characters of a password that a person chooses (longer ones would only cost time)."""

_hasher = PasswordHasher()
_hashing = threading.BoundedSemaphore(2)  # each takes 64 MiB: a flood of logins must not take the memory
_waiting = threading.BoundedSemaphore(8)  # nor all the threads that answer requests


class BusyError(Exception):
    """Too many passwords are being checked just now: try again in a few seconds."""


class AccountError(ValueError):
    """An account can't be made or changed; the text says why."""


@dataclass(frozen=True, slots=True)
class Login:
    """An open session: `secret` goes into the cookie and is kept nowhere, `csrf` into every form."""

    secret: str
    csrf: str
    language: str


def hash_password(password: str) -> str:
    """An argon2id hash with its own salt. Raises `BusyError`."""
    with _turn():
        return _hasher.hash(password)


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether the password is the hash's; without a hash it takes as long and is False.

    Raises `BusyError`.
    """
    with _turn():
        try:
            return bool(_hasher.verify(password_hash or _nobody(), password)) and password_hash is not None
        except (Argon2Error, ValueError):  # what is no hash, or no text that has UTF-8
            return False


def create_account(
    engine: Engine,
    name: str,
    password: str,
    *,
    role: str,
    scope: Scope,
    by: str,
    language: str = "vi",
    now: float | None = None,
) -> int:
    """The new account's id. Raises `AccountError` for a taken name, short password or unknown role."""
    at = time.time() if now is None else now
    if not name or len(name) > 80 or not name.isprintable():
        raise AccountError("a name has 1 to 80 printable characters")
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise AccountError(f"a password has {PASSWORD_MIN} to {PASSWORD_MAX} characters")
    try:
        known: Role = as_role(role)
    except ValueError as error:
        raise AccountError(str(error)) from error
    hashed = hash_password(password)
    try:
        with begin_write(engine) as conn:
            account_id = rows.add_account(
                conn, name, password_hash=hashed, role=known, scope=scope, language=language, now=at
            )
            rows.record(
                conn,
                actor=by,
                action="account.create",
                subject=name,
                detail={"role": role, "scope": scope.level, "scope_id": scope.id},
                now=at,
            )
    except IntegrityError as error:
        raise AccountError(f"there is an account {name!r} already") from error
    return account_id


SCOPES: Mapping[Role, tuple[Level, ...]] = {
    "so_admin": ("all", "province"),
    "so_viewer": ("all", "province"),
    "commune": ("commune",),
    "school_head": ("school",),
    "technician": ("school", "commune", "province"),
    "auditor": ("all", "province"),
}
"""What an account of a role is made for; another scope is most likely a slip of the hand."""


def add_person(engine: Engine, name: str, *, role: str, scope: Scope, by: str = "command line") -> str:
    """A new account's first password, random. Raises `AccountError`, also for a scope not of the role."""
    try:
        fitting = SCOPES[as_role(role)]
    except ValueError as error:
        raise AccountError(str(error)) from error
    if scope.level not in fitting:
        options = " or ".join(f"--{level} CODE" for level in fitting if level != "all")
        also = "nothing, or " if "all" in fitting else ""
        raise AccountError(f"the role {role} goes with scope {' or '.join(fitting)}: say {also}{options}")
    password = new_password()
    create_account(engine, name, password, role=role, scope=scope, by=by)
    return password


def everybody(engine: Engine) -> tuple[rows.AccountRow, ...]:
    """Every account, by name."""
    with begin_read(engine) as conn:
        return rows.accounts(conn)


def first_admin(engine: Engine) -> str | None:
    """The password of a new account "admin" that sees and does everything; None when any account exists."""
    with begin_read(engine) as conn:
        if rows.any_account(conn):
            return None
    password = new_password()
    try:
        create_account(engine, "admin", password, role="so_admin", scope=EVERYTHING, by="up")
    except AccountError:  # somebody else made it in between
        return None
    return password


def reset_password(engine: Engine, name: str, *, by: str = "command line") -> str:
    """A new random password for an account, whose sessions all end. Raises `AccountError`."""
    password, now = new_password(), time.time()
    hashed = hash_password(password)
    with begin_write(engine) as conn:
        account = rows.account_by_name(conn, name)
        if account is None:
            raise AccountError(f"there is no account {name!r}")
        rows.set_password(conn, account.id, hashed)
        rows.record(conn, actor=by, action="account.reset_password", subject=name, detail={}, now=now)
    return password


def new_password() -> str:
    """A random password of 100 bits that can be read out on the telephone."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))


def log_in(engine: Engine, name: str, password: str, *, address: str, now: float) -> Login | None:
    """A session, or None: wrong name, wrong password, disabled or resting account look and last alike.

    Raises `BusyError`.
    """
    with begin_read(engine) as conn:
        account = rows.account_by_name(conn, name[:80])
    good = verify_password(account.password_hash if account else None, password[:PASSWORD_MAX])
    renewed = None
    if account is not None and good and _hasher.check_needs_rehash(account.password_hash):
        renewed = hash_password(password)
    with begin_write(engine) as conn:
        # again: while the password was checked, it was perhaps reset, or others failed
        now_held = rows.account_by_name(conn, name[:80])
        if account is None or now_held is None or not _is_usable(now_held, now):
            _refuse(conn, now_held, address=address, now=now)
            return None
        if not good or now_held.password_hash != account.password_hash:
            _count_failure(conn, now_held, address=address, now=now)
            return None
        login = Login(secrets.token_urlsafe(32), secrets.token_urlsafe(32), account.language)
        rows.set_failures(conn, account.id, 0, None)
        if renewed:
            rows.set_hash(conn, account.id, renewed)
        rows.add_session(
            conn,
            _hashed(login.secret),
            account_id=account.id,
            csrf=login.csrf,
            now=now,
            expires_at=now + SESSION_SECONDS,
        )
        rows.record(
            conn, actor=account.name, action="login", subject=account.name, detail={"from": address}, now=now
        )
    return login


def log_out(engine: Engine, secret: str, *, by: str, now: float) -> None:
    """Ends the session."""
    with begin_write(engine) as conn:
        rows.end_session(conn, _hashed(secret))
        rows.record(conn, actor=by, action="logout", subject=by, detail={}, now=now)


def person(engine: Engine, secret: str, now: float) -> Principal | None:
    """Whose session that is, with today's role and scope."""
    with begin_read(engine) as conn:
        found = rows.session_by_hash(conn, _hashed(secret), now)
    if found is None:
        return None
    role = as_role(found.account.role)
    return Principal("account", found.account.name, ROLES[role], found.account.scope, role, found.csrf)


def _is_usable(account: rows.AccountRow, now: float) -> bool:
    return account.disabled_at is None and (account.locked_until or 0.0) <= now


def _count_failure(conn: Connection, account: rows.AccountRow, *, address: str, now: float) -> None:
    failures = account.failures + 1
    over = failures - FREE_FAILURES
    rest = min(LOCK_MAX_SECONDS, LOCK_SECONDS * 2 ** min(over, 10)) if over >= 0 else None
    rows.set_failures(conn, account.id, failures, None if rest is None else now + rest)
    detail = {"from": address, "rest_seconds": rest}
    rows.record(conn, actor=account.name, action="login.failed", subject=account.name, detail=detail, now=now)


def _refuse(conn: Connection, account: rows.AccountRow | None, *, address: str, now: float) -> None:
    """Written down too: it takes as long as a failure that counts, and somebody may be guessing names.

    A name that nobody has is left out: people type passwords into the wrong field.
    """
    name = account.name if account else ""
    rows.record(conn, actor=name, action="login.refused", subject=name, detail={"from": address}, now=now)


@contextmanager
def _turn() -> Iterator[None]:
    if not _waiting.acquire(blocking=False):
        raise BusyError
    try:
        with _hashing:
            yield
    finally:
        _waiting.release()


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))


def warm_up() -> None:
    """Makes the hash that unknown names are checked against, so that the first one is not slower."""
    _nobody()
