"""Looks that the doctor takes at the data folder, the network and the spool, without changing anything."""

import os
import secrets
import socket
import stat
import sys
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from schoolwatch_agent import memory, spool_file
from schoolwatch_agent.memory import Memory
from schoolwatch_agent.spool import Summary, clock_at, summarise
from schoolwatch_agent.tick import SPOOL

TRIAL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Past:
    """What the spool tells of earlier cycles; `heard_at` is when the server last acknowledged (UTC s)."""

    summary: Summary
    memory: Memory
    heard_at: float | None


def past(data: Path, now: float) -> Past | None:
    """Read beside an agent that may be running; None when there is no spool yet. Raises `SpoolError`."""
    path = data / SPOOL
    with spool_file.translated(path):
        if not path.exists():
            return None
        with closing(spool_file.read(path)) as db:
            told, heard = spool_file.note(db, "memory"), spool_file.note(db, "heard_at")
            summary = summarise(db, clock_at(db, now))
    return Past(
        summary,
        memory.decode(told if isinstance(told, bytes) else None),
        heard if isinstance(heard, float) else None,
    )


def folder_problem(data: Path) -> str | None:
    """Why the folder, or the nearest one above it, cannot be written."""
    while not data.exists() and data != data.parent:
        data = data.parent
    trial = data / f".trial.{secrets.token_hex(4)}"
    try:
        trial.write_bytes(bytes(TRIAL_BYTES))  # a full disk takes names, and no content
        trial.unlink()
    except OSError as error:
        with suppress(OSError):
            trial.unlink(missing_ok=True)
        return f"{data}: {error.strerror or error}"
    return None


def is_open_to_others(path: Path) -> bool:
    """Whether somebody else may read the file; on Windows the folder's rights decide."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return sys.platform != "win32" and os.name == "posix" and bool(mode & (stat.S_IRWXG | stat.S_IRWXO))


def name_problem(host: str) -> str | None:
    """Why the name has no address."""
    try:
        socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return str(getattr(error, "strerror", None) or error)
    return None


def port_problem(host: str, port: int, wait: float) -> str | None:
    """Why no connection comes about within `wait` seconds."""
    try:
        socket.create_connection((host, port), timeout=wait).close()
    except OSError as error:
        return error.strerror or str(error)
    return None
