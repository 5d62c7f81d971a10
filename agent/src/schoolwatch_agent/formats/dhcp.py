"""A question to the DHCPv4 servers of a link, and their offers (RFC 2131, RFC 2132), about option 108.

A server says "IPv6-only preferred" (RFC 8925) only to those who ask for it.
"""

from typing import Final

from schoolwatch_agent.lan.dhcp import options_of

_COOKIE: Final = b"\x63\x82\x53\x63"
_FIXED: Final = 236
"""Bytes of a message before the cookie (RFC 2131 §2)."""
_TYPE, _WANTED, _END, _IPV6_ONLY = 53, 55, 255, 108
_DISCOVER, _OFFER = 1, 2
_BROADCAST: Final = 0x8000
_ASKED: Final = (1, 3, 6, _IPV6_ONLY, 121, 252)
"""Mask, router, resolvers, option 108; routes and a web proxy, of which a gateway's LAN watch hears so."""


def ipv6_only(message: bytes, transaction: int) -> bytes | None:
    """Option 108 of an offer: four bytes, or none when the offer is without it; None for another message."""
    if len(message) < _FIXED + 4 or message[0] != 2 or message[_FIXED : _FIXED + 4] != _COOKIE:
        return None
    if int.from_bytes(message[4:8], "big") != transaction:
        return None
    options = options_of(message)
    if options.get(_TYPE) != bytes([_OFFER]):
        return None
    found = options.get(_IPV6_ONLY, b"")
    return found if len(found) == 4 else b""
