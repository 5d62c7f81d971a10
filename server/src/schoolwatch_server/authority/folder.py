"""The authority's files in `ca/` of the data folder, and what it does with them.

`root.pem` and `issuing.pem` are certificates; `root.key` is not here when it was taken away; `issuing.key`
signs; both are sealed with the master key. `issued.json` is what was signed and revoked; `crl.pem` is the
revocation list.
"""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from schoolwatch_server.authority import certificates, keys
from schoolwatch_server.authority.certificates import Pair, Purpose
from schoolwatch_server.authority.keys import AuthorityError, SealedKeys
from schoolwatch_server.files import private_folder, write_atomically
from schoolwatch_server.sealing import MasterKeys

__all__ = ["Authority", "AuthorityError", "Bundle", "Issued"]

_REMEMBERED = timedelta(days=400)
"""How long after its end a certificate stays in the list of those that were issued."""


class Issued(msgspec.Struct, frozen=True):
    """One line of the list: UTC seconds; `revoked_at` is None while it holds."""

    serial: str
    names: tuple[str, ...]
    purpose: Purpose
    issued_at: float
    ends_at: float
    revoked_at: float | None = None


class Bundle(msgspec.Struct, frozen=True):
    """A new certificate with its chain, and its key, both PEM."""

    chain: str
    key: str
    serial: str


