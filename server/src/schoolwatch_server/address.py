"""HOST:PORT as people type it: 127.0.0.1:8080, [::1]:8080 or a name with a port."""

import ipaddress
from dataclasses import dataclass

from schoolwatch_server.config import is_host


@dataclass(frozen=True, slots=True)
class Address:
    """Where something listens."""

    host: str
    port: int

    def __str__(self) -> str:
        """As it is typed."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse(text: str) -> Address:
    """Raises ValueError, saying what is wrong."""
    host, colon, digits = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not colon or not is_host(host):
        raise ValueError(f"{text[:80]!r} is not HOST:PORT, for example 127.0.0.1:18080")
    if not (digits.isascii() and digits.isdigit() and 1 <= len(digits) <= 5 and 1 <= int(digits) <= 65535):
        raise ValueError(f"{text[:80]!r}: the port is a number from 1 to 65535")
    return Address(host, int(digits))


def reachable(host: str) -> str:
    """The address by which this machine reaches what listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # nosec B104 # noqa: S104  it is where not to connect to


def is_own(address: str) -> bool:
    """Whether that is this machine, as it reaches itself: what passes others on comes from there."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return False
    return known in (ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1"))
