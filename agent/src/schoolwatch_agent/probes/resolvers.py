"""The name servers that the machine is set to ask."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Any, Final

from schoolwatch_agent.formats import cim, network
from schoolwatch_agent.host import Host
from schoolwatch_agent.personal import cut_ipv6
from schoolwatch_contract.records import Fact, Reading

_OWN: Final = frozenset({"127.0.0.53", "127.0.0.54"})
"""systemd-resolved itself; the servers that it asks are in its own file (systemd-resolved.service(8))."""
_UPSTREAM: Final = "/run/systemd/resolve/resolv.conf"
_MOST: Final = 8


def parse(resolv_conf: str) -> Iterator[Reading | Fact]:
    """Lines as `nameserver 192.168.1.1`, resolv.conf(5)."""
    return _records(_servers(resolv_conf))


def _servers(resolv_conf: str) -> list[str]:
    lines = (line.split() for line in resolv_conf.splitlines())
    return [fields[1] for fields in lines if len(fields) >= 2 and fields[0] == "nameserver"]


def parse_windows(found: dict[str, Any]) -> Iterator[Reading | Fact]:
    """From network.ps1: what Get-DnsClientServerAddress says of the adapters that are hardware."""
    return _records(_windows_servers(found))


def _windows_servers(found: dict[str, Any]) -> list[str]:
    real = {adapter.get("ifIndex") for adapter in network.windows_adapters(found)}
    rows = [row for row in cim.objects(found.get("resolvers")) if row.get("InterfaceIndex") in real]
    servers = [server for row in rows for server in cim.texts(row.get("ServerAddresses"))]
    # fec0:0:0:ffff::1 to ::3 are Windows' placeholders for "none set"
    return list(dict.fromkeys(each for each in servers if not each.lower().startswith("fec0:0:0:ffff")))


def _records(servers: Iterable[str]) -> Iterator[Reading | Fact]:
    by_family: dict[str, list[str]] = {"4": [], "6": []}
    for server in servers:
        address = ip_address(server.partition("%")[0])
        by_family[str(address.version)].append(str(address))
    for family, addresses in by_family.items():
        yield Reading("resolver.count", float(len(addresses)), {"family": family})
        for order, written in enumerate(addresses[:_MOST], 1):
            shown = cut_ipv6(written) if family == "6" else written
            yield Fact("resolver.address", shown, {"family": family, "order": str(order)})


def servers(host: Host) -> list[str]:
    """As written: a link-local one has its link behind a %. Raises as the doors do."""
    if host.system == "windows":
        return _windows_servers(cim.document(host.powershell("network")))
    text = host.text("/etc/resolv.conf")
    if set(_servers(text)) & _OWN and host.exists(_UPSTREAM):
        text = host.text(_UPSTREAM)
    return _servers(text)


def read(host: Host) -> Iterator[Reading | Fact]:
    """One file, or the script that all network probes share."""
    return _records(servers(host))
