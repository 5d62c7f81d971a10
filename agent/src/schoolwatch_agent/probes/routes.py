"""Default routes: by which link and next hop the machine leaves its network."""

from collections.abc import Iterable, Iterator

from schoolwatch_agent.formats import cim, network
from schoolwatch_agent.host import Host
from schoolwatch_agent.personal import cut_ipv6, nic_label
from schoolwatch_contract.records import Fact


def parse(routes: Iterable[network.Route]) -> Iterator[Fact]:
    """The best default route of each link and family; a link without one has no fact."""
    best: dict[tuple[str, str], network.Route] = {}
    for route in sorted(routes, key=lambda route: route.metric):
        best.setdefault((nic_label(route.nic), route.family), route)
    for (nic, family), route in sorted(best.items()):
        labels = {"family": family, "nic": nic}
        if route.hop is None:
            yield Fact("route.default", "on-link", labels)
        else:
            yield Fact("route.default", cut_ipv6(route.hop) if ":" in route.hop else route.hop[:64], labels)


def read(host: Host) -> Iterator[Fact]:
    """`ip route` for both families, or the script that all network probes share."""
    if host.system == "windows":
        return parse(network.windows_routes(cim.document(host.powershell("network"))))
    found = [
        *network.linux_routes(host.run_once("ip", "-j", "-4", "route", "show", "default"), "4"),
        *network.linux_routes(host.run_once("ip", "-j", "-6", "route", "show", "default"), "6"),
    ]
    return parse(found)
