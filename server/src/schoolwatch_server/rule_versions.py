"""Saves a version of a rule: checked as a file is, kept for ever, told in the audit log.

A version acts from a full minute on, at least `LEAD` seconds away: whoever judges has read it by then, and
what was taken before is judged by what held before.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine

from schoolwatch_server import rules, saving
from schoolwatch_server.changes import changes
from schoolwatch_server.database import audit
from schoolwatch_server.database import rules as versions
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.rules import Book, Held, Rule, Stored
from schoolwatch_server.rules.load import check_together, read, shipped
from schoolwatch_server.saved import VersionError, as_bytes, numbered

LEAD = 10.0
LOCAL = 1000
"""Versions of the console begin above it: no later shipped version is called the same."""

RULES_MAX = 100
"""Rules that a department may add to the shipped ones."""

REASON_MAX = 500
"""Characters."""

_TOLD = 40

Reason = Literal[
    "changed_meanwhile",
    "in_past",
    "not_a_time",
    "no_reason",
    "unknown_commune",
    "nowhere",
    "too_many",
    "not_in_force",
    "acts_already",
    "taken",
]
"""Why a version can't be saved; keys of the text file `rules`."""


@dataclass(frozen=True)  # with no slots, so that the book is put together once
class Known:
    """What there is besides the version that somebody types; `stamp` changes when somebody saves another."""

    files: tuple[Held, ...]
    stored: tuple[Stored, ...] = ()
    stamp: int = 0
    communes: Collection[str] | None = None

    @cached_property
    def book(self) -> Book:
        """The rules of all times."""
        return rules.put_together(self.files, self.stored)

    def newest(self, id_: str) -> int:
        """The highest version of a rule there is, wherever it is from; `LOCAL` when none was typed in."""
        here = (one.rule.version for one in self.files if one.rule.id == id_)
        typed = (one.version for one in self.stored if one.name == id_)
        return max((LOCAL, *here, *typed))

    def of(self, id_: str, at: float) -> Held | None:
        """What holds of a rule at an instant."""
        return next((one for one in self.book.held(at) if one.rule.id == id_), None)


def known(engine: Engine, folder: Path, communes: Collection[str] | None = None) -> Known:
    """As it is now; `folder` has the files of overrides, `communes` are all codes (None: not checked)."""
    with begin_read(engine) as conn:
        return Known(rules.of_files(folder), versions.stored(conn), versions.stamp(conn), communes)


def soonest(now: float) -> float:
    """When what is saved now can act: the next full minute that is `LEAD` away, UTC seconds."""
    return math.ceil((now + LEAD) / 60) * 60.0


def check(text: str, valid_from: float, there: Known, path: Path = Path("-")) -> Held:
    """The version that the text becomes, with the next number of its rule.

    `path` is what errors call it. Raises `SheetError` (its `where` is the field) or `VersionError`.
    """
    held = read(as_bytes(numbered(text, 1)), path, "console", valid_from)
    number = there.newest(held.rule.id) + 1
    one = Stored(held.rule.id, number, valid_from, "", 0.0, "")
    held = read(as_bytes(numbered(text, number)), one.path, "console", valid_from)
    rule = held.rule
    files = {of.rule.id for of in there.files}
    own = {of.name for of in there.stored} - files
    if rule.id not in files | own and len(own) >= RULES_MAX:
        raise VersionError("too_many", most=str(RULES_MAX))
    if there.communes is not None:
        for code in rule.only.communes:
            if code not in there.communes:
                raise VersionError("unknown_commune", code=code[:40])
    _check_beside(replace(one, text=held.text.decode()), rule, there)
    return held


def _check_beside(one: Stored, rule: Rule, there: Known) -> None:
    """That it fits the rules that it names, as long as the version holds."""
    book = rules.put_together(there.files, (*there.stored, one))
    for start in book.starts:
        in_force = book.at(start)
        if start >= one.valid_from and rule in in_force:
            check_together(in_force, [rule])


