"""The key of each school under which its devices make digests of their hardware numbers.

A plain hash of a MAC address can be undone by trying them all; without the school's key this one cannot.
The keys follow from one secret in the data folder, so that none is stored beside what it protects.
"""

import hashlib
import hmac
import secrets
from pathlib import Path

from schoolwatch_server.files import made_once


def school_key(folder: Path, school_id: int) -> bytes:
    """32 bytes, the same for a school for ever; `folder` is the server's data folder. Raises OSError."""
    secret = bytes.fromhex(made_once(folder / "secrets" / "hints", secrets.token_hex(32)))
    return hmac.digest(secret, f"school {school_id}".encode(), hashlib.sha256)
