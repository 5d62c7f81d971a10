"""What somebody does with an account of their own: prove the password, and choose another."""

from typing import Literal

from sqlalchemy import Engine

from schoolwatch_server import people
from schoolwatch_server.access import Proof
from schoolwatch_server.config import People
from schoolwatch_server.database import people as rows
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.passwords import PASSWORD_MAX, Weakness, hash_password, verify_password, weakness
from schoolwatch_server.sessions import Login, start

Trouble = Literal["wrong", "same"] | Weakness
"""Why a password was not changed."""


def proves(engine: Engine, account_id: int, password: str, *, address: str, now: float) -> bool:
    """Whether it is the account's password; wrong ones count as at a login. Raises `BusyError`."""
    with begin_read(engine) as conn:
        account = rows.account_by_id(conn, account_id)
    good = verify_password(account.password_hash if account else None, password[:PASSWORD_MAX])
    with begin_write(engine) as conn:
        held = rows.account_by_id(conn, account_id)
        if account is None or held is None or not people.is_usable(held, now):
            return False
        if good and held.password_hash == account.password_hash:
            return True
        people.count_failure(conn, held, address=address, now=now)
        return False


def change_password(
    engine: Engine,
    account_id: int,
    old: str,
    new: str,
    *,
    address: str,
    now: float,
    terms: People,
    proof: Proof = "",
) -> Login | Trouble:
    """A new session in the place of all that were open, or why the password stays as it was.

    `proof` is what opened the session that asks: it holds for the new one.

    Raises `BusyError`.
    """
    if not proves(engine, account_id, old, address=address, now=now):
        return "wrong"
    with begin_read(engine) as conn:
        account = rows.account_by_id(conn, account_id)
    assert account is not None  # it has just proved itself
    weak = weakness(new, account.name)
    if weak is not None or new == old:
        return weak or "same"
    new_hash = hash_password(new)
    with begin_write(engine) as conn:
        rows.set_password(conn, account_id, new_hash)
        rows.record(
            conn, actor=account.name, action="account.password", subject=account.name, detail={}, now=now
        )
        return start(conn, account, address=address, now=now, terms=terms, proof=proof)
