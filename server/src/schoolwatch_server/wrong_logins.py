"""Wrong passwords and codes: how they are counted and noted, and how long an account rests after them."""

from sqlalchemy import Connection

from schoolwatch_server.attempts import source_of
from schoolwatch_server.database import audit
from schoolwatch_server.database import people as rows
from schoolwatch_server.database import second_factor as factors
from schoolwatch_server.deeds import Deed, Deeds

FREE_FAILURES = 5
"""Wrong passwords before the account rests; wrong codes of a second factor are counted apart."""

LOCK_SECONDS = 30.0
LOCK_MAX_SECONDS = 900.0
"""The first rest, doubled by each further wrong password, up to the longest one."""


def is_usable(account: rows.AccountRow, now: float) -> bool:
    """Whether a password of it is looked at."""
    return account.disabled_at is None and (account.locked_until or 0.0) <= now


def rest_after(failures: int) -> float | None:
    """Seconds of rest after so many wrong ones; None while they are still free."""
    over = failures - FREE_FAILURES
    return min(LOCK_MAX_SECONDS, LOCK_SECONDS * 2 ** min(over, 10)) if over >= 0 else None


def count_failure(
    conn: Connection,
    account: rows.AccountRow,
    *,
    address: str,
    now: float,
    failed: Deeds | None = None,
) -> None:
    """One more wrong password."""
    failures = account.failures + 1
    rest = rest_after(failures)
    rows.set_failures(conn, account.id, failures, None if rest is None else now + rest)
    note_failure(conn, failed, "login.failed", account.name, address=address, now=now, rest=rest)


def count_wrong_code(
    conn: Connection,
    account: rows.AccountRow,
    failures: int,
    *,
    address: str,
    now: float,
    failed: Deeds | None = None,
) -> None:
    """One more wrong code of the second factor, after so many."""
    rest = rest_after(failures + 1)
    factors.set_failures(conn, account.id, failures + 1, None if rest is None else now + rest)
    note_failure(conn, failed, "login.wrong_code", account.name, address=address, now=now, rest=rest)


def note_failure(
    conn: Connection,
    failed: Deeds | None,
    action: str,
    name: str,
    *,
    address: str,
    now: float,
    rest: float | None = None,
) -> None:
    """In the audit log, or in the count of a row that is there; each rest of an account is a row of its own.

    An IPv6 network of 64 bits counts as one address.
    """
    deed = Deed(name, action, name, address if rest is not None else source_of(address))
    new = [(deed, 0)] if failed is None or rest is not None else failed.rows(deed, now)
    audit.record_deeds(conn, new, key="from", now=now, more={"from": address, "rest_seconds": rest})


def note_refusal(
    conn: Connection, account: rows.AccountRow | None, *, address: str, now: float, failed: Deeds
) -> None:
    """Noted too: it takes as long as a failure that counts, and somebody may be guessing names.

    A name that nobody has is left out: people type passwords into the wrong field.
    """
    name = account.name if account else ""
    note_failure(conn, failed, "login.refused", name, address=address, now=now)
