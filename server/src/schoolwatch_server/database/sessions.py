"""Open sessions; one that waits for its second factor opens nothing yet."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from schoolwatch_server.access import Proof
from schoolwatch_server.database.people import ACCOUNT, AccountRow, account_of
from schoolwatch_server.database.tables import account, session


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session that has not ended, with the account it belongs to; times are UTC seconds."""

    account: AccountRow
    csrf: str
    seen_at: float
    proof: Proof


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A session as its owner sees it; `number` stands for it in a form and opens nothing."""

    number: str
    created_at: float
    seen_at: float
    address: str
    is_this: bool


NUMBER = 16
"""Digits of the hash that name a session."""


def add(
    conn: Connection,
    hashed: str,
    *,
    account_id: int,
    csrf: str,
    address: str,
    now: float,
    expires_at: float,
    waits: bool = False,
    proof: Proof = "",
) -> None:
    """Opens a session, and forgets those of everybody that have expired."""
    conn.execute(delete(session).where(session.c.expires_at <= now))
    conn.execute(
        insert(session).values(
            hash=hashed,
            account_id=account_id,
            csrf=csrf,
            created_at=now,
            expires_at=expires_at,
            seen_at=now,
            address=address[:64],
            waits=waits,
            proof=proof,
        )
    )


def find(
    conn: Connection, hashed: str, now: float, *, seen_after: float = 0.0, waits: bool = False
) -> SessionRow | None:
    """The open session of an enabled account that was seen after that moment."""
    query = (
        select(session.c.csrf, session.c.seen_at, session.c.proof, *ACCOUNT)
        .join(account, account.c.id == session.c.account_id)
        .where(
            session.c.hash == hashed,
            session.c.waits == waits,
            session.c.expires_at > now,
            session.c.seen_at > seen_after,
            account.c.disabled_at.is_(None),
        )
    )
    row = conn.execute(query).mappings().first()
    return None if row is None else SessionRow(account_of(row), row["csrf"], row["seen_at"], row["proof"])


def touch(conn: Connection, hashed: str, now: float) -> None:
    """Somebody is there."""
    conn.execute(update(session).where(session.c.hash == hashed).values(seen_at=now))


def end(conn: Connection, hashed: str) -> None:
    """Logs out."""
    conn.execute(delete(session).where(session.c.hash == hashed))


def of_account(
    conn: Connection, account_id: int, now: float, *, seen_after: float, this: str = ""
) -> tuple[OpenRow, ...]:
    """The account's open sessions, the last seen first; `this` is the hash of the one that asks."""
    query = (
        select(session)
        .where(
            session.c.account_id == account_id,
            session.c.waits.is_(False),
            session.c.expires_at > now,
            session.c.seen_at > seen_after,
        )
        .order_by(session.c.seen_at.desc(), session.c.hash)
    )
    return tuple(
        OpenRow(row.hash[:NUMBER], row.created_at, row.seen_at, row.address, row.hash == this)
        for row in conn.execute(query)
    )


def end_numbered(conn: Connection, account_id: int, number: str) -> bool:
    """Ends one of the account's sessions; False when there is none of that number."""
    mine = select(session.c.hash).where(session.c.account_id == account_id)
    held = [hashed for hashed in conn.scalars(mine) if hashed[:NUMBER] == number]
    return bool(held) and conn.execute(delete(session).where(session.c.hash.in_(held))).rowcount > 0
