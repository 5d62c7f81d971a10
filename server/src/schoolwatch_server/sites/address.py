"""The address of a website as somebody types it, or as a redirect names the next one. Pure."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urljoin, urlsplit

import idna

LONGEST = 400
"""Characters of an address: what is longer is no address of a site's first page."""

Fault = Literal["long", "scheme", "credentials", "host", "number", "port"]
"""What is wrong with an address; a key of the text files: `site.fault.<it>`."""

Scheme = Literal["http", "https"]

_PORTS: dict[Scheme, int] = {"http": 80, "https": 443}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\d)")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)
_IN_PATH = "/%:@!$&'()*+,;=~-._"
_IN_QUERY = _IN_PATH + "?"
_NOT_IN_ADDRESS = re.compile(r"[\s\\\x00-\x1f\x7f]")
"""Where programs differ on where a host ends."""


class AddressError(ValueError):
    """It is no address of a website; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


@dataclass(frozen=True, slots=True)
class Address:
    """Of a website: `host` in ASCII (an IP address without brackets), `target` is path and query."""

    scheme: Scheme
    host: str
    port: int
    target: str = "/"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.target}"

    @property
    def is_https(self) -> bool:
        """Whether it asks for TLS."""
        return self.scheme == "https"


def typed(text: str) -> Address:
    """What a person gave for a site: a name in DNS, never a number. Raises `AddressError`.

    Without a scheme it is http, from where a site that has https leads there.
    """
    text = text.strip()
    found = _parse(text if _SCHEME.match(text) else f"http://{text}")
    if _is_number(found.host):
        raise AddressError("number")
    if "." not in found.host:
        raise AddressError("host")
    return found


def following(here: Address, location: str) -> Address:
    """Where a redirect leads, which may be an IP address. Raises `AddressError`."""
    try:
        return _parse(urljoin(str(here), quote(location.strip(), safe=_IN_QUERY + "#[]")))
    except AddressError:
        raise
    except ValueError as error:
        raise AddressError("host") from error


def plain_of(address: Address) -> Address:
    """The first page of the same host without TLS."""
    return Address("http", address.host, _PORTS["http"])


def shown(address: str) -> str:
    """As people read it: a name with letters of its own language instead of `xn--…`."""
    parts = urlsplit(address)
    try:
        host = idna.decode(parts.hostname or "")
    except idna.IDNAError:
        return address
    return address.replace(f"//{parts.hostname}", f"//{host}", 1)


def _parse(text: str) -> Address:
    if len(text) > LONGEST:
        raise AddressError("long")
    if _NOT_IN_ADDRESS.search(text):
        raise AddressError("host")
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise AddressError("port" if "ort" in str(error) else "host") from error
    if parts.scheme not in _PORTS:
        raise AddressError("scheme")
    scheme: Scheme = "https" if parts.scheme == "https" else "http"
    if "@" in parts.netloc:
        raise AddressError("credentials")
    if "%" in parts.netloc:
        raise AddressError("host")
    if port == 0:
        raise AddressError("port")
    target = quote(parts.path or "/", safe=_IN_PATH)
    if parts.query:
        target += "?" + quote(parts.query, safe=_IN_QUERY)
    found = Address(scheme, _host(host), port or _PORTS[scheme], target)
    if len(str(found)) > LONGEST:
        raise AddressError("long")
    return found


def _host(text: str) -> str:
    """A name as DNS has it, or an IP address as it is written for one: not 2130706433, nor 0x7f.1."""
    try:
        return ipaddress.ip_address(text).compressed
    except ValueError:
        pass
    try:
        name = idna.encode(text, uts46=True, std3_rules=True).decode().lower().rstrip(".")
    except (idna.IDNAError, UnicodeError) as error:
        raise AddressError("host") from error
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        raise AddressError("number")
    return name


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
