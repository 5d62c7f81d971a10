"""The key of each school under which its devices make digests of their hardware numbers.

A plain hash of a MAC address can be undone by trying them all; without the school's key this one cannot.
The keys follow from one secret in the data folder, so that none is stored beside what it protects.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from schoolwatch_server.files import private_folder


def school_key(folder: Path, school_id: int) -> bytes:
    """32 bytes, the same for a school for ever; `folder` is the server's data folder. Raises OSError."""
    return hmac.digest(_secret(folder / "secrets" / "hints"), f"school {school_id}".encode(), hashlib.sha256)


def _secret(path: Path) -> bytes:
    """Made at its first use; of two processes that make it at once, both get the one that was there first."""
    try:
        return bytes.fromhex(path.read_text("ascii"))
    except FileNotFoundError:
        private_folder(path.parent)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(fresh)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return bytes.fromhex(path.read_text("ascii"))
