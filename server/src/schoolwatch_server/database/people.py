"""Accounts, their sessions, API tokens, and the audit log of who changed what."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from schoolwatch_server.database.tables import account, api_token, audit, session
from schoolwatch_server.scope import Level, Scope


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account; times are UTC seconds, `failures` counts wrong passwords since the last good one."""

    id: int
    name: str
    password_hash: str
    role: str
    scope: Scope
    language: str
    disabled_at: float | None
    failures: int
    locked_until: float | None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session that has not expired, with the account it belongs to."""

    account: AccountRow
    csrf: str


@dataclass(frozen=True, slots=True)
class TokenRow:
    """An API token that is neither expired nor revoked."""

    name: str
    permission: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One change or login: when, by whom, what, on what."""

    at: float
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


_ACCOUNT = (
    account.c.id,
    account.c.name,
    account.c.password_hash,
    account.c.role,
    account.c.scope_level,
    account.c.scope_id,
    account.c.language,
    account.c.disabled_at,
    account.c.failures,
    account.c.locked_until,
)


def any_account(conn: Connection) -> bool:
    """Whether there is an account at all."""
    return conn.execute(select(account.c.id).limit(1)).first() is not None


def add_account(
    conn: Connection, name: str, *, password_hash: str, role: str, scope: Scope, language: str, now: float
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
        )
        .returning(account.c.id)
    )
    return int(result.scalar_one())


def account_by_name(conn: Connection, name: str) -> AccountRow | None:
    """The account of that name, disabled or not."""
    row = conn.execute(select(*_ACCOUNT).where(account.c.name == name)).mappings().first()
    return None if row is None else _account(row)


def accounts(conn: Connection) -> tuple[AccountRow, ...]:
    """Every account by name, disabled or not."""
    return tuple(map(_account, conn.execute(select(*_ACCOUNT).order_by(account.c.name)).mappings()))


def set_password(conn: Connection, account_id: int, password_hash: str) -> None:
    """A new password unlocks the account and ends all its sessions."""
    conn.execute(
        update(account)
        .where(account.c.id == account_id)
        .values(password_hash=password_hash, failures=0, locked_until=None)
    )
    conn.execute(delete(session).where(session.c.account_id == account_id))


def set_failures(conn: Connection, account_id: int, failures: int, locked_until: float | None) -> None:
    """How many wrong passwords came since the last good one, and until when none is tried."""
    conn.execute(
        update(account).where(account.c.id == account_id).values(failures=failures, locked_until=locked_until)
    )


def set_hash(conn: Connection, account_id: int, password_hash: str) -> None:
    """The same password, hashed with today's parameters."""
    conn.execute(update(account).where(account.c.id == account_id).values(password_hash=password_hash))


def add_session(
    conn: Connection, hashed: str, *, account_id: int, csrf: str, now: float, expires_at: float
) -> None:
    """Opens a session, and forgets those of everybody that have expired."""
    conn.execute(delete(session).where(session.c.expires_at <= now))
    conn.execute(
        insert(session).values(
            hash=hashed, account_id=account_id, csrf=csrf, created_at=now, expires_at=expires_at
        )
    )


def session_by_hash(conn: Connection, hashed: str, now: float) -> SessionRow | None:
    """The open session of an enabled account."""
    query = (
        select(session.c.csrf, *_ACCOUNT)
        .join(account, account.c.id == session.c.account_id)
        .where(session.c.hash == hashed, session.c.expires_at > now, account.c.disabled_at.is_(None))
    )
    row = conn.execute(query).mappings().first()
    return None if row is None else SessionRow(_account(row), row["csrf"])


def end_session(conn: Connection, hashed: str) -> None:
    """Logs out."""
    conn.execute(delete(session).where(session.c.hash == hashed))


def add_token(
    conn: Connection,
    hashed: str,
    *,
    name: str,
    permission: str,
    scope: Scope,
    now: float,
    expires_at: float | None,
) -> None:
    """Keeps the hash of an API token."""
    conn.execute(
        insert(api_token).values(
            hash=hashed,
            name=name,
            permission=permission,
            scope_level=scope.level,
            scope_id=scope.id,
            created_at=now,
            expires_at=expires_at,
        )
    )


def token_by_hash(conn: Connection, hashed: str, now: float) -> TokenRow | None:
    """The token, unless it has expired or was revoked."""
    query = select(
        api_token.c.name, api_token.c.permission, api_token.c.scope_level, api_token.c.scope_id
    ).where(
        api_token.c.hash == hashed,
        api_token.c.revoked_at.is_(None),
        or_(api_token.c.expires_at.is_(None), api_token.c.expires_at > now),
    )
    row = conn.execute(query).first()
    return None if row is None else TokenRow(row.name, row.permission, Scope(row.scope_level, row.scope_id))


def record(
    conn: Connection, *, actor: str, action: str, subject: str, detail: dict[str, Any], now: float
) -> None:
    """One line of the audit log, in the transaction of what it tells of."""
    conn.execute(insert(audit).values(at=now, actor=actor, action=action, subject=subject, detail=detail))


def newest_audit(conn: Connection, limit: int) -> tuple[AuditRow, ...]:
    """The last lines of the audit log, newest first."""
    query = (
        select(audit.c.at, audit.c.actor, audit.c.action, audit.c.subject, audit.c.detail)
        .order_by(audit.c.id.desc())
        .limit(limit)
    )
    return tuple(AuditRow(*row) for row in conn.execute(query))


def _account(row: Any) -> AccountRow:
    level: Level = row["scope_level"]
    return AccountRow(
        row["id"],
        row["name"],
        row["password_hash"],
        row["role"],
        Scope(level, row["scope_id"]),
        row["language"],
        row["disabled_at"],
        row["failures"],
        row["locked_until"],
    )
