"""What people ended, devices, accounts, tokens: the list of it that outlives the database (`lasting.py`).

It is drawn from the audit log. An older copy of the database would let in a revoked device, an ended token or
a former password; by this list they are ended again. It names devices by their random ids, tokens by their
numbers, and accounts by their names.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from schoolwatch_server.audit_chain import Entry

NAME = "audit/endings"
"""Where the list lies in a data folder."""

Kind = Literal["device", "account", "token", "enrolment"]

ACTIONS: Mapping[Kind, tuple[str, ...]] = {
    "device": ("device.revoke", "device.retire", "device.replace"),
    "account": (
        "account.disable",
        "account.idle",
        "account.role",
        "account.password",
        "account.reset_password",
        "account.oidc_unlink",
        "factor.on",
        "factor.codes",
    ),
    "token": ("token.revoke",),
    "enrolment": ("enrolment.revoke",),
}
"""Actions of the audit log, by what each ends: after them an older copy lets in too many."""

KINDS: Mapping[str, Kind] = {action: kind for kind, actions in ACTIONS.items() for action in actions}

KEPT = 400 * 86400.0
"""Seconds that an ending stays on the list: longer than the copies of a year."""


class Ending(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the audit log: when (UTC seconds), its row and hash there, and what it ended.

    `number` is a token's; of a school's enrolment tokens, without one, all were ended.
    """

    at: float
    row: int
    hash: str
    action: str
    subject: str
    number: int = 0

    @property
    def kind(self) -> Kind | None:
        """What it ends; None when this version doesn't know the action."""
        return KINDS.get(self.action)


def path_in(folder: Path) -> Path:
    """The list of a data folder."""
    return folder / NAME


def of(entry: Entry) -> Ending:
    """The ending that a line of the audit log with one of those actions tells of."""
    subject, number = entry.subject, 0
    if entry.action == "device.replace":
        subject = str(entry.detail.get("replaces", ""))
    if entry.action == "token.revoke":
        number = int(entry.detail.get("number", 0))
    if entry.action == "enrolment.revoke":
        number = int(entry.detail.get("token", 0))
    return Ending(entry.at, entry.id, entry.hash, entry.action, subject, number)
