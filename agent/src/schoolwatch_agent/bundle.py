"""Writes what the spool holds into one signed file, for a stick that is carried to the server.

It works beside a running agent, and takes nothing out of the spool: only the server's acknowledgement does.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from schoolwatch_agent import clocks, held, spool_file
from schoolwatch_agent.clocks import Moment
from schoolwatch_agent.held import Held
from schoolwatch_agent.identity import Credential
from schoolwatch_contract import bundle, envelope, frame
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.records import EARLIEST, LATEST, possible

_STEP = 200
_LAST = "SELECT max(id) FROM envelope WHERE ? OR acked_at IS NULL"
_NEXT = "e.id > ? AND e.id <= ? AND (? OR e.acked_at IS NULL) ORDER BY e.id LIMIT ?"


class BundleError(Exception):
    """The file cannot be written; `key` names the words for it in texts/cli.toml."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key, values)
        self.key, self.values = key, values


@dataclass(frozen=True, slots=True)
class Written:
    """The file, how many reports and bytes are in it, and when the first and last was taken (UTC seconds)."""

    file: Path
    reports: int
    size: int
    first: float
    last: float


def write(
    spool: Path, out: Path | None, credential: Credential, moment: Moment, *, everything: bool
) -> Written | None:
    """Writes what waits for the server, or `everything` that is held; None when there is nothing.

    `out` is the file, or a folder for a file named after device and time; none is the current folder.
    Raises `BundleError`, `SpoolError`.
    """
    now = moment.now
    if not spool.exists():
        return None
    with closing(spool_file.connect(spool)) as db:
        file = _target(out, credential, now)
        last = _begin(db, spool, now, everything=everything)
        if last is None:
            return None
        part = file.with_name(f"{file.name}.part")
        try:
            with _opened(part) as stream:
                waiting = _held(db, spool, last, moment, everything=everything)
                times = _pack(stream, waiting, credential, now)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(file)
            size = file.stat().st_size
        except OSError as error:
            raise BundleError("bundle_unwritten", file=file, problem=error.strerror or error) from error
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
    return Written(file, times.reports, size, times.first, times.last)


@dataclass(slots=True)
class _Times:
    """How many reports were packed, and when the first and the last of them was taken."""

    first: float
    last: float
    reports: int = 0

    def count(self, body: bytes) -> None:
        self.reports += 1
        with suppress(ContractError):  # it goes along all the same: the server keeps it in quarantine
            taken_at = envelope.decode(body).taken_at
            self.first, self.last = min(self.first, taken_at), max(self.last, taken_at)


def _pack(stream: BinaryIO, waiting: Iterable[Held], credential: Credential, now: float) -> _Times:
    made_at, key = possible(now), bytes.fromhex(credential.key)
    writer = bundle.Writer(stream.write, bundle.Head(credential.device, made_at), key)
    times = _Times(LATEST, EARLIEST)
    for one in waiting:
        header = frame.Header(credential.device, one.spool, one.seq, one.floor, one.sent_at, one.clock)
        writer.add(frame.seal(header, one.body, key))
        times.count(one.body)
    writer.end()
    return times if times.first <= times.last else _Times(made_at, made_at, times.reports)


def _begin(db: sqlite3.Connection, spool: Path, now: float, *, everything: bool) -> int | None:
    """The last row to carry; None when there is none. Everything up to it is noted as sent.

    That comes before the first byte leaves: only what was sent can be what the server acknowledges.
    """
    with spool_file.translated(spool), spool_file.transaction(db):
        last: int | None = db.execute(_LAST, (everything,)).fetchone()[0]
        db.execute("UPDATE envelope SET sent = 1 WHERE sent = 0 AND id <= ?", (last,))
        if last is not None:
            spool_file.set_note(db, "bundled_at", now)  # from now on there may be an answer to hear
    return last


def _held(
    db: sqlite3.Connection, spool: Path, last: int, moment: Moment, *, everything: bool
) -> Iterator[Held]:
    """What is held, oldest first."""
    after = 0
    with spool_file.translated(spool):
        known = clocks.Clocks.read(db, moment.boot, moment.now, moment.up)
    while True:
        with spool_file.translated(spool):
            some = held.read(db, known, _NEXT, (after, last, everything, _STEP))
        yield from some
        if len(some) < _STEP:
            return
        after = some[-1].id


def _target(out: Path | None, credential: Credential, now: float) -> Path:
    folder = out or Path()
    if folder.is_dir():
        at = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
        out = folder / f"schoolwatch-{credential.device[:8]}-{at}{bundle.SUFFIX}"
    file = out or folder
    if file.exists():  # it may hold what the spool has not any more
        raise BundleError("bundle_exists", file=file)
    return file


def _opened(part: Path) -> BinaryIO:
    opened = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    return os.fdopen(opened, "wb")
