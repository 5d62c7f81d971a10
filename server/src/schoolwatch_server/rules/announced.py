"""What a router or server announces, in a form in which the same stays the same. Pure."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Final

ANNOUNCED_MAX: Final = 160
"""Characters that are remembered of what one machine announces."""

_OF_PROVIDER, _OF_SITE = 32, 48
"""Leading bits of an IPv6 address that stay when a provider gives its line another prefix, and of local ones.
A registry gives a provider a /32 or more (APNIC-127); what begins a local one has 48 bits (RFC 4193, 3.1)."""

_LOCAL = ipaddress.IPv6Network("fc00::/7")


def announced(by: Sequence[str], detail: Mapping[str, str]) -> str:
    """The values of these details, each sorted, for people to read: `10.0.0.1 · 10.0.0.1 8.8.8.8`.

    A line of many providers has another IPv6 prefix each day, and its resolver an address in it: of IPv6
    addresses only the provider's part is told.
    """
    values = (" ".join(sorted({_stable(one) for one in detail.get(name, "").split()})) for name in by)
    return " · ".join(value or "–" for value in values)[:ANNOUNCED_MAX]


def _stable(text: str) -> str:
    address, _, _ = text.partition("/")
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return text
    if found.version == 4 or found.is_link_local:
        return text
    bits = _OF_SITE if found in _LOCAL else _OF_PROVIDER
    return str(ipaddress.IPv6Network((found, bits), strict=False))
