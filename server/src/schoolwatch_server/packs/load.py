"""Loads the shipped packs and the folder of overrides, and checks that together they are complete."""

from collections import Counter
from pathlib import Path

from schoolwatch_server import strict_yaml
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.packs.pack import Pack, Packs
from schoolwatch_server.strict_yaml import SheetError

SHIPPED = Path(__file__).parent
"""The folder of the packs that come with the program."""


def load(overrides: Path | None = None) -> Packs:
    """The packs in force: shipped ones, replaced by id by those of `overrides` with a higher version.

    Raises `SheetError` naming the file and what to do.
    """
    chosen = {pack.id: (pack, path) for path, pack in _read(SHIPPED)}
    for path, pack in _read(overrides) if overrides is not None else ():
        known = chosen.get(pack.id)
        if known is not None and pack.version <= known[0].version:
            raise SheetError(
                f"{path}: version: {pack.name} does not replace {known[0].name}: "
                f"write version {known[0].version + 1} or remove the file"
            )
        chosen[pack.id] = (pack, path)
    _check(chosen)
    return Packs(tuple(pack for pack, _ in chosen.values()))


def _read(folder: Path) -> list[tuple[Path, Pack]]:
    return [(path, strict_yaml.read(path, Pack)) for path in strict_yaml.files(folder)]


def _check(chosen: dict[str, tuple[Pack, Path]]) -> None:
    where = {name: path for pack, path in chosen.values() for name in pack.indicators}
    for pack, path in chosen.values():
        _check_pack(pack, path)
    times = Counter(name for pack, _ in chosen.values() for name in pack.indicators)
    for name, count in times.items():
        if count > 1:
            raise SheetError(f"{where[name]}: indicators.{name}: another pack defines it too: remove one")
    missing = sorted({indicator.id for indicator in INDICATORS} - set(times))
    if missing:
        raise SheetError(f"{_last(chosen)}: indicators: {', '.join(missing)} must be defined: add it")
    for name in ("windows", "ipv6_slow"):
        if sum(getattr(pack, name) is not None for pack, _ in chosen.values()) != 1:
            raise SheetError(f"{_last(chosen)}: {name}: exactly one pack has them: add or remove them")


def _check_pack(pack: Pack, path: Path) -> None:
    if not 0 < pack.coverage_floor.value <= 1:
        raise SheetError(f"{path}: coverage_floor.value: write a share above 0 and up to 1 (0.8 is 80 %)")
    by_id = {indicator.id: indicator for indicator in INDICATORS}
    for name, definition in pack.indicators.items():
        if name not in by_id:
            raise SheetError(f"{path}: indicators.{name}: there is no such indicator: remove it")
        if by_id[name].with_threshold and definition.threshold is None:
            raise SheetError(f"{path}: indicators.{name}.threshold: is missing: add it")


def _last(chosen: dict[str, tuple[Pack, Path]]) -> Path:
    return list(chosen.values())[-1][1]
