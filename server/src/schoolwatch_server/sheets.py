"""The packs and rules in force, read again when somebody edits their files or saves a version."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from schoolwatch_server import lifecycle, packs, rules
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import packs as kept_packs
from schoolwatch_server.database import rules as kept_rules
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.lifecycle import Systems
from schoolwatch_server.packs import Local, Packs
from schoolwatch_server.rules import Book
from schoolwatch_server.strict_yaml import SheetError, files
from schoolwatch_server.vietnam import day_of

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_EVERY = 1.0
"""Seconds between two looks for a new version of a pack."""


class Sheets(Generic[T]):
    """What a folder of overrides makes of the shipped files; a mistake in one keeps what was in force."""

    def __init__(self, folder: Path, load: Callable[[Path], T]) -> None:
        self._folder = folder
        self._load = load
        self._seen = _stamps(folder)
        self._now = load(folder)

    def now(self) -> T:
        """What is in force; looks at the files' times first."""
        stamp = _stamps(self._folder)
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._now = self._load(self._folder)
                log.info("%s: read again", self._folder)
            except SheetError as error:
                log.warning("%s; what was in force before stays", error)
        return self._now


class Faulty(Protocol):
    """What says which saved versions in it can't be used."""

    @property
    def faults(self) -> tuple[str, ...]: ...  # noqa: D102  see `Faulty`


F = TypeVar("F", bound=Faulty)
V = TypeVar("V")


class Versions(Generic[F, V]):
    """What is in force of shipped files, files of overrides and versions of the console."""

    def __init__(
        self, folder: Path, engine: Engine | None, kept: "Kept[V]", load: Callable[[Sequence[V]], F]
    ) -> None:
        """`load` makes what is in force of the saved versions; it is asked anew each day in Vietnam, too."""
        self.folder = folder
        self._kept = kept
        self._read = load
        self._engine = engine
        self._looking = threading.Lock()
        self._looked = time.monotonic()
        self._seen = self._stamp()
        self._now = self._load()

    def now(self) -> F:
        """What is in force; at most one thread at a time looks for something new, the others go on.

        So somebody who already holds a connection waits for no second one behind many like himself.
        """
        if time.monotonic() - self._looked >= LOOK_EVERY and self._looking.acquire(blocking=False):
            try:
                self.look()
            except SQLAlchemyError as error:
                log.warning("versions of %s can't be read: %s", self._kept.called, error)
            finally:
                self._looking.release()
        return self._now

    def look(self) -> None:
        """Looks for new versions, edited files, and whether another day has begun."""
        self._looked = time.monotonic()
        stamp = self._stamp()
        if stamp == self._seen:
            return
        try:
            self._now = self._load()
            log.info("%s: read again", self._kept.called)
            for fault in self._now.faults:
                log.error("%s; what held before it is in force", fault)
        except SheetError as error:
            log.warning("%s; what was in force before stays", error)
        self._seen = stamp  # not before: a database that is away in between is asked once more

    def _load(self) -> F:
        if self._engine is None:
            return self._read(())
        with begin_read(self._engine) as conn:
            stored = self._kept.stored(conn)
        return self._read(stored)

    def _stamp(self) -> tuple[object, ...]:
        newest = 0
        if self._engine is not None:
            with begin_read(self._engine) as conn:
                newest = self._kept.stamp(conn)
        return (today(), newest, _stamps(self.folder))


@dataclass(frozen=True, slots=True)
class Kept(Generic[V]):
    """Where versions are kept; `stamp` changes when there is another one."""

    called: str
    stamp: Callable[[Connection], int]
    stored: Callable[[Connection], Sequence[V]]


PackSheets = Versions[Packs, packs.Stored]
RuleSheets = Versions[Book, rules.Stored]


def today(now: float | None = None) -> date:
    """The day that it is in Vietnam."""
    return day_of(time.time() if now is None else now)


def _stamps(folder: Path) -> tuple[tuple[str, int, int], ...]:
    stamps = []
    for path in files(folder):
        try:
            status = path.stat()
        except FileNotFoundError:  # removed since the folder was read
            continue
        stamps.append((path.name, status.st_mtime_ns, status.st_size))
    return tuple(stamps)


def packs_in_force(config: ServerConfig, engine: Engine | None = None) -> PackSheets:
    """The packs, with the overrides of the settings, else of packs/ in the data folder, and those typed in.

    Without an `engine` only files are looked at. `SheetError`.
    """
    folder = folder_of_packs(config)
    kept = Kept("packs", kept_packs.stamp, kept_packs.stored)
    return PackSheets(
        folder,
        engine,
        kept,
        lambda stored: replace(packs.load(folder, stored, today()), local=_local(config)),
    )


def folder_of_packs(config: ServerConfig) -> Path:
    """Where files of overrides lie."""
    return Path(config.evaluation.packs or config.folder / "packs")


def _local(config: ServerConfig) -> Local:
    systems = lifecycle.load(config.folder / "lifecycle")
    return Local(config.antivirus.issued, config.privacy.room_devices, systems)


def rules_in_force(config: ServerConfig, engine: Engine | None = None) -> RuleSheets:
    """The rules, with the overrides of the settings, else of rules/ in the data folder, and those typed in.

    Without an `engine` only files are looked at. `SheetError`.
    """
    folder = folder_of_rules(config)
    kept = Kept("rules", kept_rules.stamp, kept_rules.stored)
    return RuleSheets(folder, engine, kept, lambda stored: rules.put_together(rules.of_files(folder), stored))


def folder_of_rules(config: ServerConfig) -> Path:
    """Where files of overrides lie."""
    return Path(config.evaluation.rules or config.folder / "rules")


def lifecycle_in_force(config: ServerConfig) -> Sheets[Systems]:
    """The operating systems' dates, with the overrides of lifecycle/ in the data folder. `SheetError`."""
    return Sheets(config.folder / "lifecycle", lifecycle.load)
