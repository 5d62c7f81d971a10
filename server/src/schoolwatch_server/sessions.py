"""Sessions of people, kept on the server: a browser holds a random secret, the database its hash."""

import contextlib
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from schoolwatch_server.access import LIMITED, ROLES, Must, Principal, Proof, as_role
from schoolwatch_server.config import People
from schoolwatch_server.database import people as accounts
from schoolwatch_server.database import sessions as rows
from schoolwatch_server.database.engine import begin_read, begin_write

FIRST_STEP_SECONDS = 300.0
"""How long a right password waits for the second factor."""

TOUCH_EVERY = 60.0
"""Seconds after which it is written down again that somebody is there."""

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Login:
    """An open session: `secret` goes into the cookie and is kept nowhere, `csrf` into every form.

    One that `waits` opens nothing before the second factor was given.
    """

    secret: str
    csrf: str
    language: str
    waits: bool = False


def start(
    conn: Connection,
    account: accounts.AccountRow,
    *,
    address: str,
    now: float,
    terms: People,
    waits: bool = False,
    proof: Proof = "",
) -> Login:
    """A new session of the account."""
    login = Login(secrets.token_urlsafe(32), secrets.token_urlsafe(32), account.language, waits)
    seconds = FIRST_STEP_SECONDS if waits else terms.session_hours * 3600
    rows.add(
        conn,
        hashed(login.secret),
        account_id=account.id,
        csrf=login.csrf,
        address=address,
        now=now,
        expires_at=now + seconds,
        waits=waits,
        proof=proof,
    )
    return login


def person(
    engine: Engine, secret: str, now: float, terms: People | None = None, *, awake: bool = True
) -> Principal | None:
    """Whose session that is, with today's role and scope; None when it has ended or nobody used it for long.

    A page that refreshes by itself is no sign that somebody is there: then `awake` is False.
    """
    terms = terms or People()
    with begin_read(engine) as conn:
        found = rows.find(conn, hashed(secret), now, seen_after=now - terms.idle_minutes * 60)
    if found is None:
        return None
    if awake and now - found.seen_at >= TOUCH_EVERY:
        with contextlib.suppress(DBAPIError), begin_write(engine) as conn:  # on a full disk people read
            rows.touch(conn, hashed(secret), now)
    account = found.account
    role, must = as_role(account.role), what_must(account, now, terms, found.proof)
    allowed = LIMITED if must else ROLES[role]
    return Principal(
        "account",
        account.name,
        allowed,
        account.scope,
        role,
        found.csrf,
        account.id,
        must,
        factor_due(account, terms, found.proof),
        proof=found.proof,
    )


def what_must(account: accounts.AccountRow, now: float, terms: People, proof: Proof = "") -> Must:
    """What this person has to do before anything else."""
    if account.must_change:
        return "password"
    due = factor_due(account, terms, proof)
    return "second_factor" if due is not None and due <= now else ""


def factor_due(account: accounts.AccountRow, terms: People, proof: Proof = "") -> float | None:
    """When the account needs a second factor; None when it has one or its role needs none.

    Nor does a session need one where the provider saw one.
    """
    if account.has_totp or proof == "oidc+factor" or account.role not in terms.second_factor_roles:
        return None
    return account.role_since + terms.second_factor_days * DAY


def log_out(engine: Engine, secret: str, *, by: str, now: float) -> None:
    """Ends the session."""
    with begin_write(engine) as conn:
        rows.end(conn, hashed(secret))
        accounts.record(conn, actor=by, action="logout", subject=by, detail={}, now=now)


def open_of(
    engine: Engine, account_id: int, now: float, terms: People, *, secret: str = ""
) -> Sequence[rows.OpenRow]:
    """The account's open sessions; the one of that secret is marked."""
    after = now - terms.idle_minutes * 60
    with begin_read(engine) as conn:
        return rows.of_account(conn, account_id, now, seen_after=after, this=hashed(secret))


def end_one(engine: Engine, who: Principal, number: str, now: float) -> None:
    """Ends one of one's own sessions; one that is gone already is no fault."""
    assert who.account is not None
    with begin_write(engine) as conn:
        if rows.end_numbered(conn, who.account, number):
            accounts.record(
                conn, actor=who.name, action="session.end", subject=who.name, detail={"sessions": 1}, now=now
            )


def hashed(secret: str) -> str:
    """What the database keeps of a session: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
