"""The packs and rules in force, read again when somebody edits their files."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from schoolwatch_server import lifecycle, packs, rules
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.lifecycle import Systems
from schoolwatch_server.packs import Packs
from schoolwatch_server.rules import Rule
from schoolwatch_server.strict_yaml import SheetError, files

log = logging.getLogger(__name__)

T = TypeVar("T")


class Sheets(Generic[T]):
    """What a folder of overrides makes of the shipped files; a mistake in one keeps what was in force."""

    def __init__(self, folder: Path, load: Callable[[Path], T]) -> None:
        self._folder = folder
        self._load = load
        self._seen = self._stamp()
        self._now = load(folder)

    def now(self) -> T:
        """What is in force; looks at the files' times first."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._now = self._load(self._folder)
                log.info("%s: read again", self._folder)
            except SheetError as error:
                log.warning("%s; what was in force before stays", error)
        return self._now

    def _stamp(self) -> tuple[tuple[str, int, int], ...]:
        stamps = []
        for path in files(self._folder):
            try:
                status = path.stat()
            except FileNotFoundError:  # removed since the folder was read
                continue
            stamps.append((path.name, status.st_mtime_ns, status.st_size))
        return tuple(stamps)


def packs_in_force(config: ServerConfig) -> Sheets[Packs]:
    """The packs, with the overrides of the settings, else of packs/ in the data folder. `SheetError`."""
    return Sheets(Path(config.evaluation.packs or config.folder / "packs"), packs.load)


def rules_in_force(config: ServerConfig) -> Sheets[tuple[Rule, ...]]:
    """The rules, with the overrides of the settings, else of rules/ in the data folder. `SheetError`."""
    return Sheets(Path(config.evaluation.rules or config.folder / "rules"), rules.load)


def lifecycle_in_force(config: ServerConfig) -> Sheets[Systems]:
    """The operating systems' dates, with the overrides of lifecycle/ in the data folder. `SheetError`."""
    return Sheets(config.folder / "lifecycle", lifecycle.load)
