"""Saves a version of a pack: checked with all others on its day, kept for ever, told in the audit log."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine

from schoolwatch_server import packs, saving
from schoolwatch_server.database import packs as versions
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.packs import sheet
from schoolwatch_server.packs.criteria import Criteria
from schoolwatch_server.packs.plan import Plan
from schoolwatch_server.packs.sheet import Held, Stored
from schoolwatch_server.saved import VersionError as VersionError
from schoolwatch_server.saved import as_bytes, numbered
from schoolwatch_server.strict_yaml import SheetError

Reason = Literal[
    "changed_meanwhile",
    "unknown_indicator",
    "unknown_question",
    "unknown_group",
    "level_order",
    "not_a_share",
    "other_way",
    "written_twice",
    "other_kind",
    "not_in_force",
]
"""Why a version can't be saved; keys of the text file `packs`."""


@dataclass(frozen=True, slots=True)
class Known:
    """What there is besides the version that somebody types; `stamp` changes when somebody saves another."""

    folder: Path
    stored: tuple[Stored, ...]
    questions: Collection[str] = frozenset()
    stamp: int = 0

    def newest(self, pack: str) -> int:
        """The highest version of a pack there is, wherever it is from; 0: there is none."""
        held = (*sheet_of(packs.load(self.folder, self.stored), pack), *_shipped(pack))
        saved = (one.version for one in self.stored if one.name == pack)
        return max((*(one.sheet.version for one in held), *saved), default=0)


def known(engine: Engine, folder: Path, questions: Collection[str]) -> Known:
    """As it is now; `folder` has the files of overrides."""
    with begin_read(engine) as conn:
        return Known(folder, versions.stored(conn), frozenset(questions), versions.stamp(conn))


def sheet_of(loaded: packs.Packs, pack: str) -> tuple[Held, ...]:
    """The pack of that id among those in force: one or none."""
    return tuple(one for one in loaded.held if one.sheet.id == pack)[:1]


def path_of(one: Stored) -> Path:
    """What errors call a version: `network@2`."""
    return Path(f"{one.name}@{one.version}")


def check(text: str, valid_from: date, there: Known, path: Path = Path("-")) -> Held:
    """The version that the text becomes, with the next number of its pack.

    `path` is what errors call it. Raises `SheetError` (its `where` is the field) or `VersionError`.
    """
    held = sheet.read(as_bytes(numbered(text, 1)), path, "console", valid_from)
    number = there.newest(held.sheet.id) + 1
    held = sheet.read(
        as_bytes(numbered(text, number)), Path(f"{held.sheet.id}@{number}"), "console", valid_from
    )
    _check_kind(held, there)
    if isinstance(held.sheet, Plan):
        _check_names([item.id for item in held.sheet.items])
        _check_measured(held.sheet, there)
        _check_targets(held.sheet, packs.load(there.folder, there.stored, valid_from))
    elif isinstance(held.sheet, Criteria):
        _check_names([one.code for one in held.sheet.criteria])
        _check_criteria(held.sheet)
    one = Stored(held.sheet.id, number, valid_from, held.text.decode(), 0.0, "")
    before = packs.load(there.folder, there.stored, valid_from).faults
    for fault in packs.load(there.folder, (*there.stored, one), valid_from).faults:
        if fault not in before:
            raise SheetError(fault)
    return held


def save(
    engine: Engine, folder: Path, questions: Collection[str], text: str, valid_from: date,
    *, base: int, by: str, now: float,
) -> Held:  # fmt: skip
    """Checks and saves a version; `base` is the newest one that its author had seen (0: none).

    Raises `SheetError` or `VersionError`; then nothing is saved.
    """
    there = known(engine, folder, questions)
    held = check(text, valid_from, there)
    name, version = held.sheet.id, held.sheet.version
    if version != base + 1:
        raise VersionError("changed_meanwhile")
    detail = {"version": version, "valid_from": valid_from.isoformat(), "sha256": held.sha256}
    one = Stored(name, version, valid_from, held.text.decode(), now, by)
    _add(engine, one, there, "pack.save", detail)
    return held


def end(engine: Engine, folder: Path, pack: str, from_day: date, *, by: str, now: float) -> None:
    """Takes a pack that was typed in out of force from a day on. Raises `VersionError`."""
    there = known(engine, folder, ())
    if not any(one.name == pack and not one.is_end for one in there.stored):
        raise VersionError("not_in_force")
    number = there.newest(pack) + 1
    detail = {"version": number, "valid_from": from_day.isoformat()}
    _add(engine, Stored(pack, number, from_day, "", now, by, is_end=True), there, "pack.end", detail)


def _add(engine: Engine, one: Stored, there: Known, action: str, detail: dict[str, object]) -> None:
    saving.add(
        engine,
        one,
        lambda conn: versions.add(conn, one),
        stamp=versions.stamp,
        seen=there.stamp,
        action=action,
        detail=detail,
    )


def _shipped(pack: str) -> tuple[Held, ...]:
    return tuple(one for one in packs.load().held if one.sheet.id == pack)


def _check_kind(held: Held, there: Known) -> None:
    others = sheet_of(packs.load(there.folder, there.stored), held.sheet.id)
    if others and others[0].kind != held.kind:
        raise VersionError("other_kind", pack=held.sheet.id)


def _check_measured(plan: Plan, there: Known) -> None:
    indicators = {one.id for one in INDICATORS}
    for item in plan.items:
        if item.indicator is not None and item.indicator not in indicators:
            raise VersionError("unknown_indicator", item=item.vi, name=item.indicator)
        if item.question is not None and item.question not in there.questions:
            raise VersionError("unknown_question", item=item.vi, name=item.question)


def _check_targets(plan: Plan, until_then: packs.Packs) -> None:
    """A number must be possible, and be held the way in which its indicator gets better."""
    for item in plan.items:
        if item.target is None:
            continue
        if item.unit == "ratio" and item.target > 1:
            raise VersionError("not_a_share", item=item.vi)
        if item.indicator is None:
            continue
        of_schools = item.unit == "ratio" and item.indicator in _OF_SCHOOLS  # the more schools, the better
        definition = until_then.of(item.indicator).indicators[item.indicator]
        if item.better != ("higher" if of_schools else definition.better):
            raise VersionError("other_way", item=item.vi)


_OF_SCHOOLS = frozenset(one.id for one in INDICATORS if one.counts_schools)


def _check_names(names: list[str]) -> None:
    """Whoever names a target or a criterion must mean one."""
    for name in names:
        if names.count(name) > 1:
            raise VersionError("written_twice", name=name)


def _check_criteria(criteria: Criteria) -> None:
    groups, indicators = {group.code for group in criteria.groups}, {one.id for one in INDICATORS}
    for one in criteria.criteria:
        if one.group not in groups:
            raise VersionError("unknown_group", code=one.code, group=one.group)
        if one.indicator is not None and one.indicator not in indicators:
            raise VersionError("unknown_indicator", item=one.vi, name=one.indicator)
    if criteria.levels is not None and criteria.levels.basic > criteria.levels.good:
        raise VersionError("level_order")