class Authority:
    """The authority of one data folder. Times are passed in, UTC.

    `master` is where its master key is (`config.master_key`); without it, in the folder above.
    """

    def __init__(self, folder: Path, master: Path | None = None) -> None:
        self.folder = folder
        self._keys = SealedKeys(folder, MasterKeys(master or folder.parent))

    @property
    def exists(self) -> bool:
        """Whether there is one."""
        return (self.folder / "issuing.pem").exists()

    @property
    def root(self) -> x509.Certificate:
        """What everybody trusts. Raises `AuthorityError`."""
        return self._certificate("root.pem")

    @property
    def root_pem(self) -> str:
        """The same, to be given away."""
        return _pem(self.root)

    @property
    def issuing(self) -> x509.Certificate:
        """What signs. Raises `AuthorityError`."""
        return self._certificate("issuing.pem")

    @property
    def has_root_key(self) -> bool:
        """Whether the root's key lies in the folder, in reach of whoever takes the server."""
        return (self.folder / "root.key").exists()

    def make(self, name: str, now: datetime) -> None:
        """A new root and issuing CA; the root's key stays in the folder. Raises `AuthorityError`."""
        with self._held():
            if self.exists:
                raise AuthorityError(f"{self.folder}: there is an authority already: see `ca show`")
            root = certificates.root(name, now)
            self._keys.write("root.key", root.key)
            self._write("root.pem", _pem(root.certificate))
            self._follow(certificates.issuing(root, name, now), now)

    def renew_issuing(self, name: str, root_key: ec.EllipticCurvePrivateKey, now: datetime) -> None:
        """A new issuing CA by the root's key: devices notice nothing. Raises `AuthorityError`."""
        with self._held():
            if root_key.public_key() != self.root.public_key():
                raise AuthorityError("this is not the key of the root in ca/root.pem: take the right one")
            self._follow(certificates.issuing(Pair(self.root, root_key), name, now), now)

    def root_key(
        self, file: Path | None = None, passphrase: bytes | None = None
    ) -> ec.EllipticCurvePrivateKey:
        """The root's key, from its file elsewhere when it was taken away. Raises `AuthorityError`."""
        return self._keys.read("root.key") if file is None else keys.read_away(file, passphrase)

    def seal_anew(self) -> int:
        """Seals with the current master key what is in clear or was sealed with another; how many keys.

        Raises `AuthorityError`, OSError.
        """
        if not self.exists:
            return 0
        with self._held():
            return sum(self._keys.seal_anew(name) for name in ("root.key", "issuing.key"))

    def take_root_away(self, to: Path, passphrase: bytes) -> None:
        """Writes the root's key, encrypted, to a file elsewhere, and deletes it here once that can be read.

        Raises `AuthorityError`, OSError.
        """
        with self._held():
            key = self.root_key()
            keys.write_away(to, key, passphrase)
            if keys.read_away(to, passphrase).private_numbers() != key.private_numbers():
                raise AuthorityError(f"{to}: is not what was written: take another disk; nothing was deleted")
            (self.folder / "root.key").unlink()

    def issue(
        self,
        names: Sequence[str],
        now: datetime,
        *,
        life: timedelta = certificates.LEAF_LIFE,
        purpose: Purpose = "server",
    ) -> Bundle:
        """A new certificate for names and addresses. Raises `AuthorityError`."""
        with self._held():
            issuer = self._issuer(now)
            try:
                made = certificates.leaf(issuer, names, now, life=life, purpose=purpose)
            except ValueError as error:
                raise AuthorityError(f"no certificate can be made for {', '.join(names)}: {error}") from error
            serial, end = made.certificate.serial_number, made.certificate.not_valid_after_utc
            one = Issued(f"{serial:x}", tuple(names), purpose, now.timestamp(), end.timestamp())
            recent = (now - _REMEMBERED).timestamp()
            self._write_list((*(old for old in self.issued() if old.ends_at > recent), one))
        return Bundle(_pem(made.certificate) + _pem(issuer.certificate), keys.plain(made.key), one.serial)

    def revoke(self, serial: str, now: datetime) -> Issued:
        """What was revoked; the list of revoked ones is made anew. Raises `AuthorityError`."""
        with self._held():
            known = self.issued()
            found = next((one for one in known if one.serial == serial.lower().lstrip("0")), None)
            if found is None:
                raise AuthorityError(f"no certificate {serial[:60]!r} was issued here: see `ca show`")
            if found.revoked_at is None:
                found = msgspec.structs.replace(found, revoked_at=now.timestamp())
                self._write_list(tuple(found if one.serial == found.serial else one for one in known))
            self._write_crl(now)
        return found

    def issued(self) -> tuple[Issued, ...]:
        """What was signed, oldest first. Raises `AuthorityError`."""
        try:
            return msgspec.json.decode((self.folder / "issued.json").read_bytes(), type=tuple[Issued, ...])
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.DecodeError) as error:
            raise AuthorityError(f"{self.folder / 'issued.json'}: {error}: put back its copy") from error

    def keep_crl_fresh(self, now: datetime) -> bool:
        """Makes the revocation list anew when half its time is over; whether it did. `AuthorityError`."""
        with self._held():
            made = self._crl()
            if (
                made is not None
                and made.last_update_utc <= now < made.last_update_utc + certificates.CRL_LIFE / 2
            ):
                return False
            self._write_crl(now)
        return True

    def is_revoked(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate of ours was revoked."""
        serial = f"{certificate.serial_number:x}"
        return any(one.serial == serial and one.revoked_at is not None for one in self.issued())

    # --- files ----------------------------------------------------------------------------------------

    @contextmanager
    def _held(self) -> Iterator[None]:
        """One at a time: a command may run beside `up`."""
        private_folder(self.folder)
        with (self.folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _issuer(self, now: datetime) -> Pair:
        made = self.issuing
        if made.not_valid_after_utc <= now:
            raise AuthorityError(
                f"the issuing CA ended on {made.not_valid_after_utc:%Y-%m-%d}: run `ca renew`"
            )
        return Pair(made, self._keys.read("issuing.key"))

    def _follow(self, issuing: Pair, now: datetime) -> None:
        self._keys.write("issuing.key", issuing.key)
        self._write("issuing.pem", _pem(issuing.certificate))
        self._write_crl(now)

    def _crl(self) -> x509.CertificateRevocationList | None:
        try:
            found = x509.load_pem_x509_crl((self.folder / "crl.pem").read_bytes())
        except (OSError, ValueError):
            return None
        return found if found.issuer == self.issuing.subject else None

    def _write_crl(self, now: datetime) -> None:
        issuer = Pair(self.issuing, self._keys.read("issuing.key"))
        revoked = {
            int(one.serial, 16): datetime.fromtimestamp(one.revoked_at, UTC)
            for one in self.issued()
            if one.revoked_at is not None
        }
        made = certificates.crl(issuer, revoked, int(now.timestamp()), now)
        self._write("crl.pem", made.public_bytes(serialization.Encoding.PEM).decode())

    def _write_list(self, issued: Sequence[Issued]) -> None:
        self._write("issued.json", msgspec.json.format(msgspec.json.encode(issued)).decode())

    def _write(self, name: str, text: str) -> None:
        write_atomically(self.folder / name, text)

    def _certificate(self, name: str) -> x509.Certificate:
        path = self.folder / name
        try:
            return x509.load_pem_x509_certificate(path.read_bytes())
        except OSError as error:
            raise AuthorityError(f"{path}: {error.strerror}: make an authority with `ca init`") from error
        except ValueError as error:
            raise AuthorityError(f"{path}: is no certificate in PEM form: put back its copy") from error


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
