"""A router advertisement (RFC 4861 §4.2), as far as the IPv6 ladder needs it."""

from ipaddress import IPv6Address, IPv6Network
from typing import Final

import msgspec

from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.lan.neighbours import options_of

_TYPE: Final = 134
_HEADER: Final = 16
_MANAGED, _OTHER, _AUTONOMOUS = 0x80, 0x40, 0x40
_PREFIX, _MTU, _RDNSS, _PREF64 = 3, 5, 25, 38
"""Options: RFC 4861 §4.6.2 and §4.6.4, RFC 8106 §5.1, RFC 8781 §4."""
_PREF64_LENGTHS: Final = (96, 64, 56, 48, 40, 32)
"""Bits of a NAT64 prefix by its prefix length code (RFC 8781 §4)."""


class Advertisement(msgspec.Struct, frozen=True):
    """What a router says.

    `router_lifetime`: seconds it offers itself as a default router (0: not one). `managed`, `other`:
    addresses, or only other information, are had by DHCPv6. `resolvers`: addresses with a lifetime that is
    not 0. `prefixes`: with `autonomous` those from which machines make addresses. `mtu`: bytes. `nat64`:
    the prefix of the network's NAT64.
    """

    router_lifetime: int
    managed: bool = False
    other: bool = False
    resolvers: tuple[str, ...] = ()
    prefixes: tuple[IPv6Network, ...] = ()
    autonomous: tuple[IPv6Network, ...] = ()
    mtu: int | None = None
    nat64: IPv6Network | None = None


def parse(body: bytes) -> Advertisement:
    """From the ICMPv6 body. Raises `NotUnderstood` for what RFC 4861 §6.1.2 says to discard.

    The error does not quote the bytes: they hold the router's link-layer address.
    """
    if len(body) < _HEADER or body[0] != _TYPE or body[1] != 0:
        raise NotUnderstood("not a router advertisement", f"{len(body)} bytes")
    options = _options(body)
    prefixes = [option for option in options if option[0] == _PREFIX and len(option) == 32]
    return Advertisement(
        int.from_bytes(body[6:8], "big"),
        bool(body[5] & _MANAGED),
        bool(body[5] & _OTHER),
        tuple(address for option in options if option[0] == _RDNSS for address in _resolvers(option)),
        tuple(filter(None, map(_prefix, prefixes))),
        tuple(filter(None, (_prefix(option) for option in prefixes if option[3] & _AUTONOMOUS))),
        next((int.from_bytes(o[4:8], "big") for o in options if o[0] == _MTU and len(o) == 8), None),
        next((found for o in options if o[0] == _PREF64 and (found := _nat64(o))), None),
    )


def _options(body: bytes) -> list[bytes]:
    found = options_of(body[_HEADER:])
    if found is None:  # RFC 4861 §4.6: such a packet is discarded
        raise NotUnderstood("an option has no length", f"{len(body)} bytes")
    return [bytes([code, (len(value) + 2) // 8]) + value for code, value in found]


def _resolvers(option: bytes) -> list[str]:
    if len(option) < 24 or not any(option[4:8]):  # a lifetime of 0: "no longer used"
        return []
    return [str(IPv6Address(option[at : at + 16])) for at in range(8, len(option) - 15, 16)]


def _prefix(option: bytes) -> IPv6Network | None:
    length, lifetime = option[2], int.from_bytes(option[4:8], "big")
    if length > 128 or lifetime == 0:  # a valid lifetime of 0 takes the prefix back
        return None
    return IPv6Network((option[16:32], length), strict=False)


def _nat64(option: bytes) -> IPv6Network | None:
    if len(option) != 16:
        return None
    scaled = int.from_bytes(option[2:4], "big")
    lifetime, code = scaled >> 3, scaled & 7
    if lifetime == 0 or code >= len(_PREF64_LENGTHS):
        return None
    return IPv6Network((option[4:16] + bytes(4), _PREF64_LENGTHS[code]), strict=False)


def without_addresses(body: bytes) -> bytes:
    """The same body with the routers' link-layer address options (RFC 4861 §4.6.1) set to zero."""
    kept, rest = bytearray(body[:_HEADER]), body[_HEADER:]
    while len(rest) >= 2 and 0 < rest[1] * 8 <= len(rest):
        option, rest = rest[: rest[1] * 8], rest[rest[1] * 8 :]
        kept += option[:2] + bytes(len(option) - 2) if option[0] in (1, 2) else option
    return bytes(kept)
