"""Deletes a computer's or a school's data on request: cut off first, then out of the broker and the database.

What remains is one line of the audit log a device or school: who had it deleted, when, why, and how many rows
of which table, without what was in them. Backups from before hold the data until they have had their time;
whoever restores one has it deleted again (`deletions.py`).
"""

import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine

from schoolwatch_contract.topics import Leaf, topic
from schoolwatch_server import deletions, lasting
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import audit, credentials, deleted, erasure, registry
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.deletions import Deletion
from schoolwatch_server.intake.mqtt import Login, Lost, Session
from schoolwatch_server.lasting import LastingError
from schoolwatch_server.scope import EVERYTHING

RETAINED: tuple[Leaf, ...] = ("ack", "settings")
"""Topics of a device of which the broker keeps the last message."""

REASON_MIN, REASON_MAX = 5, 200
"""Characters of the reason of a deletion."""

SETTLED = 1.0
"""Seconds after which intake has committed whatever it took in before a device was cut off."""

_CONFIRM_SECONDS = 30.0
_DEVICE = re.compile(r"[0-9a-f]{32}")

Clear = Callable[[Sequence[str]], None]


class ErasureError(Exception):
    """Nothing was deleted; the text says why and what to do."""


class BrokerError(ErasureError):
    """The broker, which keeps messages of the devices, can't be reached; they are cut off already."""


def delete_device(
    engine: Engine, folder: Path, device: str, reason: str, clear: Clear, *, by: str, wait: float = SETTLED
) -> Counter[str]:
    """Deletes all of a device; how many rows of which table. Raises `ErasureError`.

    `folder` is the data folder, where the list of deletions is.
    """
    reason = _reason(reason)
    if not _DEVICE.fullmatch(device):
        raise ErasureError(f"{device[:40]!r} is no id of a device: 32 hex digits, as its page shows them")
    with begin_read(engine) as conn:
        if erasure.id_of(conn, device) is None:
            raise ErasureError(f"there is no device {device}: was it deleted before? the audit log says so")
    _cut_off(engine, [device], clear, wait)
    return _device(engine, _listed(folder), device, reason, by)


def delete_school(
    engine: Engine, folder: Path, code: str, reason: str, clear: Clear, *, by: str, wait: float = SETTLED
) -> Counter[str]:
    """Deletes all devices of a school and what is its own. Raises `ErasureError`.

    Device by device, each whole in itself: after a break, run again, it goes on.
    """
    reason = _reason(reason)
    with begin_read(engine) as conn:
        row = registry.school_by_code(conn, code, EVERYTHING)
        if row is None:
            raise ErasureError(f"there is no school {code[:40]!r}: see `school list`")
        devices = erasure.devices_of_school(conn, row.id)
    listed = _listed(folder)
    _cut_off(engine, devices, clear, wait)
    gone: Counter[str] = Counter()
    for device in devices:
        gone += _device(engine, listed, device, reason, by)
    now = time.time()
    with _whole(engine) as conn:
        own = erasure.school(conn, row.id, now)
        detail = {"reason": reason, "devices": len(devices), "rows": dict(sorted((gone + own).items()))}
        audit.record(conn, actor=by, action="school.delete", subject=code, detail=detail, now=now)
        deleted.note(conn, listed, now, school=row.id)
    return gone + own


def broker(config: ServerConfig) -> Clear:
    """Takes away what the broker keeps for devices. Raises `BrokerError` when it can't be reached."""

    def clear(devices: Sequence[str]) -> None:
        try:
            own = Login.of(config)
            secret = hashlib.sha256(f"client id {own.password}".encode()).hexdigest()[:16]
            session = Session(own, f"schoolwatch-erasure-{secret}", clean=True)
            try:
                for device in devices:
                    for leaf in RETAINED:
                        session.publish_retained(topic(device, leaf), b"")
                session.confirm(_CONFIRM_SECONDS)
            finally:
                session.close()
        except (Lost, OSError) as error:
            raise BrokerError(
                f"the broker keeps messages of the devices and can't be reached ({error}): they are cut off,"
                " and nothing is deleted yet; start the server and run this again"
            ) from error

    return clear


def _cut_off(engine: Engine, devices: Sequence[str], clear: Clear, wait: float) -> None:
    """First nothing new comes in, then the broker forgets; the rows are deleted last."""
    now = time.time()
    with begin_write(engine) as conn:
        for device in devices:
            id_ = erasure.id_of(conn, device)
            if id_ is not None:
                credentials.revoke(conn, id_, now)
    if devices:
        time.sleep(wait)
        clear(devices)


def _device(engine: Engine, listed: Path, device: str, reason: str, by: str) -> Counter[str]:
    now = time.time()
    with _whole(engine) as conn:
        id_ = erasure.id_of(conn, device)
        if id_ is None:
            return Counter()
        gone = erasure.device(conn, id_, device)
        detail = {"reason": reason, "rows": dict(sorted(gone.items()))}
        audit.record(conn, actor=by, action="device.delete", subject=device, detail=detail, now=now)
        deleted.note(conn, listed, now, device=device)
    return gone


@contextmanager
def _whole(engine: Engine) -> Iterator[Connection]:
    """Deleted and on the list, or neither."""
    try:
        with begin_write(engine) as conn:
            yield conn
    except LastingError as error:
        raise ErasureError(str(error)) from error


def _listed(folder: Path) -> Path:
    """The list of deletions, which can be read. Before anything is cut off."""
    path = deletions.path_in(folder)
    try:
        lasting.read(path, Deletion)
    except LastingError as error:
        raise ErasureError(str(error)) from error
    return path


def is_reason(text: str) -> bool:
    """Whether it can stand in the audit log as the reason of a deletion."""
    return REASON_MIN <= len(_plain(text)) <= REASON_MAX


def _reason(text: str) -> str:
    if not is_reason(text):
        raise ErasureError(f"say why, in {REASON_MIN} to {REASON_MAX} characters: it stays in the audit log")
    return _plain(text)


def _plain(text: str) -> str:
    return " ".join(text.split())
