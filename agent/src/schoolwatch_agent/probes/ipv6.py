"""How far up the IPv6 ladder the machine gets: rungs 0 to 4, each with its reason.

0 a link-local address (RFC 4291, 4862) · 1 a router advertisement seen (RFC 4861) · 2 it announces
resolvers (RFC 8106) · 3 a global address of 2000::/3, and how it came (RFC 4862, 8415); unique local,
6to4 and Teredo alone are not one · 4 a default route whose next hop answers (RFC 4861).
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut
from schoolwatch_agent.formats import advertisement, cim, network
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Probe
from schoolwatch_contract.records import Fact, Reading
from schoolwatch_contract.settings import Settings

LISTEN: Final = 3.5
"""Seconds to wait for a router: it answers within 0.5 s, or 3 s after its last one (RFC 4861 §6.2.6)."""

_MOST_LINKS: Final = 3
_ANSWERED: Final = frozenset({"reachable", "stale", "delay", "probe", "permanent", "noarp"})
_SILENT: Final = frozenset({"failed", "incomplete", "unreachable"})
_NOT_GLOBAL: Final = (("6to4", "6to4_only"), ("teredo", "teredo_only"), ("ula", "ula_only"))


class Heard(msgspec.Struct, frozen=True):
    """What listening gave: advertisements, or why nobody could listen."""

    advertisements: tuple[advertisement.Advertisement, ...] = ()
    refused: str = ""


Rung = tuple[bool | None, str]


def parse(
    addresses: list[network.Address],
    routes: list[network.Route],
    neighbours: list[network.Neighbour],
    heard: Heard,
) -> Iterator[Reading | Fact]:
    """The five rungs, whatever the ones below them say; None is unknown."""
    sixes = [address for address in addresses if address.family == "6"]
    seen = _seen(sixes, routes, heard)
    rungs: list[Rung] = [
        (True, "link_local")
        if any(address.scope == "link" for address in sixes)
        else (False, "no_link_local"),
        seen,
        _dns(seen, heard),
        _global(sixes),
        _default(routes, neighbours),
    ]
    for number, (reached, reason) in enumerate(rungs):
        labels = {"rung": str(number)}
        yield Reading("ipv6.rung", None if reached is None else float(reached), labels)
        yield Fact("ipv6.rung.reason", reason, labels)


def _seen(sixes: list[network.Address], routes: list[network.Route], heard: Heard) -> Rung:
    if heard.advertisements:
        return True, "advertisement"
    if any(route.from_advertisement for route in routes):
        return True, "route_from_advertisement"
    if any(address.source == "slaac" and address.scope != "link" for address in sixes):
        return True, "address_from_advertisement"
    return (None, heard.refused) if heard.refused else (False, "no_advertisement")


def _dns(seen: Rung, heard: Heard) -> Rung:
    if heard.advertisements:
        announced = any(found.announces_dns for found in heard.advertisements)
        return (True, "rdnss") if announced else (False, "no_rdnss")
    return (False, "no_advertisement") if seen[0] is False else (None, heard.refused or "not_heard")


def _global(sixes: list[network.Address]) -> Rung:
    sources = sorted({address.source or "not_told" for address in sixes if address.scope == "global"})
    if sources:
        return True, "+".join(sources)
    scopes = {address.scope for address in sixes}
    return False, next((reason for scope, reason in _NOT_GLOBAL if scope in scopes), "no_address")


def _default(routes: Iterable[network.Route], neighbours: Iterable[network.Neighbour]) -> Rung:
    defaults = [route for route in routes if route.family == "6"]
    if not defaults:
        return False, "no_route"
    states = {(neighbour.nic, neighbour.address): neighbour.state for neighbour in neighbours}
    found = {states.get((route.nic, route.hop or "")) for route in defaults}
    if found & _ANSWERED:
        return True, "next_hop_answers"
    if any(route.hop is None for route in defaults):
        return None, "route_without_next_hop"
    return (False, "next_hop_silent") if found & _SILENT else (None, "next_hop_not_asked")


def read(host: Host) -> Iterator[Reading | Fact]:
    """Listens, wakes the next hops, and reads the tables; Windows is only read."""
    if host.system == "windows":
        found = cim.document(host.powershell("network"))
        return parse(*_windows(found), Heard(refused="not_permitted"))
    addresses = list(network.linux_addresses(host.run("ip", "-j", "-d", "addr", "show")))
    routes = list(network.linux_routes(host.run("ip", "-j", "-6", "route", "show", "default"), "6"))
    heard = _listen(host, sorted({a.nic for a in addresses if a.family == "6" and a.scope == "link"}))
    for route in routes[:_MOST_LINKS]:
        _wake(host, route)
    neighbours = list(network.linux_neighbours(host.run("ip", "-j", "-6", "neigh", "show")))
    return parse(addresses, routes, neighbours, heard)


def _windows(
    found: dict[str, Any],
) -> tuple[list[network.Address], list[network.Route], list[network.Neighbour]]:
    return (
        list(network.windows_addresses(found)),
        list(network.windows_routes(found)),
        list(network.windows_neighbours(found)),
    )


def _listen(host: Host, nics: list[str]) -> Heard:
    for nic in nics[:_MOST_LINKS]:
        try:
            bodies = host.router_advertisements(nic, LISTEN)
        except PermissionError:
            return Heard(refused="not_permitted")
        except OSError:  # the link went away, or has just gone down
            continue
        heard = tuple(_valid(bodies))
        if heard:
            return Heard(heard)
    return Heard()


def _valid(bodies: Iterable[bytes]) -> Iterator[advertisement.Advertisement]:
    """A malformed advertisement is discarded, as the kernel does (RFC 4861 §6.1.2)."""
    for body in bodies:
        try:
            yield advertisement.parse(body)
        except NotUnderstood:
            continue


def _wake(host: Host, route: network.Route) -> None:
    """One echo request, so that the neighbour table says something of now; its own answer may be filtered."""
    if route.hop is None:
        return
    target = f"{route.hop}%{route.nic}" if route.hop.lower().startswith("fe8") else route.hop
    try:
        host.run("ping", "-6", "-n", "-q", "-c", "1", "-W", "1", target, timeout=3)
    except (Missing, CommandFailed, TimedOut):
        return


def probe(_: Settings) -> Probe:
    """The ladder of a device with these targets."""
    return Probe("ipv6", every=900, read=read, watched=frozenset({"ipv6.rung"}))
