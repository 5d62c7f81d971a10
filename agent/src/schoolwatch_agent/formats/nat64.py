"""The NAT64 prefix in addresses of `ipv4only.arpa` (RFC 7050 §3), and addresses made with it (RFC 6052)."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final

WELL_KNOWN_NAME: Final = "ipv4only.arpa"
LENGTHS: Final = (96, 64, 56, 48, 40, 32)
"""Bits that a prefix may have (RFC 6052 §2.2)."""

_WELL_KNOWN: Final = (IPv4Address("192.0.0.170"), IPv4Address("192.0.0.171"))
_U: Final = 8
"""The octet that stays zero whatever the prefix (RFC 6052 §2.2)."""


def prefix(addresses: Iterable[str]) -> IPv6Network | None:
    """The prefix with which one of the well-known IPv4 addresses was written into one of these.

    None when there is none, or when the address fits more than one length (RFC 7050 §3).
    """
    for written in addresses:
        number = IPv6Address(written)
        fitting = [length for length in LENGTHS if embedded(number, length) in _WELL_KNOWN]
        if len(fitting) == 1:
            return IPv6Network((number, fitting[0]), strict=False)
    return None


def embedded(address: IPv6Address, length: int) -> IPv4Address | None:
    """The IPv4 address after a prefix of so many bits; None when the octet u is not zero."""
    packed = address.packed
    if length < 96 and packed[_U]:
        return None
    octets = [packed[place] for place in _places(length)]
    return IPv4Address(bytes(octets))


def synthesise(within: IPv6Network, address: IPv4Address) -> IPv6Address:
    """An IPv4 address as the IPv6 address that NAT64 translates to it."""
    octets = bytearray(within.network_address.packed)
    for place, octet in zip(_places(within.prefixlen), address.packed, strict=True):
        octets[place] = octet
    return IPv6Address(bytes(octets))


def _places(length: int) -> list[int]:
    """The four octets that hold the IPv4 address: those after the prefix without u."""
    return [place for place in range(length // 8, 16) if length == 96 or place != _U][:4]
