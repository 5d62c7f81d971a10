"""The hash chain of the audit log: how a row is hashed, and what a reader of all rows finds wrong. Pure.

A row's hash is SHA-256, in hex, of the ASCII text

    ["schoolwatch audit 1",previous,id,at,actor,action,subject,detail]

which is JSON without blanks, with the keys of objects sorted by code point, every character beyond ASCII as
\\uXXXX, and numbers in the shortest form that reads back the same (1.5, 1790000000.0). `previous` is the hash
of the row before, of the very first row 64 zeros. So a row can't be changed, removed, put in or moved without
changing every hash after it; and the last hash is kept outside the database now and then (`Checkpoint`), so
that rewriting the rest, or cutting it off, is found too.

Retention removes the oldest rows and says so in a row of its own (`PRUNED`), which holds the hash of the last
one that went: that is where the chain begins from then on.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

GENESIS = "0" * 64
"""What stands as `previous` in the very first row."""

PRUNED, RESTORED = "audit.prune", "database.restore"
"""Actions that the chain itself knows: old rows were removed in their time; an older copy came back."""

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the audit log: when (UTC seconds), by whom, what, on what, and its place in the chain."""

    id: int
    at: float
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the last row was at an instant (UTC seconds), as it was kept outside the database."""

    at: float
    id: int
    hash: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written; `id` is the row by which it was found."""

    id: int
    text: str


@dataclass(frozen=True, slots=True)
class Verified:
    """How many rows were read, up to which, what is wrong, and what is only to be known."""

    rows: int
    last: int
    hash: str
    wrong: tuple[Finding, ...]
    notes: tuple[Finding, ...]


def chain_hash(
    previous: str, *, id_: int, at: float, actor: str, action: str, subject: str, detail: dict[str, Any]
) -> str:
    """The hash of a row, 64 hex digits; `detail` is what JSON gives back of what was written."""
    fields = ["schoolwatch audit 1", previous, id_, float(at), actor, action, subject, detail]
    return hashlib.sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def hash_of(entry: Entry) -> str:
    """The hash that an entry must have."""
    return chain_hash(
        entry.previous,
        id_=entry.id,
        at=entry.at,
        actor=entry.actor,
        action=entry.action,
        subject=entry.subject,
        detail=entry.detail,
    )


def verify(
    entries: Iterable[Entry], head: tuple[int, str], checkpoints: Sequence[Checkpoint], least_days: float
) -> Verified:
    """Reads the whole log, oldest first; `head` is the id and hash that the database says are the last.

    Rows that retention removed must have been `least_days` old.
    """
    return _Reader(checkpoints, least_days).read(entries, head)


class _Reader:
    def __init__(self, checkpoints: Sequence[Checkpoint], least_days: float) -> None:
        self._least = least_days * DAY
        self._kept: dict[int, list[Checkpoint]] = {}
        for one in checkpoints:
            self._kept.setdefault(one.id, []).append(one)
        self._wrong: list[Finding] = []
        self._anchors: list[Entry] = []
        self._restored: list[Entry] = []
        self._unlike: list[Checkpoint] = []

    def read(self, entries: Iterable[Entry], head: tuple[int, str]) -> Verified:
        first: Entry | None = None
        last: Entry | None = None
        rows = 0
        for entry in entries:
            rows += 1
            self._look(entry, last)
            first, last = first or entry, entry
        id_, hash_ = (last.id, last.hash) if last else (0, GENESIS)
        if (id_, hash_) != head:
            self._wrong.append(
                Finding(
                    id_, f"the log ends with row {id_}, and the database's note of its end is row {head[0]}"
                )
            )
        if first is not None:
            self._beginning(first)
        notes = tuple(self._outside(first.id if first else 1, id_))
        wrong = sorted(self._wrong, key=lambda found: found.id)
        return Verified(rows, id_, hash_, tuple(wrong), notes)

    def _look(self, entry: Entry, before: Entry | None) -> None:
        if entry.hash != hash_of(entry):
            self._wrong.append(Finding(entry.id, f"row {entry.id} is not as it was written"))
        if before is not None and entry.previous != before.hash:
            what = (
                f"row {entry.id} does not follow row {before.id}: rows between them were removed, or one of"
            )
            self._wrong.append(Finding(entry.id, f"{what} the two was put in or moved"))
        self._unlike += [kept for kept in self._kept.get(entry.id, ()) if kept.hash != entry.hash]
        if entry.action == PRUNED:
            self._anchors.append(entry)
        if entry.action == RESTORED:
            self._restored.append(entry)

    def _beginning(self, first: Entry) -> None:
        """What was before the first row: nothing, or what retention says that it removed."""
        for anchor in self._anchors:
            until = anchor.detail.get("until")
            if not isinstance(until, int | float) or until > anchor.at - self._least:
                text = f"row {anchor.id} says that rows were removed which were not old enough for that"
                self._wrong.append(Finding(anchor.id, text))
        said = [anchor.detail.get("hash") for anchor in self._anchors]
        if first.previous != GENESIS and first.previous not in said:
            text = f"rows before {first.id} are gone, and no row says that retention removed them"
            self._wrong.append(Finding(first.id, text))

    def _outside(self, first: int, last: int) -> Iterator[Finding]:
        """Compares with what was kept outside; an older copy that came back explains what is gone since."""
        beyond = [one for id_, kept in self._kept.items() if id_ > last for one in kept]
        for one in sorted((*beyond, *self._unlike), key=lambda kept: (kept.id, kept.at)):
            if one.id < first:
                continue
            back = next((r for r in self._restored if r.id <= one.id and r.at >= one.at), None)
            if back is not None:
                text = f"row {back.id} says that an older copy came back: rows up to {one.id} were lost"
                yield Finding(one.id, text)
                continue
            text = f"row {one.id} had another hash when it was noted outside: it or rows before it changed"
            if one.id > last:
                text = (
                    f"row {one.id} was noted outside the database and is gone: the log ends with row {last}"
                )
            self._wrong.append(Finding(one.id, text))
