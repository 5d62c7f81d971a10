"""Neighbour discovery (RFC 4861): who says that it is a router, and who has which address. Pure.

Its messages have come with hop limit 255. Raises as `struct` and slices do.
"""

import struct
from collections.abc import Iterator
from ipaddress import IPv6Address, IPv6Network

from schoolwatch_agent.lan.events import Ask, Claim, Event, Router, Station, is_one

_SOLICIT_ROUTER, _ROUTER, _SOLICIT, _NEIGHBOUR = 133, 134, 135, 136
_SOURCE_LINK, _TARGET_LINK, _PREFIX, _MTU, _RDNSS = 1, 2, 3, 5, 25
"""Options: RFC 4861 §4.6, RFC 8106 §5.1."""
_PREFERENCES = {0: "medium", 1: "high", 3: "low"}
"""RFC 4191 §2.1; 2 is reserved, and to be taken as medium."""
_MOST = 8
"""Prefixes and resolvers that are told."""


def parse(mac: bytes, source: bytes, body: bytes) -> Event | None:
    """One message; None for what RFC 4861 says to discard."""
    if body[1] != 0:
        return None
    if body[0] == _ROUTER:
        return _router(mac, source, body)
    if body[0] == _SOLICIT:
        return _solicit(mac, source, body)
    if body[0] == _NEIGHBOUR:
        return _neighbour(mac, body)
    return Station(mac) if body[0] == _SOLICIT_ROUTER else None


def _router(mac: bytes, source: bytes, body: bytes) -> Event | None:
    if len(body) < 16 or not _is_link_local(source):
        return None
    options = options_of(body[16:])
    if options is None:
        return None
    mtu = next(
        (int.from_bytes(value[2:6], "big") for code, value in options if code == _MTU and len(value) == 6), 0
    )
    claimed = _link_address(options, _SOURCE_LINK) or mac
    lifetime = struct.unpack_from("!H", body, 6)[0]
    return Router(
        mac,
        claimed,
        source,
        lifetime,
        _flags(body[5], (("M", 0x80), ("O", 0x40))),
        _PREFERENCES.get(body[5] >> 3 & 3, "medium"),
        _joined(_prefix(value) for code, value in options if code == _PREFIX and len(value) == 30),
        _joined(text for code, value in options if code == _RDNSS for text in _resolvers(value)),
        mtu,
    )


def _solicit(mac: bytes, source: bytes, body: bytes) -> Event | None:
    target, options = body[8:24], options_of(body[24:])
    if len(target) < 16 or target[0] == 0xFF or options is None:
        return None
    if not any(source):
        return Ask(mac, target)
    claimed = _link_address(options, _SOURCE_LINK)
    return Claim(mac, claimed, source) if claimed else Station(mac)


def _neighbour(mac: bytes, body: bytes) -> Event | None:
    target, options = body[8:24], options_of(body[24:])
    if len(target) < 16 or target[0] == 0xFF or options is None:
        return None
    flags = _flags(body[4], (("R", 0x80), ("S", 0x40), ("O", 0x20)))
    return Claim(mac, _link_address(options, _TARGET_LINK) or mac, target, flags)


def options_of(rest: bytes) -> list[tuple[int, bytes]] | None:
    """Type and value of each; None for one without a length, for which a packet is discarded (§4.6)."""
    found = []
    while rest:
        size = rest[1] * 8 if len(rest) > 1 else 0
        if not 0 < size <= len(rest):
            return None
        found.append((rest[0], rest[2:size]))
        rest = rest[size:]
    return found


def _link_address(options: list[tuple[int, bytes]], kind: int) -> bytes:
    """The MAC in an option, empty without one."""
    macs = (value for code, value in options if code == kind and len(value) == 6)
    return next((mac for mac in macs if is_one(mac)), b"")


def _prefix(value: bytes) -> str:
    """Empty for one that is taken back by a lifetime of 0, and for the link-local one."""
    length, lifetime, prefix = value[0], value[2:6], value[14:30]
    if length > 128 or not any(lifetime) or _is_link_local(prefix):
        return ""
    return str(IPv6Network((prefix, length), strict=False))


def _resolvers(value: bytes) -> Iterator[str]:
    if any(value[2:6]):  # a lifetime of 0: no longer used
        for at in range(6, len(value) - 15, 16):
            yield str(IPv6Address(value[at : at + 16]))


def _is_link_local(address: bytes) -> bool:
    return address[0] == 0xFE and address[1] & 0xC0 == 0x80


def _flags(value: int, known: tuple[tuple[str, int], ...]) -> str:
    return "+".join(name for name, bit in known if value & bit) or "none"


def _joined(texts: Iterator[str]) -> str:
    return " ".join(sorted({text for text in texts if text})[:_MOST])
