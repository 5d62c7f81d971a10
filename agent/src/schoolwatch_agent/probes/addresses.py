"""How many addresses each link has, of which scope, and how it got them; never the addresses."""

from collections import Counter
from collections.abc import Iterable, Iterator

from schoolwatch_agent.formats import cim, network
from schoolwatch_agent.host import Host
from schoolwatch_agent.personal import nic_label
from schoolwatch_contract.records import Fact, Reading


def parse(addresses: Iterable[network.Address]) -> Iterator[Reading | Fact]:
    """Counts by link, family and scope; a scope without an address is left out, not sent as 0."""
    counts: Counter[tuple[str, str, str]] = Counter()
    sources: dict[tuple[str, str], set[str]] = {}
    for address in addresses:
        nic = nic_label(address.nic)
        counts[nic, address.family, address.scope] += 1
        if address.source is not None:
            sources.setdefault((nic, address.family), set()).add(address.source)
    for (nic, family, scope), count in sorted(counts.items()):
        yield Reading("address.count", float(count), {"nic": nic, "family": family, "scope": scope})
    for (nic, family), found in sorted(sources.items()):
        yield Fact("address.source", "+".join(sorted(found)), {"nic": nic, "family": family})


def read(host: Host) -> Iterator[Reading | Fact]:
    """`ip addr`, or the script that all network probes share."""
    if host.system == "windows":
        return parse(network.windows_addresses(cim.document(host.powershell("network"))))
    return parse(network.linux_addresses(host.run_once("ip", "-j", "-d", "addr", "show")))
