"""What one frame says, as far as the watch is concerned. MACs and addresses are bytes."""

from typing import NamedTuple


def is_one(mac: bytes) -> bool:
    """Whether it is the MAC of one device: no group, and not empty."""
    return not mac[0] & 1 and any(mac)


class Station(NamedTuple):
    """Somebody is there."""

    mac: bytes


class Claim(NamedTuple):
    """`mac` sent that `claimed` has the address (4 or 16 bytes): by ARP or neighbour discovery (`flags`)."""

    mac: bytes
    claimed: bytes
    address: bytes
    flags: str = ""


class Ask(NamedTuple):
    """Duplicate address detection: `mac` is about to take the address (RFC 4862 §5.4)."""

    mac: bytes
    address: bytes


class Offer(NamedTuple):
    """A DHCPv4 server's OFFER or ACK: addresses as text, with spaces between; `gives` in words."""

    mac: bytes
    server: str
    router: str
    resolvers: str
    gives: str
    relayed: bool


class Offer6(NamedTuple):
    """A DHCPv6 server's ADVERTISE or REPLY; `server` is its DUID in hex, `preference` 0 to 255."""

    mac: bytes
    server: str
    resolvers: str
    gives: str
    preference: int


class Router(NamedTuple):
    """A router advertisement of a link-local `address`; `lifetime` in seconds, `mtu` 0 when it says none.

    `claimed` is the MAC that it gives for itself.
    """

    mac: bytes
    claimed: bytes
    address: bytes
    lifetime: int
    flags: str
    preference: str
    prefixes: str
    resolvers: str
    mtu: int


Event = Station | Claim | Ask | Offer | Offer6 | Router
