"""API tokens: the hash, what it may do and where, who issued it, and when it was used last."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, bindparam, insert, or_, select, update

from schoolwatch_server.database.asked import Asked
from schoolwatch_server.database.people import ACCOUNT, AccountRow, account_of
from schoolwatch_server.database.scopes import inside
from schoolwatch_server.database.tables import account, api_token
from schoolwatch_server.scope import Scope


@dataclass(frozen=True, slots=True)
class TokenRow:
    """An API token; times are UTC seconds, `expires_at` None is never."""

    id: int
    name: str
    permission: str
    scope: Scope
    created_at: float
    expires_at: float | None
    issued_by: str
    used_at: float | None


_TOKEN = (
    api_token.c.id,
    api_token.c.name,
    api_token.c.permission,
    api_token.c.scope_level,
    api_token.c.scope_id,
    api_token.c.created_at,
    api_token.c.expires_at,
    api_token.c.issued_by,
    api_token.c.used_at,
)


def add(
    conn: Connection,
    hashed: str,
    *,
    name: str,
    permission: str,
    scope: Scope,
    by: str,
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
            issued_by=by,
        )
    )


def by_hash(conn: Connection, hashed: str, now: float) -> TokenRow | None:
    """The token, unless it has expired or was revoked."""
    rows = _BY_HASH.all(conn, {"hashed": hashed, "now": now})
    return _token(rows[0]) if rows else None


def good(conn: Connection, scope: Scope, now: float) -> tuple[TokenRow, ...]:
    """The tokens inside a scope that are neither expired nor revoked, the newest first."""
    query = select(*_TOKEN).where(_is_good(now), _within(scope)).order_by(api_token.c.id.desc())
    return tuple(map(_token, conn.execute(query)))


def scopes_used(conn: Connection, since: float, now: float) -> tuple[Scope, ...]:
    """Of the good tokens that were used since an instant (UTC seconds), the one used last first."""
    c = api_token.c
    query = (
        select(c.scope_level, c.scope_id).where(_is_good(now), c.used_at >= since).order_by(c.used_at.desc())
    )
    return tuple(dict.fromkeys(Scope(level, place) for level, place in conn.execute(query)))


def issuers(conn: Connection, names: Collection[str]) -> Mapping[str, AccountRow]:
    """The accounts of these names, switched off or not; a name that nobody has is left out."""
    query = select(*ACCOUNT).where(account.c.name.in_(names))
    found = map(account_of, conn.execute(query).mappings())
    return {row.name: row for row in found}


def touch(conn: Connection, token_id: int, now: float) -> None:
    """It was used."""
    conn.execute(update(api_token).where(api_token.c.id == token_id).values(used_at=now))


def revoke(conn: Connection, token_id: int, scope: Scope, now: float) -> str | None:
    """Its name: it speaks for nobody any more; None when no good token inside the scope has the number."""
    mine = (api_token.c.id == token_id) & _is_good(now) & _within(scope)
    change = update(api_token).where(mine).values(revoked_at=now).returning(api_token.c.name)
    name: str | None = conn.scalar(change)
    return name


def _within(scope: Scope) -> ColumnElement[bool]:
    return inside(scope, api_token.c.scope_level, api_token.c.scope_id)


def _is_good(now: float | BindParameter[float]) -> ColumnElement[bool]:
    c = api_token.c
    return c.revoked_at.is_(None) & or_(c.expires_at.is_(None), c.expires_at > now)


_BY_HASH = Asked(select(*_TOKEN).where(api_token.c.hash == bindparam("hashed"), _is_good(bindparam("now"))))
"""Each request asks it."""


def _token(row: Sequence[Any]) -> TokenRow:
    number, name, permission, level, place, created_at, expires_at, issued_by, used_at = row
    return TokenRow(number, name, permission, Scope(level, place), created_at, expires_at, issued_by, used_at)
