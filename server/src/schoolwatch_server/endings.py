"""What people ended, devices, accounts, tokens: the list of it that outlives the database (`lasting.py`).

It is drawn from the audit log. An older copy of the database would let in a revoked device, an ended token or
a former password; by this list they are ended again. It names devices by their random ids, tokens by their
numbers, and accounts by their names.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from schoolwatch_server.audit_chain import Entry

NAME = "audit/endings"
"""Where the list lies in a data folder."""

Kind = Literal["device", "account", "token", "enrolment", "undo"]

RENEWED = "device.rotated"
"""The action after which an older copy knows a device's former key: of 75,000 at a time, it may be."""

ACTIONS: Mapping[Kind, tuple[str, ...]] = {
    "device": ("device.revoke", "device.retire", "device.replace", "device.no_gateway", RENEWED),
    "account": (
        "account.disable",
        "account.idle",
        "account.role",
        "account.password",
        "account.reset_password",
        "account.oidc_link",
        "account.oidc_unlink",
        "factor.on",
        "factor.off",
        "factor.reset",
        "factor.codes",
    ),
    "token": ("token.revoke",),
    "enrolment": ("enrolment.revoke",),
    "undo": ("device.restore", "device.gateway", "account.enable", "account.unlock"),
}
"""Actions of the audit log, by what each ends: after them an older copy lets in too many. Some are undone."""

LOCKED = ("account.disable", "account.idle")
"""Actions that locked an account, and changed nothing else of it."""

PASSWORD = ("account.password", "account.reset_password")
"""Actions after which an older copy knows a former password."""

KINDS: Mapping[str, Kind] = {action: kind for kind, actions in ACTIONS.items() for action in actions}

_UNDONE: Mapping[str, tuple[str, ...]] = {
    "device.restore": ("device.retire", "device.replace"),
    "device.gateway": ("device.no_gateway",),
    "account.enable": LOCKED,
    "account.unlock": LOCKED,
}

LINES_MAX = 50_000
"""Lines of the list, the newest: at 100 a day those of more than a year."""

RENEWED_MAX = 100_000
"""Devices of the list whose key was renewed, beside those lines: the last time of each."""


class Ending(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the audit log: when (UTC seconds), its row and hash there, and what it ended.

    `history` is that of the database (`meta`): another server's lines are about others.
    `number` is a token's; of a school's enrolment tokens, without one, all were ended. `role` is an account's
    new one; `school` that of enrolment tokens, whose code may have been another in an older copy.
    """

    at: float
    row: int
    hash: str
    action: str
    subject: str
    number: int = 0
    history: str = ""
    role: str = ""
    school: int = 0

    @property
    def what(self) -> tuple[int, str, str, str, int]:
        """The line of the log, and what it ended: what nobody may change."""
        return self.row, self.hash, self.action, self.subject, self.number

    @property
    def kind(self) -> Kind | None:
        """What it ends; None when this version doesn't know the action."""
        return KINDS.get(self.action)


def path_in(folder: Path) -> Path:
    """The list of a data folder."""
    return folder / NAME


def lasting_ones(lines: Sequence[Ending]) -> tuple[Ending, ...]:
    """Those of a list, oldest first, that nobody undid later."""
    undone: set[tuple[str, str]] = set()
    kept = []
    for one in reversed(lines):
        undone.update((one.subject, action) for action in _UNDONE.get(one.action, ()))
        if one.kind not in (None, "undo") and (one.subject, one.action) not in undone:
            kept.append(one)
    return tuple(reversed(kept))


def bounded(lines: Iterable[Ending]) -> list[Ending]:
    """Those that the list keeps, the oldest first: renewed keys push nothing else off it."""
    others, renewed = [], {}
    for one in sorted(lines, key=lambda each: each.at):
        if one.action == RENEWED:
            renewed[one.history, one.subject] = one
        else:
            others.append(one)
    last = sorted(renewed.values(), key=lambda each: each.at)[-RENEWED_MAX:]
    return [*others[-LINES_MAX:], *last]


def of(entry: Entry, history: str) -> Ending:
    """The ending that a line of the audit log with one of those actions tells of."""
    subject, number = entry.subject, 0
    if entry.action == "device.replace":
        subject = str(entry.detail.get("replaces", ""))
    if entry.action == "token.revoke":
        number = int(entry.detail.get("number", 0))
    if entry.action == "enrolment.revoke":
        number = int(entry.detail.get("token", 0))
    school = int(entry.detail.get("school", 0)) if entry.action == "enrolment.revoke" else 0
    role = str(entry.detail.get("role", "")) if entry.action == "account.role" else ""
    return Ending(entry.at, entry.id, entry.hash, entry.action, subject, number, history, role, school)
