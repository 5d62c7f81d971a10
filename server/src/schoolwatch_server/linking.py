"""Accounts that an identity of a provider opens: somebody who may change them linked it; it makes none."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from schoolwatch_server import people, sessions
from schoolwatch_server.access import Proof
from schoolwatch_server.attempts import source_of
from schoolwatch_server.config import People
from schoolwatch_server.database import audit
from schoolwatch_server.database import people as rows
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.deeds import Deed, Deeds
from schoolwatch_server.oidc.identity import Identity, is_subject
from schoolwatch_server.people import AccountError
from schoolwatch_server.sessions import Login


@dataclass(frozen=True, slots=True)
class NotLetIn:
    """Why an identity that proved itself opens nothing: no account is linked to it, or that one is closed."""

    why: Literal["unlinked", "closed"]


def log_in(
    engine: Engine, who: Identity, *, address: str, now: float, terms: People, failed: Deeds
) -> Login | NotLetIn:
    """A session of the account that the identity is linked to, as its role and scope are today.

    It waits for the second factor where the account has one and the provider proved none. An account that is
    switched off, idle or resting stays closed. `failed` as in `people.log_in`.
    """
    proof: Proof = "oidc+factor" if who.has_second_factor else "oidc"
    with begin_write(engine) as conn:
        account = rows.account_by_identity(conn, who.issuer, who.subject)
        if account is not None:
            account = people.switched_off_if_idle(conn, account, now, terms)
        if account is None or not people.is_usable(account, now):
            why: Literal["unlinked", "closed"] = "unlinked" if account is None else "closed"
            refused(conn, account.name if account else "", why, address=address, now=now, failed=failed)
            return NotLetIn(why)
        if account.has_totp and proof == "oidc":
            return sessions.start(
                conn, account, address=address, now=now, terms=terms, waits=True, proof=proof
            )
        return people.enter(conn, account, address=address, now=now, terms=terms, proof=proof)


def refused(conn: Connection, name: str, why: str, *, address: str, now: float, failed: Deeds) -> None:
    """A provider's answer let nobody in: in the audit log, or in the count of a row that is there.

    Identities that nobody linked are not kept.
    """
    new = failed.rows(Deed(name, "login.refused", name, f"{source_of(address)} (oidc)"), now)
    more = {"from": address, "factor": "oidc", "why": why}
    audit.record_deeds(conn, new, key="from", now=now, more=more)


def link(conn: Connection, account: rows.AccountRow, issuer: str, subject: str) -> None:
    """From now on that identity opens the account; another one no longer does, and its sessions end.

    Raises `AccountError`.
    """
    if not is_subject(subject):
        raise AccountError("oidc_subject: a provider names somebody by 1 to 255 printable ASCII characters")
    try:
        rows.set_identity(conn, account.id, issuer, subject)
    except IntegrityError as error:
        raise AccountError(
            "oidc_subject: another account is linked to this identity: unlink that first"
        ) from error


def unlink(conn: Connection, account: rows.AccountRow, _now: float) -> None:
    """No identity opens the account any more; its sessions end."""
    rows.set_identity(conn, account.id, None, None)


def link_named(engine: Engine, name: str, issuer: str, subject: str, *, by: str = "command line") -> None:
    """As `link`, of the account of that name. Raises `AccountError`."""

    def do(conn: Connection, account: rows.AccountRow, _now: float) -> None:
        link(conn, account, issuer, subject)

    people.change(engine, name, do, action="account.oidc_link", by=by, detail=named(issuer, subject))


def named(issuer: str, subject: str) -> dict[str, object]:
    """What the audit log says of a link."""
    return {"issuer": issuer, "subject": subject}


def unlink_named(engine: Engine, name: str, *, by: str = "command line") -> None:
    """As `unlink`, of the account of that name. Raises `AccountError`."""
    people.change(engine, name, unlink, action="account.oidc_unlink", by=by)
