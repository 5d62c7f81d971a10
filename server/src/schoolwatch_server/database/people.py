"""Accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from schoolwatch_server.database import incident_owners, managed
from schoolwatch_server.database.audit import record as record
from schoolwatch_server.database.scopes import inside
from schoolwatch_server.database.tables import account, session
from schoolwatch_server.scope import Level, Scope


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account; times are UTC seconds, `failures` counts wrong passwords since the last good one.

    `active_at` is when it was made, switched on or logged in to last; `has_totp` whether a second factor is
    set up; `must_change` whether somebody else chose its password; `oidc_issuer` and `oidc_subject` the
    provider's identity that opens it.
    """

    id: int
    name: str
    password_hash: str
    role: str
    scope: Scope
    language: str
    created_at: float
    disabled_at: float | None
    failures: int
    locked_until: float | None
    must_change: bool
    role_since: float
    active_at: float
    last_login_at: float | None
    oidc_issuer: str | None
    oidc_subject: str | None
    has_totp: bool


ACCOUNT = (
    account.c.id,
    account.c.name,
    account.c.password_hash,
    account.c.role,
    account.c.scope_level,
    account.c.scope_id,
    account.c.language,
    account.c.created_at,
    account.c.disabled_at,
    account.c.failures,
    account.c.locked_until,
    account.c.must_change,
    account.c.role_since,
    account.c.active_at,
    account.c.last_login_at,
    account.c.oidc_issuer,
    account.c.oidc_subject,
    account.c.totp.is_not(None).label("has_totp"),
)
"""What `account_of` reads."""


def any_account(conn: Connection) -> bool:
    """Whether there is an account at all."""
    return conn.execute(select(account.c.id).limit(1)).first() is not None


def add_account(
    conn: Connection,
    name: str,
    *,
    password_hash: str,
    role: str,
    scope: Scope,
    language: str,
    now: float,
    must_change: bool = False,
) -> int:
    """The new account's id; raises `IntegrityError` when the name is taken."""
    result = conn.execute(
        insert(account)
        .values(
            name=name,
            password_hash=password_hash,
            role=role,
            scope_level=scope.level,
            scope_id=scope.id,
            language=language,
            created_at=now,
            role_since=now,
            active_at=now,
            must_change=must_change,
        )
        .returning(account.c.id)
    )
    return int(result.scalar_one())


def account_by_name(conn: Connection, name: str) -> AccountRow | None:
    """The account of that name, disabled or not."""
    row = conn.execute(select(*ACCOUNT).where(account.c.name == name)).mappings().first()
    return None if row is None else account_of(row)


def account_by_id(conn: Connection, account_id: int) -> AccountRow | None:
    """The account of that number, disabled or not."""
    row = conn.execute(select(*ACCOUNT).where(account.c.id == account_id)).mappings().first()
    return None if row is None else account_of(row)


def account_by_identity(conn: Connection, issuer: str, subject: str) -> AccountRow | None:
    """The account that this identity of a provider is linked to, disabled or not."""
    linked = (account.c.oidc_issuer == issuer) & (account.c.oidc_subject == subject)
    row = conn.execute(select(*ACCOUNT).where(linked)).mappings().first()
    return None if row is None else account_of(row)


def set_identity(conn: Connection, account_id: int, issuer: str | None, subject: str | None) -> None:
    """The identity that opens it, or none; its sessions end.

    Raises `IntegrityError` for another account's identity.
    """
    _set(conn, account_id, oidc_issuer=issuer, oidc_subject=subject)
    end_sessions(conn, account_id)


def names(conn: Connection) -> tuple[str, ...]:
    """Of every account, disabled or not."""
    return tuple(conn.scalars(select(account.c.name)))


def accounts(conn: Connection) -> tuple[AccountRow, ...]:
    """Every account by name, disabled or not."""
    return tuple(map(account_of, conn.execute(select(*ACCOUNT).order_by(account.c.name)).mappings()))


