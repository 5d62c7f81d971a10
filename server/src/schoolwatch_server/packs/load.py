"""Puts together what is in force on a day: shipped packs, files of overrides, versions of the console."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import TypeVar

import msgspec

from schoolwatch_server import saved
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.packs import sheet
from schoolwatch_server.packs.criteria import Criteria
from schoolwatch_server.packs.pack import Pack
from schoolwatch_server.packs.packs import Packs
from schoolwatch_server.packs.plan import Plan
from schoolwatch_server.packs.reference import Reference
from schoolwatch_server.packs.sheet import Held, Sheet, Stored
from schoolwatch_server.strict_yaml import SheetError

SHIPPED = Path(__file__).parent
"""The folder of the packs that come with the program."""

_Chosen = dict[str, Held]
_S = TypeVar("_S", bound=Sheet)


def load(overrides: Path | None = None, stored: Sequence[Stored] = (), on: date | None = None) -> Packs:
    """The packs in force on a day.

    A file of `overrides` replaces the shipped pack of its id when its version is higher. A version typed into
    the console that holds on that day replaces both, unless the file's version is higher than its own. A plan
    is in force only from a file or from the console: shipped ones are examples.
    Raises `SheetError` naming the file and what to do; what is stored never stops anything, it is told in
    `faults` when it can't be used.
    """
    chosen = {held.sheet.id: held for held in shipped()}
    for held in sheet.files(overrides, "file") if overrides is not None else ():
        _replace(chosen, held)
    _check(chosen)
    if not stored:
        return _packs(chosen)
    faults: list[str] = []
    typed = _typed(chosen, saved.in_force(stored, on or date.max), faults)
    try:
        _check(typed)
    except SheetError as error:  # a newer program and an older text: the rest goes on without such texts
        faults.append(str(error))
        typed = {
            name: held if held.kind != "indicators" else chosen[name]
            for name, held in typed.items()
            if held.kind != "indicators" or name in chosen
        }
    return _packs(typed, tuple(faults))


@cache
def shipped() -> tuple[Held, ...]:
    """The packs that come with the program and hold from the start; no plan is among them."""
    folders = (SHIPPED, SHIPPED / "criteria", SHIPPED / "references")
    return tuple(held for folder in folders for held in sheet.files(folder, "shipped"))


@cache
def examples() -> tuple[Held, ...]:
    """The plans that come with the program, from which a Sở may make its own; none is in force."""
    return sheet.files(SHIPPED / "plans", "shipped")


def _replace(chosen: _Chosen, held: Held) -> None:
    known = chosen.get(held.sheet.id)
    if known is not None and known.kind != held.kind:
        raise SheetError(f"{held.path}: id: {held.sheet.id} is a pack of another kind: choose another id")
    if known is not None and held.sheet.version <= known.sheet.version:
        raise SheetError(
            f"{held.path}: version: {held.sheet.name} does not replace {known.sheet.name}: "
            f"write version {known.sheet.version + 1} or remove the file"
        )
    chosen[held.sheet.id] = held


def _typed(chosen: _Chosen, holding: dict[str, Stored], faults: list[str]) -> _Chosen:
    """What was chosen with the versions of the console in their places."""
    result = dict(chosen)
    for name, one in holding.items():
        path = Path(f"{name}@{one.version}")
        try:
            held = sheet.read(one.text.encode(), path, "console", one.valid_from)
        except SheetError as error:
            faults.append(str(error))
            continue
        known = result.get(name)
        if known is not None and known.kind != held.kind:
            faults.append(f"{path}: id: {name} is a pack of another kind")
        elif known is None or known.origin != "file" or known.sheet.version <= one.version:
            result[name] = held
    return _completed(result)


def _completed(chosen: _Chosen) -> _Chosen:
    """With the shipped definitions of indicators that no pack defines any more.

    A newer program has indicators that a text typed into the console years ago does not know.
    """
    defined = {
        name for held in chosen.values() if isinstance(held.sheet, Pack) for name in held.sheet.indicators
    }
    result = dict(chosen)
    for held in shipped():
        if isinstance(held.sheet, Pack):
            lost = {name: one for name, one in held.sheet.indicators.items() if name not in defined}
            if lost and chosen[held.sheet.id] is not held:
                rest = msgspec.structs.replace(
                    held.sheet, indicators=lost, windows=None, calendar=None, ipv6_slow=None
                )
                result[f"{held.sheet.id} (shipped)"] = Held(
                    rest, held.kind, held.text, "shipped", None, held.path
                )
    return result


def _packs(chosen: _Chosen, faults: tuple[str, ...] = ()) -> Packs:
    return Packs(
        tuple(_of(chosen, Pack)),
        tuple(_of(chosen, Plan)),
        tuple(_of(chosen, Criteria)),
        tuple(_of(chosen, Reference)),
        tuple(chosen.values()),
        faults,
    )


def _of(chosen: _Chosen, kind: type[_S]) -> Iterator[_S]:
    return (held.sheet for held in chosen.values() if isinstance(held.sheet, kind))


def _check(chosen: _Chosen) -> None:
    packs = [(held.sheet, held.path) for held in chosen.values() if isinstance(held.sheet, Pack)]
    where = {name: path for pack, path in packs for name in pack.indicators}
    for pack, path in packs:
        _check_pack(pack, path)
    times = Counter(name for pack, _ in packs for name in pack.indicators)
    for name, count in times.items():
        if count > 1:
            raise SheetError(f"{where[name]}: indicators.{name}: another pack defines it too: remove one")
    missing = sorted({indicator.id for indicator in INDICATORS} - set(times))
    last = packs[-1][1]
    if missing:
        raise SheetError(f"{last}: indicators: {', '.join(missing)} must be defined: add it")
    for name in ("windows", "calendar", "ipv6_slow"):
        if sum(getattr(pack, name) is not None for pack, _ in packs) != 1:
            raise SheetError(f"{last}: {name}: exactly one pack has them: add or remove them")


def _check_pack(pack: Pack, path: Path | None) -> None:
    if not 0 < pack.coverage_floor.value <= 1:
        raise SheetError(f"{path}: coverage_floor.value: write a share above 0 and up to 1 (0.8 is 80 %)")
    by_id = {indicator.id: indicator for indicator in INDICATORS}
    for name, definition in pack.indicators.items():
        if name not in by_id:
            raise SheetError(f"{path}: indicators.{name}: there is no such indicator: remove it")
        if by_id[name].with_threshold and definition.threshold is None:
            raise SheetError(f"{path}: indicators.{name}.threshold: is missing: add it")
        asked, given = set(by_id[name].numbers), set(definition.numbers)
        for number in sorted(asked - given):
            raise SheetError(f"{path}: indicators.{name}.numbers.{number}: is missing: add it")
        for number in sorted(given - asked):
            raise SheetError(f"{path}: indicators.{name}.numbers.{number}: nothing reads it: remove it")
