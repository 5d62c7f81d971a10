"""Writes a file so that readers see the old text or the new, never half of one; and makes one just once."""

import os
import secrets
from pathlib import Path


def write_atomically(path: Path, text: str | bytes, mode: int = 0o600) -> None:
    """Replaces the file in one step; `mode` holds from its first byte on."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text.encode("utf-8") if isinstance(text, str) else text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def made_once(path: Path, text: str) -> str:
    """What the private file holds; it is made with `text` when it isn't there.

    Of several processes that make it at once, all get the text that was there first.
    """
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        private_folder(path.parent)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(fresh)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_text("utf-8")


def private_folder(path: Path) -> Path:
    """Makes the folder, readable by nobody else (mode 0700)."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path
