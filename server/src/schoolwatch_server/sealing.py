"""Secrets at rest: sealed with a master key that is not in the database.

A sealed text is `format (1) | key id (4) | nonce (12) | AES-256-GCM ciphertext and tag`. Its purpose and head
are authenticated with it, so that it opens as what it was sealed for and as nothing else.
The key is `$CREDENTIALS_DIRECTORY/master_key` (systemd's LoadCredential=), else the file that the settings
name, else `secrets/master` in the data folder, which is made at its first use. One key a line, 64 hex digits:
the first one seals, all open, so that a new key can be put before the old one while things are sealed anew.
AES-GCM with a random nonce is good for 2**32 sealings a key (NIST SP 800-38D, 8.3).
"""

import hashlib
import hmac
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schoolwatch_server.files import made_once, write_atomically

FORMAT = b"\x01"
OVERHEAD = 1 + 4 + 12 + 16
"""How many bytes longer than the plain text a sealed one is."""

_KEY_BYTES = 32
_HEAD = 1 + 4
_NONCE = 12

_READ: set[Path] = set()
"""Files of which this process has read keys."""


class SealError(ValueError):
    """A secret can't be sealed or opened; the text says what to do and holds no secret."""


class KeyUnusableError(SealError):
    """There is no master key, or its file can't be used."""


class KeyUnknownError(SealError):
    """It was sealed with a key that isn't at hand."""


class AlteredError(SealError):
    """Not what was sealed, or not sealed for this purpose."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Master keys by id; `current` is the id of the one that seals."""

    current: bytes
    keys: dict[bytes, AESGCM] = field(repr=False)

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """The sealed text; `purpose` names what it is for, with the id of the row it belongs to."""
        head = FORMAT + self.current
        nonce = secrets.token_bytes(_NONCE)
        return head + nonce + self.keys[self.current].encrypt(nonce, plain, head + purpose.encode())

    def unseal(self, purpose: str, sealed: bytes) -> bytes:
        """What was sealed for this purpose. Raises `KeyUnknownError`, `AlteredError`."""
        head, nonce, rest = sealed[:_HEAD], sealed[_HEAD : _HEAD + _NONCE], sealed[_HEAD + _NONCE :]
        if len(sealed) < OVERHEAD or sealed[:1] != FORMAT:
            raise AlteredError(f"{purpose}: is no sealed secret: restore it from a backup, or set it anew")
        key = self.keys.get(head[1:])
        if key is None:
            raise KeyUnknownError(
                f"{purpose}: was sealed with the master key {head[1:].hex()}, and at hand is"
                f" {', '.join(sorted(known.hex() for known in self.keys))}: put that key's line back into the"
                " file of master keys (a backup of the key holds it)"
            )
        try:
            return key.decrypt(nonce, rest, head + purpose.encode())
        except InvalidTag as error:
            raise AlteredError(
                f"{purpose}: the sealed secret was altered, or belongs to something else:"
                " restore it from a backup, or set it anew"
            ) from error

    def is_current(self, sealed: bytes) -> bool:
        """Whether it was sealed with the key that seals now."""
        return sealed[:_HEAD] == FORMAT + self.current


