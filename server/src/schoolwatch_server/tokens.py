"""API tokens: random, shown once, kept only as a hash, with a permission and a scope."""

import contextlib
import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from schoolwatch_server.access import ROLES, TOKENS, Place, Principal, TokenPermission, as_role, covers
from schoolwatch_server.account_names import COMMAND_LINE
from schoolwatch_server.database import api_tokens as rows
from schoolwatch_server.database import people, scopes
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.scope import Level, Scope

PREFIX = "sw_"
"""How an API token starts, so that one in a file or a log is recognised."""

DAY = 86400.0
TOUCH_EVERY = 3600.0
"""Seconds after which a use of a token is written down again."""


def issue_token(
    engine: Engine,
    name: str,
    permission: str,
    scope: Scope,
    days: float | None,
    *,
    by: str = COMMAND_LINE,
) -> str:
    """A new token of 256 random bits, valid for so many days (None: until revoked). Raises `ValueError`."""
    if permission not in get_args(TokenPermission):
        raise ValueError(f"{permission!r} is not a permission of a token: {', '.join(TOKENS)}")
    if days is not None and not 0 < days <= 3660:
        raise ValueError("a token is valid for more than 0 and at most 3660 days")
    token, now = PREFIX + secrets.token_urlsafe(32), time.time()
    with begin_write(engine) as conn:
        rows.add(
            conn,
            hashed(token),
            name=name,
            permission=permission,
            scope=scope,
            by=by,
            now=now,
            expires_at=None if days is None else now + days * DAY,
        )
        detail = {"permission": permission, "scope": scope.level, "scope_id": scope.id, "days": days}
        people.record(conn, actor=by, action="token.issue", subject=name, detail=detail, now=now)
    return token


def bearer(engine: Engine, token: str, now: float) -> Principal | None:
    """Whom a token speaks for; None when it is unknown, expired or revoked."""
    if not token.startswith(PREFIX):
        return None
    with begin_read(engine) as conn:
        who, due = spoken_for(conn, token, now)
    if due is not None:
        used(engine, due, now)
    return who


def spoken_for(conn: Connection, token: str, now: float) -> tuple[Principal | None, int | None]:
    """As `bearer`; the token's number where it is time to write down that it was used (`used`)."""
    row = rows.by_hash(conn, hashed(token), now) if token.startswith(PREFIX) else None
    if row is None:
        return None, None
    due = row.id if now - (row.used_at or 0.0) >= TOUCH_EVERY else None
    for permission, allowed in TOKENS.items():
        if permission == row.permission:
            return Principal("token", row.name, allowed, row.scope), due
    return None, due


def used(engine: Engine, number: int, now: float) -> None:
    """Writes down that a token was used, where that is possible: on a full disk people read."""
    with contextlib.suppress(DBAPIError), begin_write(engine) as conn:
        rows.touch(conn, number, now)


Issuer = Literal["", "gone", "off", "less"]
"""What became of the account that issued a token: nothing, deleted, switched off, or it may no longer."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A good token, its place, and what became of who issued it: that person may still hold it."""

    row: rows.TokenRow
    place: scopes.Where | None
    issuer: Issuer = ""


def listed(engine: Engine, who: Principal, now: float) -> tuple[Listed, ...]:
    """The good tokens inside who's scope, the newest first."""
    with begin_read(engine) as conn:
        found = rows.good(conn, who.scope, now)
        places = scopes.where(conn, {row.scope for row in found})
        accounts = rows.issuers(conn, {row.issued_by for row in found})
    return tuple(
        Listed(row, places.get(row.scope), became(row, places.get(row.scope), accounts.get(row.issued_by)))
        for row in found
    )


def became(row: rows.TokenRow, place: scopes.Where | None, account: people.AccountRow | None) -> Issuer:
    """What became of the account that issued a token for that place."""
    if row.issued_by == COMMAND_LINE:
        return ""
    if account is None:
        return "gone"
    if account.disabled_at is not None:
        return "off"
    is_inside = covers(account.scope, Place() if place is None else place.place)
    return "" if is_inside and "tokens" in ROLES[as_role(account.role)] else "less"


def issued_by(engine: Engine, who: Principal, name: str, now: float) -> int:
    """How many good tokens inside who's scope the account of that name issued."""
    with begin_read(engine) as conn:
        return sum(row.issued_by == name for row in rows.good(conn, who.scope, now))


def scope_within(engine: Engine, who: Principal, code: str) -> Scope | None:
    """The narrowest place of that code inside who's scope; the whole of it for no code, None for no place."""
    if not code:
        return who.scope
    narrowest_first: tuple[Level, ...] = ("school", "commune", "province")
    with begin_read(engine) as conn:
        for level in narrowest_first:
            scope = scopes.by_code(conn, level, code)
            if scope and covers(who.scope, scopes.where(conn, [scope])[scope].place):
                return scope
    return None


def revoke(engine: Engine, who: Principal, number: int, now: float) -> bool:
    """Ends a token inside who's scope; False when there is none of that number."""
    with begin_write(engine) as conn:
        name = rows.revoke(conn, number, who.scope, now)
        if name is not None:
            people.record(
                conn, actor=who.name, action="token.revoke", subject=name, detail={"number": number}, now=now
            )
    return name is not None


def hashed(token: str) -> str:
    """What the database keeps of a token: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
