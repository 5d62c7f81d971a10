"""People: their accounts, and how they log in."""

import time
from collections.abc import Callable

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from schoolwatch_server import account_names, sessions
from schoolwatch_server.access import SCOPES, Proof, Role, as_role
from schoolwatch_server.config import People
from schoolwatch_server.database import forgetting
from schoolwatch_server.database import people as rows
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.deeds import Deeds
from schoolwatch_server.passwords import (
    PASSWORD_MAX,
    PASSWORD_MIN,
    hash_password,
    is_outdated,
    new_password,
    verify_password,
)
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.sessions import DAY, Login
from schoolwatch_server.wrong_logins import FREE_FAILURES as FREE_FAILURES
from schoolwatch_server.wrong_logins import LOCK_MAX_SECONDS as LOCK_MAX_SECONDS
from schoolwatch_server.wrong_logins import LOCK_SECONDS as LOCK_SECONDS
from schoolwatch_server.wrong_logins import count_failure as count_failure
from schoolwatch_server.wrong_logins import count_wrong_code as count_wrong_code
from schoolwatch_server.wrong_logins import is_usable as is_usable
from schoolwatch_server.wrong_logins import note_failure as note_failure
from schoolwatch_server.wrong_logins import note_refusal


class AccountError(ValueError):
    """An account can't be made or changed; the text says why."""


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
    must_change: bool = False,
) -> int:
    """The new account's id; `must_change`: its first login asks for another password.

    Raises `AccountError` for a name that is taken or the server's own, short password or unknown role.
    """
    at = time.time() if now is None else now
    if wrong := account_names.trouble(name):
        raise AccountError(wrong)
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise AccountError(f"a password has {PASSWORD_MIN} to {PASSWORD_MAX} characters")
    try:
        known: Role = as_role(role)
    except ValueError as error:
        raise AccountError(str(error)) from error
    hashed = hash_password(password)
    try:
        with begin_write(engine) as conn:
            if account_names.alike(name) in map(account_names.alike, rows.names(conn)):
                raise AccountError(f"there is an account {name!r} already, or one that reads like it")
            account_id = rows.add_account(
                conn,
                name,
                password_hash=hashed,
                role=known,
                scope=scope,
                language=language,
                now=at,
                must_change=must_change,
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
    create_account(engine, name, password, role=role, scope=scope, by=by, must_change=True)
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
        create_account(
            engine, "admin", password, role="so_admin", scope=EVERYTHING, by="up", must_change=True
        )
    except AccountError:  # somebody else made it in between
        return None
    return password


def reset_password(engine: Engine, name: str, *, by: str = "command line") -> str:
    """A new random password for an account, to be changed at its first login; all its sessions end.

    Raises `AccountError`.
    """
    password = new_password()
    hashed = hash_password(password)

    def reset(conn: Connection, account: rows.AccountRow, _now: float) -> None:
        rows.set_password(conn, account.id, hashed, must_change=True)

    change(engine, name, reset, action="account.reset_password", by=by)
    return password


def unlock(engine: Engine, name: str, *, by: str = "command line") -> None:
    """Switches an account on again and ends its rests. Raises `AccountError`."""

    def switch_on(conn: Connection, account: rows.AccountRow, now: float) -> None:
        rows.switch_on(conn, account.id, now)

    change(engine, name, switch_on, action="account.unlock", by=by)


def is_disabled(engine: Engine, name: str) -> bool:
    """Whether the account of that name is switched off."""
    with begin_read(engine) as conn:
        account = rows.account_by_name(conn, name)
    return account is not None and account.disabled_at is not None


def change(
    engine: Engine,
    name: str,
    do: Callable[[Connection, rows.AccountRow, float], None],
    *,
    action: str,
    by: str,
    detail: dict[str, object] | None = None,
) -> None:
    """Does something to the account of that name and writes it down. Raises `AccountError`."""
    now = time.time()
    with begin_write(engine) as conn:
        account = rows.account_by_name(conn, name)
        if account is None:
            raise AccountError(f"there is no account {name!r}")
        do(conn, account, now)
        rows.record(conn, actor=by, action=action, subject=name, detail=detail or {}, now=now)


def log_in(
    engine: Engine,
    name: str,
    password: str,
    *,
    address: str,
    now: float,
    terms: People | None = None,
    failed: Deeds | None = None,
) -> Login | None:
    """A session, which waits when the account has a second factor; or None.

    Wrong name, wrong password, disabled, idle or resting account look and last alike. `failed` counts those
    that failed, so that a flood of them is no flood of rows. Raises `BusyError`.
    """
    failed = failed or Deeds()
    terms = terms or People()
    with begin_read(engine) as conn:
        account = rows.account_by_name(conn, name[:80])
    good = verify_password(account.password_hash if account else None, password[:PASSWORD_MAX])
    renewed = None
    if account is not None and good and is_outdated(account.password_hash):
        renewed = hash_password(password)
    with begin_write(engine) as conn:
        # again: while the password was checked, it was perhaps reset, or others failed
        now_held = rows.account_by_name(conn, name[:80])
        if now_held is not None:
            now_held = switched_off_if_idle(conn, now_held, now, terms)
        if account is None or now_held is None or not is_usable(now_held, now):
            note_refusal(conn, now_held, address=address, now=now, failed=failed)
            return None
        if not good or now_held.password_hash != account.password_hash:
            count_failure(conn, now_held, address=address, now=now, failed=failed)
            return None
        if renewed:
            rows.set_hash(conn, account.id, renewed)
        if now_held.has_totp:
            rows.set_failures(conn, account.id, 0, None)
            return sessions.start(conn, now_held, address=address, now=now, terms=terms, waits=True)
        return enter(conn, now_held, address=address, now=now, terms=terms)


def enter(
    conn: Connection,
    account: rows.AccountRow,
    *,
    address: str,
    now: float,
    terms: People,
    factor: str = "",
    proof: Proof = "",
) -> Login:
    """The session of somebody who has proved everything; `factor` says with what besides the password.

    Where no password was, `proof` says what there was in its place.
    """
    rows.set_login(conn, account.id, now)
    second = "provider" if proof == "oidc+factor" else factor
    said = {"factor": "oidc", "second": second} if proof else {"factor": factor}
    detail = {"from": address} | {key: value for key, value in said.items() if value}
    rows.record(conn, actor=account.name, action="login", subject=account.name, detail=detail, now=now)
    return sessions.start(conn, account, address=address, now=now, terms=terms, proof=proof)


def switch_off_idle(engine: Engine, now: float, terms: People) -> int:
    """Switches off every account that nobody logged in to for too long; gives their number."""
    with begin_write(engine) as conn:
        found = rows.idle(conn, now - terms.idle_days * DAY)
        for account in found:
            _switch_off(conn, account, now, terms)
    return len(found)


def switched_off_if_idle(
    conn: Connection, account: rows.AccountRow, now: float, terms: People
) -> rows.AccountRow | None:
    """The account as it is then: off when nobody logged in to it for too long, and the clock is believed."""
    if account.disabled_at is not None or account.active_at >= now - terms.idle_days * DAY:
        return account
    if forgetting.is_doubtful(conn, now):
        return account
    _switch_off(conn, account, now, terms)
    return rows.account_by_id(conn, account.id)


def _switch_off(conn: Connection, account: rows.AccountRow, now: float, terms: People) -> None:
    rows.switch_off(conn, account.id, now)
    detail = {"days": terms.idle_days, "last_login_at": account.last_login_at}
    rows.record(
        conn, actor=account_names.SERVER, action="account.idle", subject=account.name, detail=detail, now=now
    )
