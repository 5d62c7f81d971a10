"""What is kept of second factors: a sealed secret, the last step used, and hashes of recovery codes."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from schoolwatch_server.database.tables import account, recovery_code


@dataclass(frozen=True, slots=True)
class FactorRow:
    """Sealed secrets, in use and about to be; `step` is the last one whose code let somebody in."""

    totp: bytes | None
    totp_new: bytes | None
    step: int
    failures: int
    locked_until: float | None


def factor(conn: Connection, account_id: int) -> FactorRow:
    """The account's."""
    c = account.c
    row = conn.execute(
        select(c.totp, c.totp_new, c.totp_step, c.code_failures, c.code_locked_until).where(
            c.id == account_id
        )
    ).one()
    return FactorRow(*row)


def propose(conn: Connection, account_id: int, sealed: bytes) -> None:
    """A new secret, not in use until a code of it was given."""
    conn.execute(update(account).where(account.c.id == account_id).values(totp_new=sealed))


def accept(conn: Connection, account_id: int, step: int, codes: Iterable[str]) -> None:
    """The proposed secret is the account's from now on, with new recovery codes (hashes)."""
    mine = account.c.id == account_id
    conn.execute(
        update(account)
        .where(mine)
        .values(
            totp=account.c.totp_new, totp_new=None, totp_step=step, code_failures=0, code_locked_until=None
        )
    )
    set_codes(conn, account_id, codes)


def drop(conn: Connection, account_id: int) -> None:
    """The account has no second factor, and no recovery codes."""
    conn.execute(
        update(account)
        .where(account.c.id == account_id)
        .values(totp=None, totp_new=None, totp_step=0, code_failures=0, code_locked_until=None)
    )
    set_codes(conn, account_id, ())


def use_step(conn: Connection, account_id: int, step: int) -> bool:
    """Whether the step's code counts: it is newer than every one that counted before (RFC 6238 §5.2)."""
    later = update(account).where(account.c.id == account_id, account.c.totp_step < step)
    return conn.execute(later.values(totp_step=step)).rowcount == 1


def set_codes(conn: Connection, account_id: int, codes: Iterable[str]) -> None:
    """Replaces the recovery codes by these (hashes)."""
    conn.execute(delete(recovery_code).where(recovery_code.c.account_id == account_id))
    rows = [{"account_id": account_id, "hash": hashed} for hashed in codes]
    if rows:
        conn.execute(insert(recovery_code), rows)


def use_code(conn: Connection, account_id: int, hashed: str) -> bool:
    """Whether that recovery code was still there; it no longer is."""
    held = (recovery_code.c.account_id == account_id) & (recovery_code.c.hash == hashed)
    return conn.execute(delete(recovery_code).where(held)).rowcount == 1


def codes_left(conn: Connection, account_id: int) -> int:
    """How many recovery codes have not been used."""
    mine = recovery_code.c.account_id == account_id
    return conn.scalar(select(func.count()).select_from(recovery_code).where(mine)) or 0


def set_failures(conn: Connection, account_id: int, failures: int, locked_until: float | None) -> None:
    """How many wrong codes came since the last login, and until when none is tried."""
    conn.execute(
        update(account)
        .where(account.c.id == account_id)
        .values(code_failures=failures, code_locked_until=locked_until)
    )
