"""Websites on loopback that behave well or badly, an authority for them, and names that lead to them."""

import asyncio
import datetime as dt
import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from schoolwatch_server.sites.job import Job, Rules, Said
from schoolwatch_server.sites.look import Look
from schoolwatch_server.sites.networks import Ip
from schoolwatch_server.sites.program import look_at_all
from schoolwatch_server.sites.resolver import Family, ResolveError

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Answer = Callable[[socket.socket, str], None]
"""Answers a request: on this connection, to this path."""


def says(answer: bytes) -> Answer:
    return lambda line, path: line.sendall(answer)


def moves(to: str, *more: str) -> Answer:
    head = "".join(f"{each}\r\n" for each in more)
    return says(f"HTTP/1.1 302 Found\r\nLocation: {to}\r\n{head}Content-Length: 0\r\n\r\n".encode())


class Authority:
    """Makes certificates; `file` is its own, for who is to trust it."""

    def __init__(self, folder: Path, name: str = "CA thử") -> None:
        self._folder, self._numbers = folder, itertools.count()
        self._key, self._name = ec.generate_private_key(ec.SECP256R1()), _named(name)
        own = _builder(self._name, self._name, self._key, NOW - DAY, NOW + 100 * DAY)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self._id = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        own = own.add_extension(self._id, critical=False)
        usage = x509.KeyUsage(
            *(False,) * 5, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False
        )
        self.file = folder / f"ca-{id(self)}.pem"
        signed = own.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())
        self.file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def context(self, host: str, *, days: float = 60, self_signed: bool = False) -> ssl.SSLContext:
        """For a server of that name, whose certificate ends in so many days (before now: has ended)."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer, by = (_named(host), key) if self_signed else (self._name, self._key)
        last = NOW + days * DAY
        one = _builder(_named(host), issuer, key, min(NOW - DAY, last - 30 * DAY), last)
        one = one.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        one = one.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        one = one.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False
        )
        path = self._folder / f"site-{id(self)}-{next(self._numbers)}.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(one.sign(by, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) + secret)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


class Site:
    """Listens at an address of loopback; counts connections, and keeps the heads of requests."""

    def __init__(
        self,
        answer: Answer | None = None,
        ip: str = "127.0.1.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        *,
        is_hasty: bool = False,
    ) -> None:
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        self._socket = socket.create_server((ip, port), family=family)
        self.ip, self.port = ip, self._socket.getsockname()[1]
        self._answer, self._tls = answer or says(OK), tls
        self._is_hasty = is_hasty  # answers whatever comes
        self.connections, self.heads = 0, list[str]()
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nobody listens there any more."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with self._lock:
            self.connections += 1
        try:
            line.settimeout(20)
            if self._tls is not None:
                line = self._tls.wrap_socket(line, server_side=True)
            head = b""
            while b"\r\n\r\n" not in head and (piece := line.recv(65536)):
                head += piece
                if self._is_hasty:
                    break
            if head:
                self.heads.append(head.decode("latin-1"))
                self._answer(line, head.decode("latin-1").split(" ")[1])
        except OSError:
            pass
        finally:
            with suppress(OSError):
                line.close()


class Names:
    """A resolver: name → addresses; what isn't there does not exist."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._names: dict[str, str | Sequence[str]] = {}

    def put(self, name: str, *addresses: str) -> None:
        self._names[name] = addresses

    def then(self, name: str, *answers: str) -> None:
        """First the one, then the other, and so on; the last stays."""
        self._names[name] = ",".join(answers)

    async def __call__(self, host: str, family: Family) -> tuple[Ip, ...]:
        self.asked.append(host)
        with suppress(ValueError):
            return self._of([str(ip_address(host))], family)
        if host not in self._names:
            raise ResolveError("no_name")
        found = self._names[host]
        if isinstance(found, str):
            first, _, rest = found.partition(",")
            self._names[host] = rest or first
            found = [first]
        return self._of(found, family)

    def _of(self, texts: Sequence[str], family: Family) -> tuple[Ip, ...]:
        found = tuple(ip for ip in map(ip_address, texts) if ip.version == (4 if family == "v4" else 6))
        if not found:
            raise ResolveError("no_record")
        return found


def look_at(
    names: Names, *addresses: str, sites: Sequence[Site], ca: Path | None = None, **rules: object
) -> Mapping[str, Look]:
    """What is said of these addresses; of loopback 127.0.1.0/24 and ::1 may be reached, and nothing else."""
    given: dict[str, object] = {
        "references": tuple(f"{_bracketed(site.ip)}:{site.port}" for site in sites),
        "ports": tuple(site.port for site in sites),
        "allowed_networks": ("127.0.1.0/24", "::1/128"),
        "ca_file": str(ca or ""),
        "seconds": 5.0,
        "pause": 0.0,
        "again_after": 0.0,
    }
    said: list[Said] = []
    job = Job(Rules(**given | rules), addresses)  # type: ignore[arg-type]
    asyncio.run(look_at_all(job, said.append, names))
    assert sorted(each.address for each in said) == sorted(set(addresses)), "each is told of once"
    return {each.address: each.look for each in said}


def _bracketed(ip: str) -> str:
    return f"[{ip}]" if ":" in ip else ip


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    first: dt.datetime,
    last: dt.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last)
    )