class MasterKeys:
    """The keys of one place for as long as a process runs: it notices when the file has been changed."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._ring: Keyring | None = None
        self._read: tuple[int, int] = (0, 0)

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """As `Keyring.seal`, with the key that is first in the file now. Raises `KeyUnusableError`."""
        return self.now().seal(purpose, plain)

    def unseal(self, purpose: str, sealed: bytes) -> bytes:
        """As `Keyring.unseal`. Raises `SealError`."""
        ring = self._ring or self.now()
        try:
            return ring.unseal(purpose, sealed)
        except KeyUnknownError:
            return self.now().unseal(purpose, sealed)

    def now(self) -> Keyring:
        """The keys as they are in the file now. Raises `KeyUnusableError`."""
        if self._ring is None or self._stamp() != self._read:
            self._ring = keyring(self._place)
            self._read = self._stamp()
        return self._ring

    def rotate(self) -> Keyring:
        """Puts a new key before the others, which stay: they open what was sealed before, in backups too.

        Raises `KeyUnusableError`, also where the keys are systemd's to give.
        """
        path = key_path(self._place)
        ring = self.now()
        if path.parent == Path(os.environ.get("CREDENTIALS_DIRECTORY", "/")):
            raise KeyUnusableError(
                f"{path}: systemd gives the master key: write a new line (openssl rand -hex 32) before the"
                " others in the file that LoadCredential= names, restart the service and run this again"
            )
        try:
            write_atomically(path, f"{secrets.token_hex(_KEY_BYTES)}\n{path.read_text('ascii')}")
        except OSError as error:
            raise KeyUnusableError(f"{path}: can't be written ({error.strerror}): nothing changed") from error
        fresh = self.now()
        if not set(ring.keys) < set(fresh.keys):
            raise KeyUnusableError(f"{path}: somebody else changed it meanwhile: run this again")
        return fresh

    def _stamp(self) -> tuple[int, int]:
        """Of which file it was read; another one has another, a missing one none."""
        try:
            found = key_path(self._place).stat()
        except OSError:
            return (0, 0)
        return (found.st_ino, found.st_mtime_ns)


def seal(place: Path, purpose: str, plain: bytes) -> bytes:
    """`plain` sealed for `purpose`; `place` as in `keyring`. Raises `KeyUnusableError`."""
    return keyring(place).seal(purpose, plain)


def unseal(place: Path, purpose: str, sealed: bytes) -> bytes:
    """What `seal` was given; `place` as in `keyring`. Raises `SealError`."""
    return keyring(place).unseal(purpose, sealed)


def key_path(place: Path) -> Path:
    """Where the master keys are: systemd's credential, else the file `place`, else in that data folder."""
    given = Path(os.environ.get("CREDENTIALS_DIRECTORY", "")) / "master_key"
    if given.is_absolute() and given.exists():
        return given
    return place if place.is_file() else place / "secrets" / "master"


def keyring(place: Path) -> Keyring:
    """The master keys; `place` is `config.master_key`: the data folder, or the file that the settings name.

    Raises `KeyUnusableError`, also where the file that this process has read is gone: another key, made now,
    would seal what nobody can open once the right one is back.
    """
    path = key_path(place)
    if path in _READ and not path.exists():
        raise KeyUnusableError(f"{path}: the master key is gone: put it back from where it is kept")
    try:
        text = made_once(path, secrets.token_hex(_KEY_BYTES) + "\n")
        mode = stat.S_IMODE(path.stat().st_mode)
    except (OSError, UnicodeDecodeError) as error:
        raise KeyUnusableError(
            f"{path}: the master key can't be read: restore it from where it is kept, or correct its mode"
        ) from error
    if mode & 0o037:  # its group may read it: systemd gives a credential the mode 0440
        raise KeyUnusableError(f"{path}: others may read or change the master key: chmod 600 {path}")
    found = parse(text, path)
    _READ.add(path)
    return found


def parse(text: str, path: Path) -> Keyring:
    """The keys of a file's text. Raises `KeyUnusableError`, which names the line and never holds it."""
    keys: dict[bytes, AESGCM] = {}
    for number, line in enumerate(text.split("\n"), 1):
        digits = line.strip()
        if not digits:
            continue
        if len(digits) != 2 * _KEY_BYTES or not set(digits.lower()) <= set("0123456789abcdef"):
            raise KeyUnusableError(
                f"{path}: line {number}: is no master key: it has {2 * _KEY_BYTES} hex digits"
                " (openssl rand -hex 32 makes one)"
            )
        key = bytes.fromhex(digits)
        keys.setdefault(key_id(key), AESGCM(key))
    if not keys:
        raise KeyUnusableError(f"{path}: holds no master key: restore it from where it is kept")
    return Keyring(next(iter(keys)), keys)


def key_id(key: bytes) -> bytes:
    """Four bytes by which a sealed text names its key; they tell nothing of the key."""
    return hmac.digest(key, b"schoolwatch master key id", hashlib.sha256)[:4]
