"""The rungs of the IPv6 ladder that a machine's own link tells: 0 to 4, and 11.

0 a link-local address (RFC 4291, 4862) · 1 a router advertisement seen (RFC 4861) · 2 it announces
resolvers (RFC 8106) · 3 a global address of 2000::/3, and how it came (RFC 4862, 8415); unique local,
6to4 and Teredo alone are not one · 4 a default route whose next hop answers (RFC 4861) · 11 nobody but
the one router advertises itself (RFC 6104).
"""

from collections.abc import Iterable
from ipaddress import IPv6Network
from typing import Final

import msgspec

from schoolwatch_agent.formats.advertisement import Advertisement
from schoolwatch_agent.formats.network import Address, Neighbour, Route

_ANSWERED: Final = frozenset({"reachable", "permanent", "noarp"})
"""Not "stale": a router that was there once may be gone."""
_SILENT: Final = frozenset({"failed", "incomplete", "unreachable"})
SETTLED: Final = _ANSWERED | {"failed", "unreachable"}
"""The system is not asking any more."""
ASKING: Final = frozenset({"delay", "probe", "incomplete"})

_NOT_GLOBAL: Final = (("6to4", "6to4_only"), ("teredo", "teredo_only"), ("ula", "ula_only"))
_GLOBAL: Final = IPv6Network("2000::/3")
_6TO4: Final = IPv6Network("2002::/16")


class Rung(msgspec.Struct, frozen=True):
    """Whether a rung is reached (None: unknown), why, and seconds that it took where it takes time."""

    reached: bool | None
    reason: str
    seconds: float | None = None


class Heard(msgspec.Struct, frozen=True):
    """What listening gave, link by link: one advertisement a router; or why nobody could listen."""

    links: tuple[tuple[Advertisement, ...], ...] = ()
    refused: str = ""

    @property
    def advertisements(self) -> tuple[Advertisement, ...]:
        """Those of all links."""
        return tuple(each for link in self.links for each in link)


def rungs(
    addresses: list[Address], routes: list[Route], neighbours: list[Neighbour], heard: Heard
) -> dict[int, Rung]:
    """Each by itself, whatever the ones below it say; a machine off every network tells none of them."""
    if not addresses and not routes and not heard.advertisements:
        return dict.fromkeys((0, 1, 2, 3, 4, 11), Rung(None, "no_network"))
    sixes = [address for address in addresses if address.family == "6"]
    seen = _seen(sixes, routes, heard)
    has_link_local = any(address.scope == "link" for address in sixes)
    return {
        0: Rung(has_link_local, "link_local" if has_link_local else "no_link_local"),
        1: seen,
        2: _dns(seen, heard),
        3: _global(sixes, heard),
        4: _default(routes, neighbours, heard),
        11: _alone(heard),
    }


def _seen(sixes: list[Address], routes: list[Route], heard: Heard) -> Rung:
    if heard.advertisements:
        return Rung(True, "advertisement")
    if any(route.from_advertisement for route in routes):
        return Rung(True, "route_from_advertisement")
    if any(address.source in ("slaac", "temporary") and address.scope != "link" for address in sixes):
        return Rung(True, "address_from_advertisement")
    return Rung(None, heard.refused) if heard.refused else Rung(False, "no_advertisement")


def _dns(seen: Rung, heard: Heard) -> Rung:
    if heard.advertisements:
        announced = any(found.resolvers for found in heard.advertisements)
        return Rung(True, "rdnss") if announced else Rung(False, "no_rdnss")
    if seen.reached is False:
        return Rung(False, "no_advertisement")
    return Rung(None, heard.refused or "not_heard")


def _global(sixes: list[Address], heard: Heard) -> Rung:
    sources = sorted({address.source or "not_told" for address in sixes if address.scope == "global"})
    if sources:
        return Rung(True, "+".join(sources))
    scopes = {address.scope for address in sixes}
    other = next((reason for scope, reason in _NOT_GLOBAL if scope in scopes), "no_address")
    return Rung(False, _not_taken(heard, other))


def _not_taken(heard: Heard, otherwise: str) -> str:
    """Why there is no global address although the router offers some; `otherwise` when it offers none."""
    offered = [
        prefix
        for each in heard.advertisements
        for prefix in each.autonomous
        if prefix.subnet_of(_GLOBAL) and not prefix.subnet_of(_6TO4)
    ]
    if offered:
        return "offer_not_taken" if any(prefix.prefixlen == 64 for prefix in offered) else "prefix_not_64"
    managed = any(each.managed for each in heard.advertisements)
    return "dhcpv6_gave_nothing" if managed and otherwise == "no_address" else otherwise


def _default(routes: Iterable[Route], neighbours: Iterable[Neighbour], heard: Heard) -> Rung:
    defaults = [route for route in routes if route.family == "6"]
    if not defaults:
        lifetimes = [found.router_lifetime for found in heard.advertisements]
        return Rung(False, "router_lifetime_0" if lifetimes and not any(lifetimes) else "no_route")
    states = {(neighbour.nic, neighbour.address): neighbour.state for neighbour in neighbours}
    found = {states.get((route.nic, route.hop or "")) for route in defaults}
    if found & _ANSWERED:
        return Rung(True, "next_hop_answers")
    if any(route.hop is None for route in defaults):
        return Rung(None, "route_without_next_hop")
    return Rung(False, "next_hop_silent") if found and found <= _SILENT else Rung(None, "next_hop_not_asked")


def _alone(heard: Heard) -> Rung:
    """A second router may be a spare one: that is for a person to say. A 6to4 prefix is a PC's mistake."""
    if any(prefix.subnet_of(_6TO4) for found in heard.advertisements for prefix in found.prefixes):
        return Rung(False, "6to4_advertised")
    if not heard.advertisements:
        return Rung(None, heard.refused or "not_heard")
    return Rung(None, "several_routers") if routers(heard) > 1 else Rung(True, "one_router")


def is_disputed(heard: Heard) -> bool:
    """Whether something beside the school's one router may have the machine's packets."""
    return routers(heard) > 1 or _alone(heard).reason == "6to4_advertised"


def routers(heard: Heard) -> int:
    """The most that were heard on one link: a machine on two networks rightly hears two."""
    return max(map(len, heard.links), default=0)
