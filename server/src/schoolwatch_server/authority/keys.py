"""The authority's private keys: in the data folder sealed with the master key, elsewhere under a passphrase.

A file in the data folder is one line, `sealed:` and base64. One in PEM form, of an older program or put there
by a person, is read too, and sealed at the next look.
"""

import base64
import binascii
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from schoolwatch_server.files import write_atomically
from schoolwatch_server.sealing import AlteredError, MasterKeys, SealError

_SEALED = b"sealed:"


class AuthorityError(Exception):
    """The authority can't do what was asked; the text names the file and says what to do."""


class SealedKeys:
    """The private keys in one folder, each by the name of its file."""

    def __init__(self, folder: Path, master: MasterKeys) -> None:
        self._folder, self._master = folder, master

    def write(self, name: str, key: ec.EllipticCurvePrivateKey) -> None:
        """Seals a key and writes it. Raises `AuthorityError`, OSError."""
        self._write(name, _pem(key, serialization.NoEncryption()))

    def read(self, name: str) -> ec.EllipticCurvePrivateKey:
        """Raises `AuthorityError`."""
        path = self._folder / name
        content = _content(path)
        return parse(self._unsealed(name, content) if content.startswith(_SEALED) else content, path)

    def seal_anew(self, name: str) -> bool:
        """Seals a key that is in clear, or sealed with a former master key; whether it did.

        Raises `AuthorityError`, OSError.
        """
        if not (self._folder / name).exists():
            return False
        content = _content(self._folder / name)
        if content.startswith(_SEALED):
            try:
                if self._master.now().is_current(_decoded(content)):
                    return False
            except SealError as error:
                raise self._unusable(name, error) from error
            content = self._unsealed(name, content)
        parse(content, self._folder / name)
        self._write(name, content)
        return True

    def _write(self, name: str, pem: bytes) -> None:
        try:
            sealed = self._master.seal(_purpose(name), pem)
        except SealError as error:
            raise self._unusable(name, error) from error
        write_atomically(self._folder / name, f"sealed:{base64.b64encode(sealed).decode()}\n")

    def _unsealed(self, name: str, content: bytes) -> bytes:
        try:
            return self._master.unseal(_purpose(name), _decoded(content))
        except SealError as error:
            raise self._unusable(name, error) from error

    def _unusable(self, name: str, error: SealError) -> AuthorityError:
        return AuthorityError(f"{self._folder / name}: {error}")


def write_away(path: Path, key: ec.EllipticCurvePrivateKey, passphrase: bytes) -> None:
    """In PEM form under a passphrase, as other programs read it too. Raises OSError."""
    write_atomically(path, _pem(key, serialization.BestAvailableEncryption(passphrase)).decode())


def read_away(path: Path, passphrase: bytes | None) -> ec.EllipticCurvePrivateKey:
    """A key in PEM form. Raises `AuthorityError`."""
    return parse(_content(path), path, passphrase)


def parse(pem: bytes, path: Path, passphrase: bytes | None = None) -> ec.EllipticCurvePrivateKey:
    """The key of a file's content. Raises `AuthorityError`, which never holds any of it."""
    try:
        key = serialization.load_pem_private_key(pem, passphrase)
    except TypeError as error:  # encrypted and no passphrase, or the other way round
        raise AuthorityError(f"{path}: {error}") from error
    except ValueError as error:
        raise AuthorityError(f"{path}: the passphrase is wrong, or this is no key in PEM form") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AuthorityError(f"{path}: holds no key of an elliptic curve: take the one made by `ca init`")
    return key


def plain(key: ec.EllipticCurvePrivateKey) -> str:
    """A key in PEM form without a passphrase, for who serves TLS with it."""
    return _pem(key, serialization.NoEncryption()).decode()


def _purpose(name: str) -> str:
    return f"key of the authority in {name}"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AuthorityError(f"{path}: {error.strerror}: name the file that holds the key") from error


def _decoded(content: bytes) -> bytes:
    try:
        return base64.b64decode(content.removeprefix(_SEALED).strip(), validate=True)
    except binascii.Error as error:
        raise AlteredError("is no sealed key: restore it from a backup") from error


def _pem(key: ec.EllipticCurvePrivateKey, lock: serialization.KeySerializationEncryption) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
