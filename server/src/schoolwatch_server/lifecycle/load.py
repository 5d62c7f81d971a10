"""Loads the shipped tables and the folder of overrides."""

from functools import cache
from pathlib import Path

from schoolwatch_server import strict_yaml
from schoolwatch_server.lifecycle.table import Systems, Table
from schoolwatch_server.strict_yaml import SheetError

SHIPPED = Path(__file__).parent
"""The folder of the tables that come with the program."""


def load(overrides: Path | None = None) -> Systems:
    """The systems of all tables: shipped ones, replaced by id by those of `overrides` with a higher version.

    Raises `SheetError` naming the file and what to do.
    """
    chosen = {table.id: table for table in _shipped()}
    for path, table in _read(overrides) if overrides is not None else ():
        known = chosen.get(table.id)
        if known is not None and table.version <= known.version:
            raise SheetError(
                f"{path}: version: {table.id}@{table.version} does not replace {known.id}@{known.version}: "
                f"write version {known.version + 1} or remove the file"
            )
        chosen[table.id] = table
    return tuple(system for table in chosen.values() for system in table.systems)


@cache
def _shipped() -> tuple[Table, ...]:
    return tuple(table for _, table in _read(SHIPPED))


def _read(folder: Path) -> list[tuple[Path, Table]]:
    tables = [(path, strict_yaml.read(path, Table)) for path in strict_yaml.files(folder)]
    for path, table in tables:
        seen = set()
        for system in table.systems:
            for edition in system.editions or ("",):
                key = (system.name, system.release, edition)
                if key in seen:
                    raise SheetError(f"{path}: systems: {' '.join(key).strip()} is there twice: remove one")
                seen.add(key)
    return tables
