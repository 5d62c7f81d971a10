"""How far up the IPv6 ladder the machine gets: rungs 0 to 11, each with its reason and its time.

What they mean is in `formats.link_rungs` (0 to 4, 11) and `formats.path_rungs` (5 to 9); 10 is DHCPv4
option 108, "IPv6-only preferred" (RFC 8925). Nothing is contacted but what the server's settings name, and
the network's own resolvers, those too only then.
"""

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Any, Final

import msgspec

from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut
from schoolwatch_agent.formats import (
    advertisement,
    attempts,
    cim,
    link_rungs,
    network,
    path_rungs,
)
from schoolwatch_agent.formats.advertisement import Advertisement
from schoolwatch_agent.formats.attempts import Found, Plan
from schoolwatch_agent.formats.link_rungs import Heard, Rung
from schoolwatch_agent.host import Host
from schoolwatch_agent.probes import resolvers
from schoolwatch_contract.records import Fact, Reading
from schoolwatch_contract.settings import Ipv6

LISTEN: Final = 3.5
"""Seconds to wait for a router: it answers within 0.5 s, or 3 s after its last one (RFC 4861 §6.2.6)."""

_MOST_LINKS: Final = 3
_MOST_RESOLVERS: Final = 2
_LOOKS: Final = 7
"""At the neighbour table, two seconds apart."""
_LABEL: Final = 128
"""Characters of a label; names of hosts may be longer."""
_OFFER: Final = 4.0
"""Seconds to wait for a DHCPv4 server: dnsmasq tests for 3 s whether an address is free."""

Tables = tuple[list[network.Address], list[network.Route], list[network.Neighbour]]


def parse(
    tables: Tables, heard: Heard, targets: Ipv6, found: Found | str, option: Rung
) -> Iterator[Reading | Fact]:
    """All rungs; `found` is what the attempts gave, or why there were none."""
    has_ipv4 = any(address.family == "4" and address.scope != "link" for address in tables[0])
    if isinstance(found, str):
        upper, found = path_rungs.unknown(found, heard), Found()
    else:
        upper = path_rungs.rungs(targets, found, heard, has_ipv4=has_ipv4)
    rungs = link_rungs.rungs(*tables, heard) | upper | {10: option}
    if rungs[4].reached is None and any(host.six.outcome == "ok" for host in found.tried):
        rungs[4] = Rung(True, "next_hop_answers")  # what it carries, it answers for
    for number, rung in sorted(rungs.items()):
        labels = {"rung": str(number)}
        yield Reading("ipv6.rung", None if rung.reached is None else float(rung.reached), labels)
        yield Fact("ipv6.rung.reason", rung.reason, labels)
        if rung.seconds is not None:
            yield Reading("ipv6.rung.seconds", rung.seconds, labels)
    yield from _advertised(heard)
    yield from _attempted(found)
    if prefix := path_rungs.nat64_prefix(found, heard):
        yield Fact("ipv6.nat64.prefix", str(prefix))


def _advertised(heard: Heard) -> Iterator[Reading | Fact]:
    if not heard.advertisements:
        return
    yield Reading("ipv6.routers", float(link_rungs.routers(heard)))
    yield Reading("ipv6.router.lifetime", float(max(each.router_lifetime for each in heard.advertisements)))
    if mtus := [each.mtu for each in heard.advertisements if each.mtu is not None]:
        yield Reading("ipv6.advertised.mtu", float(min(mtus)))
    flags = [
        flag
        for flag, is_set in (
            ("M", any(each.managed for each in heard.advertisements)),
            ("O", any(each.other for each in heard.advertisements)),
        )
        if is_set
    ]
    yield Fact("ipv6.advertised.flags", "+".join(flags) or "none")
    prefixes = {str(prefix) for each in heard.advertisements for prefix in each.prefixes}
    if prefixes:
        yield Fact("ipv6.advertised.prefixes", " ".join(sorted(prefixes)[:8]))


def _attempted(found: Found) -> Iterator[Reading | Fact]:
    told = (each for each in reversed(found.asked) if each.about in attempts.TOLD)
    asked = {path_rungs.asked_label(each): each for each in told}
    for label, ask in asked.items():
        yield from _target(5, label, ask)
    for host in found.tried:
        target = host.target[:_LABEL]
        yield from _target(6, target, host.six)
        yield from _target(7, target, host.large)
        for family, attempt in (("6", host.six), ("4", host.four)):
            if attempt.connected is not None:
                yield Reading("ipv6.connect.seconds", attempt.connected, {"target": target, "family": family})
        if host.large.path_mtu is not None:
            yield Reading("ipv6.path_mtu", float(host.large.path_mtu), {"target": target})


def _target(rung: int, target: str, attempt: attempts.Asked | attempts.Try) -> Iterator[Reading | Fact]:
    labels = {"rung": str(rung), "target": target}
    yield Fact("ipv6.target.outcome", attempt.outcome, labels)
    if attempt.outcome == "ok" and attempt.seconds is not None:
        yield Reading("ipv6.target.seconds", attempt.seconds, labels)


def read(host: Host, targets: Ipv6) -> Iterator[Reading | Fact]:
    """Listens (not on Windows), reads the tables, and has a child try the targets."""
    if host.system == "windows":
        tables = _windows(cim.document(host.powershell("network")))
        heard = Heard(refused="not_permitted")
    else:
        tables, heard = _linux(host)
    found = _tried(host, targets, heard)
    option = Rung(None, found) if found == "no_target" else _option_108(host, tables[0])
    return parse(tables, heard, targets, found, option)


