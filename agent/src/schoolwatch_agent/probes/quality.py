"""Latency, jitter and loss to the gateway, to the server and to the hosts that the server names.

The gateway apart from the server tells a fault in the school from one of its line; v4 apart from v6.
"""

from collections.abc import Iterator, Sequence

import msgspec

from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.formats import cim, network
from schoolwatch_agent.formats.echoes import Family, Outcome, Plan, Target, Tried, quality
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere
from schoolwatch_contract.records import Fact, Reading
from schoolwatch_contract.settings import Settings

GATEWAY, SERVER = "gateway", "server"

_GATEWAY_PORTS = (53, 80, 443)
"""A gateway that answers no echoes answers names or has a page, or refuses."""

_TIMEOUT = 25.0
_REASONS: dict[Outcome, str] = {
    "no_name": "name not found",
    "no_ping": "ping is not installed",
    "not_permitted": "not permitted",
    "unreachable": "no route",
    "silent": "answers nothing",
    "failed": "not understood",
}


def plan(routes: Sequence[network.Route], settings: Settings) -> Plan:
    """Whom to ask: the next hop of the best default route of each family, the server, and the hosts.

    Raises `NotHere` for a machine without a way out.
    """
    best: dict[Family, network.Route] = {}
    for route in sorted(routes, key=lambda route: route.metric):
        best.setdefault("6" if route.family == "6" else "4", route)
    if not best:
        raise NotHere
    targets = [
        Target(GATEWAY, _scoped(route.hop, route.nic), _GATEWAY_PORTS)
        for route in best.values()
        if route.hop is not None
    ]
    server = settings.quality.server
    if server is not None:
        targets.append(Target(SERVER, server.host, (server.port,), answers=True))
    targets += [Target(host, host, (443,)) for host in settings.quality.hosts]
    return Plan(tuple(targets), tuple(sorted(best)))


def parse(answer: str) -> Iterator[Reading | Fact]:
    """What the child found; what it could not find out is unknown with the reason."""
    try:
        found = msgspec.json.decode(answer, type=tuple[Tried, ...])
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotUnderstood(str(error), answer) from error
    for tried in found:
        labels = {"target": tried.name, "family": tried.family}
        if tried.method is None or not tried.times:
            yield from (Reading(f"quality.{name}", None, labels) for name in ("latency", "jitter", "loss"))
            yield Fact("quality.method", None, labels, _REASONS.get(tried.outcome, "not understood"))
            continue
        seen = quality(tried.times)
        yield Reading("quality.latency", seen.latency, labels)
        yield Reading("quality.jitter", seen.jitter, labels)
        yield Reading("quality.loss", seen.loss, labels)
        yield Fact("quality.method", tried.method, labels)


def read(host: Host, settings: Settings) -> Iterator[Reading | Fact]:
    """Towards what the server named; without settings the gateway alone."""
    wanted = plan(_routes(host), settings)
    return parse(host.echoes(msgspec.json.encode(wanted).decode(), _TIMEOUT))


def _routes(host: Host) -> list[network.Route]:
    if host.system == "windows":
        return list(network.windows_routes(cim.document(host.powershell("network"))))
    return [
        *network.linux_routes(host.run_once("ip", "-j", "-4", "route", "show", "default"), "4"),
        *network.linux_routes(host.run_once("ip", "-j", "-6", "route", "show", "default"), "6"),
    ]


def _scoped(hop: str, nic: str) -> str:
    """A link-local address is one of a link; Windows finds that link itself."""
    return f"{hop}%{nic}" if hop.lower().startswith("fe80:") and " " not in nic else hop
