"""Which IP addresses the probe may reach: public ones, and those that the province allows. Pure.

Schools type the addresses, so whoever can type one could otherwise have the server ask its own network.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Ip = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_PUBLIC_V4 = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
_UNICAST_V6 = IPv6Network("2000::/3")
"""All that is given out of IPv6 for everybody to reach: loopback, ULA, link-local, multicast, addresses that
carry an IPv4 address (::ffff:0:0/96) and NAT64's own prefixes lie outside."""

_NOT_PUBLIC_V6 = tuple(
    IPv6Network(each)
    for each in (
        "2001::/23",  # protocols, among them Teredo, which carries an IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries an IPv4 address
        "3fff::/20",
    )
)
"""IANA's registries of special-purpose addresses (RFC 6890 and after)."""

_WELL_KNOWN_NAT64 = IPv6Network("64:ff9b::/96")
_OF_NAT64 = frozenset({b"\xc0\x00\x00\xaa", b"\xc0\x00\x00\xab"})
"""The two IPv4 addresses of ipv4only.arpa (RFC 7050)."""

_PLACES = {96: (12, 13, 14, 15), 64: (9, 10, 11, 12), 56: (7, 9, 10, 11), 48: (6, 7, 9, 10)} | {
    40: (5, 6, 7, 9),
    32: (4, 5, 6, 7),
}
"""Length of a NAT64 prefix → the bytes in which the IPv4 address stands (RFC 6052, 2.2)."""


@dataclass(frozen=True, slots=True)
class Reachable:
    """`allowed` networks are reached whatever they are; `own` are this machine's addresses, never reached.

    `nat64` are the prefixes behind which this machine's resolver hides IPv4.
    """

    allowed: tuple[Network, ...] = ()
    own: frozenset[Ip] = frozenset()
    nat64: tuple[IPv6Network, ...] = field(default=(_WELL_KNOWN_NAT64,))

    def has(self, ip: Ip) -> bool:
        """Whether the probe may connect to it."""
        if any(ip in network for network in self.allowed if network.version == ip.version):
            return True
        if ip in self.own or self.is_translated(ip):
            return False
        if isinstance(ip, IPv4Address):
            return ip.is_global and not any(ip in network for network in _NOT_PUBLIC_V4)
        return ip.is_global and ip in _UNICAST_V6 and not any(ip in network for network in _NOT_PUBLIC_V6)

    def is_translated(self, ip: Ip) -> bool:
        """Whether it is an IPv4 address in the clothes of NAT64: no IPv6 of the site."""
        return isinstance(ip, IPv6Address) and any(ip in prefix for prefix in self.nat64)


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Raises `ValueError` for what is no network: `10.1.0.0/16`, `fd12:3456::/48`."""
    return tuple(ip_network(text) for text in texts)


def nat64_prefixes(synthesised: Sequence[IPv6Address]) -> tuple[IPv6Network, ...]:
    """The prefixes of NAT64 by what the resolver says of ipv4only.arpa, and the well-known one."""
    found = {_WELL_KNOWN_NAT64}
    for ip in synthesised:
        for length, places in _PLACES.items():
            if bytes(ip.packed[place] for place in places) in _OF_NAT64:
                found.add(IPv6Network((ip, length), strict=False))
                break
    return tuple(sorted(found))