def preview(text: str, valid_from: float | None, reason: str, there: Known, now: float) -> Held:
    """As `check`, of all that is saved: `valid_from` None is as soon as can be. Raises as `save`."""
    _reason(reason)
    return check(text, _since(valid_from, now), there)


def save(
    engine: Engine, folder: Path, communes: Collection[str], text: str, valid_from: float | None,
    *, base: int, reason: str, by: str, now: float,
) -> Held:  # fmt: skip
    """Checks and saves a version; `base` is the newest one that its author had seen, `valid_from` None: soon.

    Raises `SheetError` or `VersionError`; then nothing is saved.
    """
    there = known(engine, folder, communes)
    since = _since(valid_from, now)
    held = check(text, since, there)
    rule = held.rule
    if rule.version != base + 1:
        raise VersionError("changed_meanwhile")
    one = Stored(
        rule.id, rule.version, since, held.text.decode(), now, by,
        reason=_reason(reason), shipped=shipped_version(rule.id),
    )  # fmt: skip
    before = there.of(rule.id, since)
    detail: dict[str, object] = {
        "before": before.rule.name if before else "",
        "sha256": held.sha256,
        "changes": [
            [".".join(each.path), each.before or "", each.after or ""]
            for each in changes(before.rule if before else None, rule)[:_TOLD]
        ],
    }
    _add(engine, one, there, "rule.save", detail)
    return held


def end(
    engine: Engine, folder: Path, id_: str, valid_from: float | None, *, reason: str, by: str, now: float
) -> float:
    """Takes what was typed in of a rule out of force; what came with the program holds again. From when on.

    Raises `VersionError`.
    """
    there, since = known(engine, folder), _since(valid_from, now)
    before = there.of(id_, since)
    if before is None or before.origin != "console":
        raise VersionError("not_in_force")
    number = there.newest(id_) + 1
    one = Stored(
        id_, number, since, "", now, by, is_end=True, reason=_reason(reason), shipped=shipped_version(id_)
    )
    _add(engine, one, there, "rule.end", {"before": before.rule.name})
    return since


def take_back(engine: Engine, id_: str, version: int, *, by: str, now: float) -> None:
    """A version that does not act yet never will. Raises `VersionError`."""
    with begin_write(engine) as conn:
        found = next(
            (one for one in versions.stored(conn) if (one.name, one.version) == (id_, version)), None
        )
        if found is None or found.is_back:
            raise VersionError("not_in_force")
        if found.valid_from < now + LEAD:
            raise VersionError("acts_already")
        versions.take_back(conn, id_, version)
        detail = {"version": version, "valid_from": iso(found.valid_from)}
        audit.record(conn, actor=by, action="rule.take_back", subject=id_, detail=detail, now=now)


def shipped_version(id_: str) -> int:
    """Of the rule that comes with this program; 0: none does."""
    return next((one.rule.version for one in shipped() if one.rule.id == id_), 0)


def _add(engine: Engine, one: Stored, there: Known, action: str, detail: dict[str, object]) -> None:
    told = {"version": one.version, "valid_from": iso(one.valid_from), "reason": one.reason, **detail}
    saving.add(
        engine,
        one,
        lambda conn: versions.add(conn, one),
        stamp=versions.stamp,
        seen=there.stamp,
        action=action,
        detail=told,
    )


def _since(wanted: float | None, now: float) -> float:
    since = soonest(now) if wanted is None else wanted
    if since < now + LEAD:
        raise VersionError("in_past")
    return since


def _reason(text: str) -> str:
    reason = " ".join(text.split())
    if not reason:
        raise VersionError("no_reason")
    return reason[:REASON_MAX]


def iso(at: float) -> str:
    """`2026-11-30T00:30:00+00:00`."""
    return datetime.fromtimestamp(at, UTC).isoformat()
