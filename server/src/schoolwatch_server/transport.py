"""Where something is encrypted on its way, and with whose certificate: decided by the settings alone.

What listens on loopback speaks plainly, so that a first try needs no certificate. What other machines can
reach speaks TLS: with the files of the settings, else with those of the server's own authority.
"""

import ipaddress
import logging
import ssl
from dataclasses import dataclass
from pathlib import Path

from schoolwatch_server.config import ConfigError, ServerConfig

log = logging.getLogger(__name__)

WEBSOCKET_PATH = "/mqtt"
"""Where the web server passes MQTT on: for schools whose line lets nothing but the web through."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Files (PEM) of a listener: its chain and key, and the authority that others trust it by ("" unknown).

    `own` are the files of the server's own authority, which it makes and renews by itself; chain and key
    are then one file, so that a renewal replaces both in one step.
    """

    certificate: Path
    key: Path
    ca: str
    own: bool = False


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches what listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def folder(config: ServerConfig) -> Path:
    """Where the server's own certificate lies."""
    return config.folder / "tls"


def own_ca(config: ServerConfig) -> Path:
    """The root of the own authority, to be given away."""
    return folder(config) / "ca.pem"


def http(config: ServerConfig) -> Tls | None:
    """TLS of console and API; None is plain, on loopback alone."""
    own = config.http
    return _of(config, own.host, own.tls_certificate, own.tls_key, own.tls_ca)


def mqtt(config: ServerConfig) -> Tls | None:
    """TLS of the broker that `up` starts; None is plain, on loopback alone."""
    own = config.mqtt
    return _of(config, own.host, own.tls_certificate, own.tls_key, own.tls_ca)


def broker_ca(config: ServerConfig) -> str:
    """The authority by which the server's parts know the broker; "" is a plain broker on loopback."""
    if config.mqtt.tls_ca:
        return config.mqtt.tls_ca
    tls = mqtt(config)
    return "" if tls is None else tls.ca


def given_ca(config: ServerConfig) -> str | None:
    """The authorities (PEM) that devices are given to know web server and broker by.

    None where each machine trusts both by itself, or none is there yet. Raises OSError.
    """
    tls = http(config)
    web = config.http.tls_ca or (tls.ca if tls is not None and tls.own else "")
    files = dict.fromkeys(Path(file) for file in (web, broker_ca(config)) if file)
    found = [file.read_text("ascii") for file in files if file.exists()]
    return "".join(found) or None


def check(config: ServerConfig) -> None:
    """Raises `ConfigError` where a device could know the broker or the web server, and not both."""
    tls, of_proxy = http(config), config.http.public_url.startswith("https:")
    is_others = (tls is not None and not tls.own) or (tls is None and of_proxy)
    if broker_ca(config) and is_others and not config.http.tls_ca:
        raise ConfigError(
            "http.tls_ca: is empty, but devices know the broker by an authority of yours: name here the"
            " authority of the certificate at http.public_url (PEM), so that they know both"
        )


def uses_own(config: ServerConfig) -> bool:
    """Whether anything needs a certificate of the own authority."""
    return any(tls is not None and tls.own for tls in (http(config), mqtt(config)))


def _of(config: ServerConfig, host: str, certificate: str, key: str, ca: str) -> Tls | None:
    if certificate:
        return Tls(Path(certificate), Path(key or certificate), ca)
    if is_loopback(host) and not config.tls.always:
        return None
    file = folder(config) / "server.pem"
    return Tls(file, file, str(own_ca(config)), own=True)


def context(tls: Tls) -> ssl.SSLContext:
    """A listener's TLS, 1.2 or newer. Raises `ConfigError`."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(made, tls)
    return made


def load(made: ssl.SSLContext, tls: Tls) -> None:
    """Takes the certificate from its files: new connections get it, open ones go on.

    Raises `ConfigError`, and then the one in force stays: a pair is tried apart first.
    """
    context(tls)
    _load(made, tls)


def _load(made: ssl.SSLContext, tls: Tls) -> None:
    try:
        made.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError) as error:
        how = "run `schoolwatch-server ca renew`" if tls.own else "name PEM files that belong together"
        raise ConfigError(f"{tls.certificate}: can't be used as certificate ({error}): {how}") from error


class Watched:
    """Looks whether a listener's files changed, and takes the new certificate once both belong together."""

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._seen = _stamp(tls)

    def has_changed(self) -> bool:
        """Whether they are other files than at the last look."""
        before, self._seen = self._seen, _stamp(self._tls)
        return self._seen != before

    def renew(self, made: ssl.SSLContext) -> bool:
        """Whether there was a new one; a pair that can't be used leaves the old one in force, and is said."""
        if not self.has_changed():
            return False
        try:
            load(made, self._tls)
        except ConfigError as error:
            log.warning("%s; the old one goes on", error)
            return False
        log.info("%s: a new certificate is in force", self._tls.certificate)
        return True


def _stamp(tls: Tls) -> tuple[tuple[int, int] | None, ...]:
    """What changes when one of the files does."""
    found: list[tuple[int, int] | None] = []
    for path in (tls.certificate, tls.key):
        try:
            stat = path.stat()
        except OSError:
            found.append(None)
        else:
            found.append((stat.st_mtime_ns, stat.st_ino))
    return tuple(found)


def client_context(ca: str) -> ssl.SSLContext:
    """TLS of who connects: 1.2 or newer, the other side's name checked, by an authority's file.

    Raises `ConfigError`.
    """
    try:
        made = ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"{ca}: can't be used as authority ({error}): start `up` once, or correct mqtt.tls_ca"
        ) from error
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made