def _windows(found: dict[str, Any]) -> Tables:
    return (
        list(network.windows_addresses(found)),
        list(network.windows_routes(found)),
        list(network.windows_neighbours(found)),
    )


def _linux(host: Host) -> tuple[Tables, Heard]:
    links = host.run_once("ip", "-j", "-d", "addr", "show")
    routes = list(network.linux_routes(host.run_once("ip", "-j", "-6", "route", "show", "default"), "6"))
    # a gateway that dials in itself (pppd) has its IPv6 on that link alone
    dialled = {route.nic for route in routes if re.fullmatch(r"ppp\d+", route.nic)}
    addresses = list(network.linux_addresses(links, dialled))
    heard = _listen(host, sorted({a.nic for a in addresses if a.family == "6" and a.scope == "link"}))
    return (addresses, routes, _next_hops(host, routes[:_MOST_LINKS])), heard


def _listen(host: Host, nics: list[str]) -> Heard:
    links = []
    for nic in nics[:_MOST_LINKS]:
        try:
            bodies = host.router_advertisements(nic, LISTEN)
        except PermissionError:
            return Heard(refused="not_permitted")
        except OSError:  # the link went away, or has just gone down
            continue
        if found := tuple(_valid(bodies, nic)):
            links.append(found)
    return Heard(tuple(links))


def _valid(bodies: Iterable[bytes], nic: str) -> Iterator[Advertisement]:
    """A malformed advertisement is discarded, as the kernel does (RFC 4861 §6.1.2)."""
    for body in bodies:
        try:
            found = advertisement.parse(body)
        except NotUnderstood:
            continue
        scoped = (f"{each}%{nic}" if each.startswith("fe8") else each for each in found.resolvers)
        yield msgspec.structs.replace(found, resolvers=tuple(scoped))


def _next_hops(host: Host, routes: list[network.Route]) -> list[network.Neighbour]:
    """The neighbour table once it says something of now; a router that answers an echo is there.

    One that does not may only filter echoes: the system asks whether it is a neighbour still, and says so
    after DELAY_FIRST_PROBE_TIME and three solicitations, 8 s together (RFC 4861 §10). An echo makes it ask,
    unless the neighbour was heard of so lately that it does not (or was forgotten): then another one does.
    """
    asked = {(route.nic, route.hop) for route in routes if route.hop is not None}
    answers = {each: _answers(host, *each) for each in asked}
    for look in range(_LOOKS):
        host.wait(2 if look else 0)
        found = list(network.linux_neighbours(host.run("ip", "-j", "-6", "neigh", "show")))
        states = {each.state for each in found if (each.nic, each.address) in asked}
        if not asked or any(answers.values()) or None in answers.values() or states & link_rungs.SETTLED:
            break
        if not states & link_rungs.ASKING:
            answers = {each: _answers(host, *each) for each in asked}
    return [*found, *(network.Neighbour(*each, "reachable") for each, there in answers.items() if there)]


def _answers(host: Host, nic: str, hop: str) -> bool | None:
    """Whether it answers an echo within a second; None where nobody can ask."""
    target = f"{hop}%{nic}" if hop.lower().startswith("fe8") else hop
    try:
        host.run("ping", "-6", "-n", "-q", "-c", "1", "-W", "1", target, timeout=3)
    except (CommandFailed, TimedOut):
        return False
    except Missing:
        return None
    return True


def _tried(host: Host, targets: Ipv6, heard: Heard) -> Found | str:
    """What the child found, or why it was not sent."""
    plan = _plan(host, targets, heard)
    if plan is None:
        return "no_target"
    try:
        return attempts.parse(host.reach(msgspec.json.encode(plan).decode()))
    except (Missing, CommandFailed, TimedOut, NotUnderstood):
        return "not_tried"


def _plan(host: Host, targets: Ipv6, heard: Heard) -> Plan | None:
    endpoints = targets.endpoints()
    names = path_rungs.names(targets)
    if not endpoints and not names:
        return None
    announced = [each for found in heard.advertisements for each in found.resolvers]
    known = list(dict.fromkeys((*_servers(host), *announced)))
    chosen = [
        server
        for family in (4, 6)
        for server in [each for each in known if _version(each) == family][:_MOST_RESOLVERS]
    ]
    return Plan(tuple(chosen), names, endpoints)


def _servers(host: Host) -> list[str]:
    try:
        return resolvers.servers(host)
    except (OSError, Missing, CommandFailed, TimedOut, NotUnderstood):
        return []  # what the router announces is asked still; the resolvers probe tells why


def _version(address: str) -> int | None:
    try:
        return ip_address(address.partition("%")[0]).version
    except ValueError:
        return None


def _option_108(host: Host, addresses: Iterable[network.Address]) -> Rung:
    """From the offers of the servers on the links that have IPv4, or might."""
    answered = False
    for nic in sorted({each.nic for each in addresses})[:_MOST_LINKS]:
        try:
            offered = host.dhcp_offers(nic, _OFFER)
        except PermissionError:
            return Rung(None, "not_permitted")
        except OSError:  # the link went away, or has just gone down
            continue
        if any(offered):
            return Rung(True, "option_108_offered")
        answered |= bool(offered)
    return Rung(False, "option_108_absent") if answered else Rung(None, "dhcp_silent")
