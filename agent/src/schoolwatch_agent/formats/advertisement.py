"""A router advertisement (RFC 4861 §4.2), as far as the IPv6 ladder needs it."""

from typing import Final

import msgspec

from schoolwatch_agent.errors import NotUnderstood

_TYPE: Final = 134
_HEADER: Final = 16
_RDNSS: Final = 25
"""Recursive DNS server option (RFC 8106 §5.1)."""


class Advertisement(msgspec.Struct, frozen=True):
    """Seconds it offers itself as a default router (0: not one), and whether it announces resolvers."""

    router_lifetime: int
    announces_dns: bool


def parse(body: bytes) -> Advertisement:
    """From the ICMPv6 body. Raises `NotUnderstood` for what RFC 4861 §6.1.2 says to discard.

    The error does not quote the bytes: they hold the router's link-layer address.
    """
    if len(body) < _HEADER or body[0] != _TYPE or body[1] != 0:
        raise NotUnderstood("not a router advertisement", f"{len(body)} bytes")
    dns = False
    rest = body[_HEADER:]
    while rest:
        size = rest[1] * 8 if len(rest) >= 2 else 0
        if size == 0 or size > len(rest):  # RFC 4861 §4.6: such a packet is discarded
            raise NotUnderstood("an option has no length", f"{len(body)} bytes")
        # at least one address, and a lifetime that is not 0 ("no longer used")
        dns |= rest[0] == _RDNSS and size >= 24 and any(rest[4:8])
        rest = rest[size:]
    return Advertisement(int.from_bytes(body[6:8], "big"), dns)


def without_addresses(body: bytes) -> bytes:
    """The same body with the routers' link-layer address options (RFC 4861 §4.6.1) set to zero."""
    kept, rest = bytearray(body[:_HEADER]), body[_HEADER:]
    while len(rest) >= 2 and 0 < rest[1] * 8 <= len(rest):
        option, rest = rest[: rest[1] * 8], rest[rest[1] * 8 :]
        kept += option[:2] + bytes(len(option) - 2) if option[0] in (1, 2) else option
    return bytes(kept)
