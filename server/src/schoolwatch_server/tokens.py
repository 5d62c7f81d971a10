"""API tokens: random, shown once, kept only as a hash, with a permission and a scope."""

import hashlib
import secrets
import time
from typing import get_args

from sqlalchemy import Engine

from schoolwatch_server.access import TOKENS, Principal, TokenPermission
from schoolwatch_server.database import api_tokens as rows
from schoolwatch_server.database import people
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.scope import Scope

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
    by: str = "command line",
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
        row = rows.by_hash(conn, hashed(token), now)
    if row is None:
        return None
    if now - (row.used_at or 0.0) >= TOUCH_EVERY:
        with begin_write(engine) as conn:
            rows.touch(conn, row.id, now)
    for permission, allowed in TOKENS.items():
        if permission == row.permission:
            return Principal("token", row.name, allowed, row.scope)
    return None


def hashed(token: str) -> str:
    """What the database keeps of a token: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
