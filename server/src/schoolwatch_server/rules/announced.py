"""What a router or server announces, in a form in which the same stays the same. Pure."""

import ipaddress
from collections.abc import Collection, Mapping, Sequence
from typing import Final

ITSELF: Final = ""
"""What each announces: that it is there."""

_OF_PROVIDER, _OF_SITE = 32, 48
"""Leading bits of an IPv6 address that stay when a provider gives its line another prefix, and of local ones.
A registry gives a provider a /32 or more (APNIC-127); what begins a local one has 48 bits (RFC 4193, 3.1)."""

_LOCAL = ipaddress.IPv6Network("fc00::/7")


def announced(by: Sequence[str], detail: Mapping[str, str]) -> tuple[str, ...]:
    """Each value of these details: `router 10.0.0.1`, `resolvers 8.8.8.8`; and `ITSELF`.

    A line of many providers has another IPv6 prefix each day, and its resolver an address in it: of IPv6
    addresses only the provider's part is told.
    """
    values = (f"{name} {_stable(one)}" for name in by for one in detail.get(name, "").split())
    return tuple(dict.fromkeys((ITSELF, *values)))


def by_detail(by: Sequence[str], told: Collection[str]) -> tuple[tuple[str, str], ...]:
    """What `announced` gave, detail by detail: `router`, `10.0.0.1 10.0.0.2`."""
    of = ((name, sorted(one.partition(" ")[2] for one in told if one.startswith(f"{name} "))) for name in by)
    return tuple((name, " ".join(values)) for name, values in of if values)


def in_words(by: Sequence[str], told: Collection[str]) -> str:
    """The same as a text that is kept as evidence: `router 10.0.0.1 · resolvers 10.0.0.1 8.8.8.8`."""
    return " · ".join(f"{name} {values}" for name, values in by_detail(by, told)) or "–"


def _stable(text: str) -> str:
    address, _, _ = text.partition("/")
    bare, percent, zone = address.partition("%")
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        return text
    if found.version == 4:
        return text
    if found.is_link_local:
        return f"{found}{percent}{zone}"  # in one form
    bits = _OF_SITE if found in _LOCAL else _OF_PROVIDER
    return str(ipaddress.IPv6Network((found, bits), strict=False))