def accounts_within(
    conn: Connection,
    scope: Scope,
    roles: Sequence[str],
    *,
    query: str,
    after: str,
    limit: int,
    of_communes: bool = False,
) -> tuple[AccountRow, ...]:
    """Accounts of these roles whose own scope lies inside that one, by name, from after that name on.

    `of_communes`: of schools those alone that report to their commune.
    """
    c = account.c
    found = select(*ACCOUNT).where(
        c.role.in_(roles), inside(scope, c.scope_level, c.scope_id), c.name > after
    )
    if of_communes:
        found = found.where(or_(c.scope_level != "school", c.scope_id.in_(managed.of_communes())))
    if query:
        found = found.where(func.lower(c.name).contains(query.lower(), autoescape=True))
    return tuple(map(account_of, conn.execute(found.order_by(c.name).limit(limit)).mappings()))


def set_password(conn: Connection, account_id: int, password_hash: str, *, must_change: bool = False) -> None:
    """A new password unlocks the account and ends all its sessions."""
    _set(
        conn,
        account_id,
        password_hash=password_hash,
        failures=0,
        locked_until=None,
        must_change=must_change,
    )
    end_sessions(conn, account_id)


def set_failures(conn: Connection, account_id: int, failures: int, locked_until: float | None) -> None:
    """How many wrong passwords came since the last good one, and until when none is tried."""
    _set(conn, account_id, failures=failures, locked_until=locked_until)


def set_hash(conn: Connection, account_id: int, password_hash: str) -> None:
    """The same password, hashed with today's parameters."""
    _set(conn, account_id, password_hash=password_hash)


def set_login(conn: Connection, account_id: int, now: float) -> None:
    """Somebody has logged in: no wrong passwords or codes are counted any more."""
    _set(
        conn,
        account_id,
        failures=0,
        locked_until=None,
        code_failures=0,
        code_locked_until=None,
        last_login_at=now,
        active_at=now,
    )


def set_language(conn: Connection, account_id: int, language: str) -> None:
    """The language of its pages where a browser has none of its own."""
    _set(conn, account_id, language=language)


def set_role(conn: Connection, account_id: int, role: str, scope: Scope, now: float) -> None:
    """Another role or scope ends its sessions; the time to set up a second factor begins anew."""
    _set(conn, account_id, role=role, scope_level=scope.level, scope_id=scope.id, role_since=now)
    end_sessions(conn, account_id)


def switch_off(conn: Connection, account_id: int, now: float) -> None:
    """Nobody gets in with it any more, and its open incidents are somebody else's to take."""
    _set(conn, account_id, disabled_at=now)
    end_sessions(conn, account_id)
    name = conn.scalar(select(account.c.name).where(account.c.id == account_id))
    if name is not None:
        incident_owners.let_go(conn, name, now)


def switch_on(conn: Connection, account_id: int, now: float) -> None:
    """It may be used again, and nothing wrong is counted against it; its idle days begin anew."""
    _set(
        conn,
        account_id,
        disabled_at=None,
        failures=0,
        locked_until=None,
        code_failures=0,
        code_locked_until=None,
        active_at=now,
    )


def idle(conn: Connection, before: float) -> tuple[AccountRow, ...]:
    """Accounts in use that nobody has logged in to since then."""
    query = select(*ACCOUNT).where(account.c.disabled_at.is_(None), account.c.active_at < before)
    return tuple(map(account_of, conn.execute(query.order_by(account.c.id)).mappings()))


def end_sessions(conn: Connection, account_id: int) -> int:
    """Ends all that are open; gives their number."""
    return conn.execute(delete(session).where(session.c.account_id == account_id)).rowcount


def _set(conn: Connection, account_id: int, **values: Any) -> None:
    conn.execute(update(account).where(account.c.id == account_id).values(values))


def account_of(row: Any) -> AccountRow:
    """A row of `ACCOUNT`, by name."""
    values = {name: row[name] for name in AccountRow.__slots__ if name != "scope"}
    level: Level = row["scope_level"]
    return AccountRow(**values, scope=Scope(level, row["scope_id"]))
