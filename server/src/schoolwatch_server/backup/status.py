"""backup/status.json: what the last backups came to, for the console and for who looks after the server."""

from pathlib import Path
from typing import Literal

import msgspec

from schoolwatch_server.config import ServerConfig
from schoolwatch_server.files import private_folder, write_atomically

Judgement = Literal["off", "unknown", "never", "good", "failed", "too_old"]
"""`off`: no target is set, and no other settings (of a timer) ever made a copy.
`unknown`: the status can't be read. `failed`: the last attempt was."""


class Done(msgspec.Struct, frozen=True):
    """A copy that was made: times are UTC seconds, `added` and `total` bytes."""

    at: float
    seconds: float
    target: str
    snapshot: str
    added: int
    total: int
    rows: dict[str, int]


class Failed(msgspec.Struct, frozen=True):
    """An attempt that came to nothing, and the text that says why: `backup.error.…` with its values."""

    at: float
    trouble: str
    values: dict[str, str] = {}


class Proved(msgspec.Struct, frozen=True):
    """A copy, made at `of`, that was restored in a private place and found equal to its manifest."""

    at: float
    of: float


class Status(msgspec.Struct, frozen=True):
    """The last of each; `tried_at` is when the newest attempt began."""

    tried_at: float | None = None
    done: Done | None = None
    failed: Failed | None = None
    proved: Proved | None = None


def read(data: Path) -> Status | None:
    """The status; an empty one when there was no backup yet, None when it can't be read."""
    try:
        return msgspec.json.decode((data / "backup" / "status.json").read_bytes(), type=Status)
    except FileNotFoundError:
        return Status()
    except (OSError, msgspec.DecodeError):
        return None


def change(data: Path, **fields: object) -> None:
    """Replaces fields of it."""
    status = msgspec.structs.replace(read(data) or Status(), **fields)
    write_atomically(private_folder(data / "backup") / "status.json", msgspec.json.encode(status).decode())


def judge(config: ServerConfig, status: Status | None, now: float) -> Judgement:
    """What is to be said of it now."""
    if status is None:
        return "unknown"
    if status.failed is not None and (status.done is None or status.failed.at > status.done.at):
        return "failed"
    if status.done is None:
        return "never" if config.backup.target else "off"
    return "too_old" if now - status.done.at > config.backup.too_old_hours * 3600 else "good"
