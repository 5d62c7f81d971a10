"""Takes in what an agent wrote onto a stick: proved as a whole first, then committed as any other report.

Imported again it changes nothing, and what comes over the line later is there already.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from sqlalchemy import Engine

from schoolwatch_contract import bundle, envelope
from schoolwatch_contract import frame as frames
from schoolwatch_contract.ack import Ack
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.topics import topic
from schoolwatch_server.database import arrivals, credentials, hearings, people, registry
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.credentials import Credential
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.registry import DeviceRow
from schoolwatch_server.intake.accept import Message
from schoolwatch_server.intake.batch import take_counted
from schoolwatch_server.scope import EVERYTHING, Scope

BATCH = 400
BATCH_BYTES = 4 << 20
"""Frames, and bytes, of one transaction at most: it bounds memory, and how long intake waits for its turn."""


class BundleError(Exception):
    """A file that is not taken in; `reason` names its words in texts/bundle.toml, `detail` is evidence."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class Proved:
    """What a bundle holds, once it is certain that its device wrote all of it.

    `made_at` is when it was written, `first` and `last` when its reports were taken (None without any): all
    by the device's clock (UTC seconds).
    """

    device: DeviceRow
    made_at: float
    reports: int
    first: float | None
    last: float | None


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of it: reports that are new, that were there already, and that cannot be decoded."""

    new: int
    known: int
    quarantined: int
    forks: int
    acks: dict[str, Ack] = field(repr=False)


def prove(engine: Engine, file: BinaryIO, scope: Scope = EVERYTHING) -> Proved:
    """Reads all of a bundle and changes nothing. Raises `BundleError` for what must not be taken in.

    Devices outside `scope` are not known.
    """
    try:
        reader = bundle.Reader(file.read)
        with begin_read(engine) as conn:
            row = registry.device(conn, reader.head.device, scope)
            credential = credentials.find(conn, [reader.head.device]).get(reader.head.device)
            asked_at = None if credential is None else arrivals.school_of(conn, credential.device_id)
            is_asked = asked_at is not None and registry.school(conn, asked_at, scope) is not None
        if credential is not None and credential.pending and is_asked:
            raise BundleError("pending", reader.head.device)
        return _prove(reader, row, credential)
    except ContractError as error:
        raise BundleError(error.reason, error.detail) from error
    except OSError as error:
        raise BundleError("unreadable", error.strerror or str(error)) from error


def take_in(engine: Engine, file: BinaryIO, proved: Proved, rules: Rules, actor: str) -> Imported:
    """Commits a proved bundle from its first byte, in batches; says in the audit log who brought it.

    Each batch is whole in itself, so an import that was broken off is finished by importing again.
    Raises `BundleError` when the file can no longer be read as it was, and SQLAlchemy's errors.
    """
    now = time.time()
    counts: Counter[tuple[str, str]] = Counter()
    acks: dict[str, Ack] = {}
    for batch in _batches(engine, file, proved.device.device):
        done = take_counted(engine, [_message(proved, one, now) for one in batch], rules)
        counts.update(done.counts)
        acks |= done.acks
    imported = _imported(counts, acks)
    with begin_write(engine) as conn:
        hearings.note_carried(conn, proved.device.id, now)
        detail = {"reports": proved.reports, "new": imported.new, "known": imported.known}
        people.record(
            conn, actor=actor, action="bundle.import", subject=proved.device.device, detail=detail, now=now
        )
    return imported


def _prove(reader: bundle.Reader, row: DeviceRow | None, credential: Credential | None) -> Proved:
    device = reader.head.device
    if row is None or credential is None:
        raise BundleError("unknown_device", device)
    if credential.revoked:
        raise BundleError("revoked", device)
    reports, times = 0, (float("inf"), float("-inf"))
    for frame in reader.frames(credential.frame_key):
        whole = frames.parse(frame)
        if whole.header.device != device:
            raise BundleError("other_device", f"frame {reports + 1} is of {whole.header.device}")
        frames.verify(frame, credential.frame_key)
        reports += 1
        with suppress(ContractError):  # quarantine is for what is proved and cannot be decoded
            taken_at = envelope.decode(whole.body).taken_at
            times = min(times[0], taken_at), max(times[1], taken_at)
    known = times[0] <= times[1]
    return Proved(row, reader.head.made_at, reports, times[0] if known else None, times[1] if known else None)


def _batches(engine: Engine, file: BinaryIO, device: str) -> Iterator[list[bytes]]:
    with begin_read(engine) as conn:
        key = credentials.find(conn, [device])[device].frame_key
    batch: list[bytes] = []
    size = 0
    try:
        file.seek(0)
        for frame in bundle.Reader(file.read).frames(key):
            batch.append(frame)
            size += len(frame)
            if len(batch) == BATCH or size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
    except (ContractError, OSError) as error:
        raise BundleError("changed", str(error)) from error
    if batch:
        yield batch


def _message(proved: Proved, frame: bytes, now: float) -> Message:
    return Message(topic(proved.device.device, "report"), frame, now, made_at=proved.made_at)


def _imported(counts: Counter[tuple[str, str]], acks: dict[str, Ack]) -> Imported:
    quarantined = sum(n for (name, _), n in counts.items() if name == "quarantined")
    return Imported(counts["committed", ""], counts["duplicates", ""], quarantined, counts["forks", ""], acks)
