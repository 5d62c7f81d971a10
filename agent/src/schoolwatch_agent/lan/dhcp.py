"""What DHCP servers answer (RFC 2131, RFC 2132; RFC 8415). Pure. Raises as `struct` and slices do."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from schoolwatch_agent.lan.events import Event, Offer, Offer6, Station

_COOKIE = b"\x63\x82\x53\x63"
_OFFERS = (b"\2", b"\5")
_ROUTER, _RESOLVERS, _OVERLOAD, _TYPE, _SERVER, _BOOT = 3, 6, 52, 53, 54, 67
_ROUTES = (33, 121, 249)
"""Static routes (RFC 2132, RFC 3442, and Microsoft's number of the latter)."""
_PROXY = 252
"""Web Proxy Auto-Discovery: whoever gives it may read what browsers ask for."""
_MOST = 4
"""Addresses of one option that are told."""

_ADVERTISE, _REPLY = 2, 7
_DUID, _ADDRESSES, _ADDRESS, _PREFERENCE, _RESOLVERS6, _DOMAINS, _PREFIX, _BOOT6 = (
    2,
    (3, 4),
    5,
    7,
    23,
    24,
    25,
    59,
)
_HEADS = {3: 12, 4: 4}
"""Bytes of an identity association before its own options: IA_NA and IA_TA (RFC 8415 §21.4, §21.5)."""


def offer(mac: bytes, source: bytes, message: bytes) -> Event | None:
    """An OFFER or ACK; of another message of a server only that it is there."""
    if message[:1] != b"\2" or message[236:240] != _COOKIE:
        return None
    options = options_of(message)
    if options.get(_TYPE) not in _OFFERS:
        return Station(mac)
    given = {
        "address": any(message[16:20]),
        "boot": _BOOT in options or (any(message[108:236]) and _OVERLOAD not in options),
        "proxy": _PROXY in options,
        "resolvers": _RESOLVERS in options,
        "router": _ROUTER in options,
        "routes": any(code in options for code in _ROUTES),
    }
    server = options.get(_SERVER, b"")
    return Offer(
        mac,
        str(IPv4Address(server if len(server) == 4 else source)),
        _addresses(options.get(_ROUTER, b"")),
        _addresses(options.get(_RESOLVERS, b"")),
        _words(given),
        any(message[24:28]),
    )


def options_of(message: bytes) -> dict[int, bytes]:
    """Those of all fields that hold options (RFC 2132 §9.3); of one code in parts its whole (RFC 3396)."""
    found: dict[int, bytes] = {}
    _collect(found, message[240:])
    overload = found.get(_OVERLOAD, b"\0")[:1]
    if overload in (b"\1", b"\3"):
        _collect(found, message[108:236])
    if overload in (b"\2", b"\3"):
        _collect(found, message[44:108])
    return found


def _collect(found: dict[int, bytes], rest: bytes) -> None:
    at = 0
    while at + 1 < len(rest) and rest[at] != 255:
        if rest[at] == 0:
            at += 1
            continue
        code, size = rest[at], rest[at + 1]
        found[code] = found.get(code, b"") + rest[at + 2 : at + 2 + size]
        at += 2 + size


def offer6(mac: bytes, message: bytes) -> Event | None:
    """An ADVERTISE or REPLY; of another message of a server only that it is there."""
    if message[:1] not in (bytes([_ADVERTISE]), bytes([_REPLY])):
        return Station(mac)
    options = dict(_options6(message[4:]))
    given = {
        "address": any(
            _ADDRESS in dict(_options6(options[code][_HEADS[code] :]))
            for code in _ADDRESSES
            if code in options
        ),
        "boot": _BOOT6 in options,
        "domain": _DOMAINS in options,
        "prefix": _PREFIX in options,
        "resolvers": _RESOLVERS6 in options,
    }
    resolvers = options.get(_RESOLVERS6, b"")
    each = (resolvers[at : at + 16] for at in range(0, min(len(resolvers) // 16, _MOST) * 16, 16))
    preference = options.get(_PREFERENCE, b"")
    return Offer6(
        mac,
        options.get(_DUID, b"")[:130].hex(),
        " ".join(str(IPv6Address(address)) for address in each),
        _words(given),
        preference[0] if len(preference) == 1 else 0,
    )


def _options6(rest: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(rest):
        code, size = int.from_bytes(rest[at : at + 2], "big"), int.from_bytes(rest[at + 2 : at + 4], "big")
        yield code, rest[at + 4 : at + 4 + size]
        at += 4 + size


def _addresses(value: bytes) -> str:
    count = min(len(value) // 4, _MOST)
    return " ".join(str(IPv4Address(value[at * 4 : at * 4 + 4])) for at in range(count))


def _words(given: dict[str, bool]) -> str:
    return " ".join(word for word, is_given in given.items() if is_given)
