"""Accounts that one person makes, changes and ends for others: never with more than that person has."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from schoolwatch_server import linking, people, second_factor
from schoolwatch_server.access import GRANTS, SCOPES, Principal, Role, as_role, may_grant
from schoolwatch_server.database import managed, scopes
from schoolwatch_server.database import people as rows
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.passwords import hash_password, new_password
from schoolwatch_server.people import AccountError
from schoolwatch_server.scope import Level, Scope

PAGE = 100
"""Accounts that a page of the list shows."""


class NotGrantableError(AccountError):
    """It would be more than who asks has, or nobody's at all; the text says which."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Accounts in the order of their names, each with its place; `more` says that others follow."""

    accounts: tuple[rows.AccountRow, ...]
    places: Mapping[Scope, scopes.Where]
    more: bool


def grantable(who: Principal) -> tuple[Role, ...]:
    """The roles whose accounts it makes, in the order of the table."""
    granted = GRANTS[who.role] if who.role is not None and "people" in who.permissions else frozenset()
    return tuple(role for role in SCOPES if role in granted)


def listed(engine: Engine, who: Principal, *, query: str = "", role: str = "", after: str = "") -> Listed:
    """The accounts that it may change, by name from `after` on, whose names hold `query`."""
    roles = [known for known in grantable(who) if role in ("", known)]
    with begin_read(engine) as conn:
        found = rows.accounts_within(
            conn,
            who.scope,
            roles,
            query=query,
            after=after,
            limit=PAGE + 1,
            of_communes=who.role == "commune",
        )
        places = scopes.where(conn, {account.scope for account in found})
    return Listed(found[:PAGE], places, len(found) > PAGE)


def found(engine: Engine, who: Principal, account_id: int) -> tuple[rows.AccountRow, scopes.Where] | None:
    """An account that it may change; None for all others, its own too."""
    with begin_read(engine) as conn:
        return _changeable(conn, who, account_id)


def create(engine: Engine, who: Principal, name: str, role: str, code: str) -> tuple[int, str]:
    """A new account's id and its first password. Raises `AccountError`."""
    with begin_read(engine) as conn:
        scope = _scope(conn, who, role, code)
    password = new_password()
    made = people.create_account(
        engine, name, password, role=role, scope=scope, by=who.name, must_change=True
    )
    return made, password


def set_role(engine: Engine, who: Principal, account_id: int, role: str, code: str) -> bool:
    """Another role and place; False when there is no such account. Raises `AccountError`."""
    with begin_read(engine) as conn:
        if _changeable(conn, who, account_id) is None:
            return False
        scope = _scope(conn, who, role, code)

    def do(conn: Connection, account: rows.AccountRow, now: float) -> None:
        rows.set_role(conn, account.id, role, scope, now)

    detail: dict[str, object] = {"role": role, "scope": scope.level, "scope_id": scope.id}
    return _change(engine, who, account_id, do, "account.role", detail)


def reset_password(engine: Engine, who: Principal, account_id: int) -> str | None:
    """A new first password; None when there is no such account."""
    password = new_password()
    hashed = hash_password(password)

    def do(conn: Connection, account: rows.AccountRow, _now: float) -> None:
        rows.set_password(conn, account.id, hashed, must_change=True)

    return password if _change(engine, who, account_id, do, "account.reset_password") else None


def switch_off(engine: Engine, who: Principal, account_id: int) -> bool:
    """Nobody gets in with it; False when there is no such account."""

    def do(conn: Connection, account: rows.AccountRow, now: float) -> None:
        rows.switch_off(conn, account.id, now)

    return _change(engine, who, account_id, do, "account.disable")


def switch_on(engine: Engine, who: Principal, account_id: int) -> bool:
    """It may be used again, with no rest; False when there is no such account."""

    def do(conn: Connection, account: rows.AccountRow, now: float) -> None:
        rows.switch_on(conn, account.id, now)

    return _change(engine, who, account_id, do, "account.enable")


def reset_factor(engine: Engine, who: Principal, account_id: int) -> bool:
    """Takes a lost second factor away; False when there is no such account."""
    return _change(engine, who, account_id, second_factor.drop, "factor.reset")


def link_identity(engine: Engine, who: Principal, account_id: int, issuer: str, subject: str) -> bool:
    """A provider's identity opens it; False when there is no such account. Raises `AccountError`."""

    def do(conn: Connection, account: rows.AccountRow, _now: float) -> None:
        linking.link(conn, account, issuer, subject)

    detail = linking.named(issuer, subject)
    return _change(engine, who, account_id, do, "account.oidc_link", detail)


def unlink_identity(engine: Engine, who: Principal, account_id: int) -> bool:
    """No provider's identity opens it; False when there is no such account."""
    return _change(engine, who, account_id, linking.unlink, "account.oidc_unlink")


def end_sessions(engine: Engine, who: Principal, account_id: int) -> bool:
    """Ends all that are open; False when there is no such account."""

    def do(conn: Connection, account: rows.AccountRow, _now: float) -> None:
        rows.end_sessions(conn, account.id)

    return _change(engine, who, account_id, do, "session.end")


def _change(
    engine: Engine,
    who: Principal,
    account_id: int,
    do: Callable[[Connection, rows.AccountRow, float], None],
    action: str,
    detail: dict[str, object] | None = None,
) -> bool:
    now = time.time()
    with begin_write(engine) as conn:
        held = _changeable(conn, who, account_id)
        if held is None:
            return False
        do(conn, held[0], now)
        rows.record(conn, actor=who.name, action=action, subject=held[0].name, detail=detail or {}, now=now)
    return True


def _changeable(
    conn: Connection, who: Principal, account_id: int
) -> tuple[rows.AccountRow, scopes.Where] | None:
    account = rows.account_by_id(conn, account_id)
    if account is None or account.id == who.account:
        return None
    place = scopes.where(conn, [account.scope]).get(account.scope)
    if place is None or not _may_grant(conn, who, as_role(account.role), account.scope, place):
        return None
    return account, place


def _may_grant(conn: Connection, who: Principal, role: Role, scope: Scope, where: scopes.Where) -> bool:
    """A commune has no say at a school that reports to the department, though it lies in the commune."""
    if who.role == "commune" and scope.level == "school" and not managed.is_by_commune(conn, scope):
        return False
    return may_grant(who, role, scope, where.place)


def _scope(conn: Connection, who: Principal, role: str, code: str) -> Scope:
    """The narrowest place of that code that the role goes with, inside who's own. Raises `AccountError`."""
    if role not in grantable(who):
        raise NotGrantableError("role: your own role makes no accounts of this one")
    known = as_role(role)
    if not code and who.scope.level in SCOPES[known]:
        return who.scope
    narrowest_first: tuple[Level, ...] = ("school", "commune", "province")
    for level in narrowest_first:
        scope = scopes.by_code(conn, level, code)
        if scope and _may_grant(conn, who, known, scope, scopes.where(conn, [scope])[scope]):
            return scope
    raise NotGrantableError("place: no place of yours has this code and goes with the role")
