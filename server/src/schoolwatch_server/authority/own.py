"""The server's own certificate in `tls/`: made when something first listens for others, renewed in time.

`server.pem` holds key and chain in one file, so that a renewal is one step; `ca.pem` is the root that
devices pin, `crl.pem` the list of what was revoked.
"""

import socket
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from cryptography import x509

from schoolwatch_server import transport
from schoolwatch_server.authority import certificates
from schoolwatch_server.authority.folder import Authority
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.files import private_folder, write_atomically

NAME = "SchoolWatch"
ISSUING_LEFT = timedelta(days=365)
"""What is left of the issuing CA's time when a new one should follow."""

ANYWHERE = frozenset({"0.0.0.0", "::"})  # nosec B104 # noqa: S104  compared, not bound
"""Hosts that stand for each address of this machine."""

_HERE = ("localhost", "127.0.0.1", "::1")


def authority(config: ServerConfig) -> Authority:
    """That of a data folder, made or not."""
    return Authority(config.folder / "ca", config.master_key)


def keep(config: ServerConfig, now: datetime, *, force: bool = False) -> bool:
    """Makes and renews what is needed: whether the server has a new certificate. Raises `AuthorityError`.

    Nothing needs a person but a new issuing CA once the root's key was taken away: see `ending`.
    """
    own = authority(config)
    if not own.exists:
        own.make(NAME, now)
    own.seal_anew()  # what an older program left in clear, or another master key sealed
    if own.has_root_key and ending(own, now) is not None:
        own.renew_issuing(NAME, own.root_key(), now)
    fresh_list = own.keep_crl_fresh(now)
    folder = private_folder(transport.folder(config))
    _copy(own.folder / "root.pem", folder / "ca.pem", force=False)
    _copy(own.folder / "crl.pem", folder / "crl.pem", force=fresh_list)
    needed, also = names(config)
    file = folder / "server.pem"
    if not force and not is_due(own, file, needed, now):
        return False
    bundle = own.issue(sorted(needed, key=_plain_names_first) + sorted(also - needed), now)
    write_atomically(file, bundle.key + bundle.chain)
    return True


def ending(own: Authority, now: datetime) -> datetime | None:
    """When the issuing CA ends, if that is so near that a new one is needed; None while it is far."""
    end = own.issuing.not_valid_after_utc
    return end if end - now < ISSUING_LEFT else None


def is_due(own: Authority, file: Path, needed: frozenset[str], now: datetime) -> bool:
    """Whether the certificate in a file is missing, ends soon, lacks a name, or was revoked."""
    shown = read(file)
    if shown is None or certificates.is_due(shown, now):
        return True
    is_ours = shown.issuer == own.issuing.subject
    return not is_ours or not needed <= certificates.names_of(shown) or own.is_revoked(shown)


def read(file: Path) -> x509.Certificate | None:
    """The first certificate of a PEM file; None when there is none."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        return None


def names(config: ServerConfig) -> tuple[frozenset[str], frozenset[str]]:
    """What the certificate must be for: the hosts of the settings; and this machine's further addresses.

    Where the settings say "any address", this machine's name and IPv4 addresses are needed. Its IPv6
    addresses are in it too, but change too often to renew for.
    """
    hosts = {config.http.host, config.mqtt.host, config.speedtest.host}
    public = (config.http.public_url, config.speedtest.public_url, config.mqtt.websocket_url)
    needed = {*hosts, *(urlsplit(url).hostname or "" for url in public), *config.tls.names, *_HERE}
    also: set[str] = set()
    if hosts & ANYWHERE:
        needed |= {socket.gethostname(), *addresses()}
        also |= {one for one in addresses(socket.AF_INET6) if "%" not in one}
    return frozenset(needed - ANYWHERE - {""}), frozenset(also)


def addresses(family: socket.AddressFamily = socket.AF_INET) -> list[str]:
    """This machine's own, but loopback; "%" marks those of a link alone."""
    found = (each for nic in psutil.net_if_addrs().values() for each in nic)
    return sorted({one.address for one in found if one.family == family} - set(_HERE))


def _plain_names_first(name: str) -> tuple[bool, bool, str]:
    """The first name becomes the common name: one that people know."""
    return name in _HERE, not name[:1].isalpha(), name


def _copy(source: Path, target: Path, *, force: bool) -> None:
    text = source.read_text("ascii")
    if force or not target.exists() or target.read_text("ascii") != text:
        write_atomically(target, text, 0o644)
