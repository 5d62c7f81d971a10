"""Addresses, routes and neighbours as `ip -json` (iproute2) and network.ps1 (Windows) tell them."""

import re
from collections.abc import Collection, Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

import msgspec

from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.formats import cim

_PLUMBING: Final = (
    r"lo|docker(_gwbridge|\d*)|br-[0-9a-f]{12}|virbr\d+(-nic)?|lxc(br)?\d*|(lxd|incus)br\d+|cni\w*|podman\d*|"
    r"vmnet\d+|vboxnet\d+|waydroid\d+"
)
_REAL_KINDS: Final = frozenset({None, "bridge", "bond", "team", "vlan"})
_TEREDO: Final = IPv6Network("2001::/32")
_6TO4: Final = IPv6Network("2002::/16")
_GLOBAL: Final = IPv6Network("2000::/3")
_ULA: Final = IPv6Network("fc00::/7")
_WINDOWS_ORIGINS: Final = {1: "manual", 2: "wellknown", 3: "dhcp", 4: "routeradvertisement"}
_WINDOWS_NEIGHBOURS: Final = (
    "unreachable",
    "incomplete",
    "probe",
    "delay",
    "stale",
    "reachable",
    "permanent",
)


class Address(msgspec.Struct, frozen=True):
    """One address of a link: family "4" or "6", scope, and how it was got (None: not told).

    `source` is static, dhcp, dhcpv6, slaac, or temporary: by SLAAC with a suffix that changes (RFC 8981).
    """

    nic: str
    family: str
    scope: str
    source: str | None


class Route(msgspec.Struct, frozen=True):
    """A default route; `hop` is its next hop, None when the link itself is the way out."""

    nic: str
    family: str
    hop: str | None
    metric: float
    from_advertisement: bool


class Neighbour(msgspec.Struct, frozen=True):
    """What the machine knows of a next hop: state in lower case, as reachable, stale, failed."""

    nic: str
    address: str
    state: str


def is_counted(nic: str, kind: str | None = None) -> bool:
    """Whether a link stands for a way into the network.

    Loopback, container and virtual-machine plumbing (docker0, br-…, virbr0, veth), tunnels and ifb/dummy
    devices don't; a bridge, bond or VLAN that an administrator made does, for addresses live on it.
    """
    return kind in _REAL_KINDS and re.fullmatch(_PLUMBING, nic) is None


def scope(address: IPv4Address | IPv6Address) -> str | None:
    """global, private, link, ula, teredo, 6to4; None for loopback, multicast and unspecified."""
    if address.is_loopback or address.is_multicast or address.is_unspecified:
        return None
    if address.is_link_local:
        return "link"
    if isinstance(address, IPv4Address):
        return "global" if address.is_global else "private"
    for network, name in ((_TEREDO, "teredo"), (_6TO4, "6to4"), (_GLOBAL, "global"), (_ULA, "ula")):
        if address in network:
            return name
    return None


def linux_addresses(ip_addr: str, dialled: Collection[str] = ()) -> Iterator[Address]:
    """From `ip -j -d addr`; links that are not counted are left out, but for those `dialled` (PPPoE)."""
    for link in listed(ip_addr):
        nic, kind = link.get("ifname"), _inner(link.get("linkinfo")).get("info_kind")
        if not isinstance(nic, str):
            continue
        # tun, ppp, sit: not a link of the school's network
        is_ours = link.get("link_type") in ("ether", None) or kind is not None
        if nic not in dialled and not (is_ours and is_counted(nic, kind)):
            continue
        for info in cim.objects(link.get("addr_info")):
            yield from _linux_address(nic, info)


def _linux_address(nic: str, info: dict[str, Any]) -> Iterator[Address]:
    written = info.get("local")
    if not isinstance(written, str):
        return
    address = ip_address(written)
    found = scope(address)
    if found is None or info.get("dadfailed"):  # another machine has it: it is not used (RFC 4862 §5.4.5)
        return
    source: str | None = "static"
    if found == "link":
        source = None
    elif info.get("dynamic"):
        slaac = address.version == 6 and info.get("prefixlen") != 128
        made = "temporary" if info.get("temporary") else "slaac"  # RFC 8981
        source = made if slaac else "dhcp" if address.version == 4 else "dhcpv6"
    yield Address(nic, str(address.version), found, source)


def linux_routes(ip_route: str, family: str) -> Iterator[Route]:
    """Default routes from `ip -j -4 route` or `ip -j -6 route`."""
    for route in listed(ip_route):
        if route.get("dst") != "default" or route.get("type") in ("unreachable", "blackhole", "prohibit"):
            continue
        advertised = route.get("protocol") == "ra"
        for hop in [route, *cim.objects(route.get("nexthops"))]:
            nic = hop.get("dev")
            if isinstance(nic, str):
                via = hop.get("gateway") or _inner(hop.get("via")).get("host")
                metric = cim.number(route.get("metric")) or 0.0
                yield Route(nic, family, via if isinstance(via, str) else None, metric, advertised)


def linux_neighbours(ip_neigh: str) -> Iterator[Neighbour]:
    """From `ip -j -6 neigh`."""
    for entry in listed(ip_neigh):
        nic, address = entry.get("dev"), entry.get("dst")
        states = cim.texts(entry.get("state"))
        if isinstance(nic, str) and isinstance(address, str) and states:
            yield Neighbour(nic, address, states[0].lower())


def windows_addresses(found: dict[str, Any]) -> Iterator[Address]:
    """From network.ps1: addresses (MSFT_NetIPAddress) of the adapters that are hardware."""
    real = {adapter.get("ifIndex") for adapter in windows_adapters(found)}
    for row in cim.objects(found.get("addresses")):
        nic, written = cim.text(row.get("InterfaceAlias")), cim.text(row.get("IPAddress"))
        if nic is None or written is None or row.get("InterfaceIndex") not in real:
            continue
        address = ip_address(written.partition("%")[0])
        kind = scope(address)
        if kind is not None:
            source = _windows_source(row.get("PrefixOrigin"), address, kind)
            if source == "slaac" and row.get("SuffixOrigin") in (5, "Random"):
                source = "temporary"  # MSFT_NetIPAddress: the suffix is random, and changes
            yield Address(nic, str(address.version), kind, source)


def _windows_source(origin: object, address: IPv4Address | IPv6Address, kind: str) -> str | None:
    if kind == "link":
        return None
    name = _WINDOWS_ORIGINS.get(origin) if isinstance(origin, int) else str(origin or "").lower()
    dhcp = "dhcp" if address.version == 4 else "dhcpv6"
    return {"manual": "static", "dhcp": dhcp, "routeradvertisement": "slaac"}.get(name or "")


def windows_adapters(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The adapters (MSFT_NetAdapter) that are hardware: no Hyper-V switch, VPN, loopback or filter."""
    for row in cim.objects(found.get("adapters")):
        if (
            cim.flag(row.get("HardwareInterface"))
            and not cim.flag(row.get("Virtual"))
            and cim.text(row.get("Name"))
        ):
            yield row


def windows_routes(found: dict[str, Any]) -> Iterator[Route]:
    """Default routes from network.ps1 (MSFT_NetRoute)."""
    for row in cim.objects(found.get("routes")):
        nic, prefix = cim.text(row.get("InterfaceAlias")), cim.text(row.get("DestinationPrefix"))
        if nic is None or prefix not in ("0.0.0.0/0", "::/0"):
            continue
        hop = cim.text(row.get("NextHop"))
        metric = (cim.number(row.get("RouteMetric")) or 0) + (cim.number(row.get("InterfaceMetric")) or 0)
        on_link = hop in (None, "::", "0.0.0.0")  # nosec B104 # noqa: S104  Windows' way to write "no next hop"
        yield Route(
            nic, "6" if ":" in prefix else "4", None if on_link else hop, metric, from_advertisement=False
        )


def windows_neighbours(found: dict[str, Any]) -> Iterator[Neighbour]:
    """From network.ps1 (MSFT_NetNeighbor); its states are numbers 0 to 6 or their names.

    A next hop that answered an echo (`answering`) comes last, as reachable: that is newer than the table.
    """
    for row in (*cim.objects(found.get("neighbours")), *cim.objects(found.get("answering"))):
        nic, address, state = (
            cim.text(row.get("InterfaceAlias")),
            cim.text(row.get("IPAddress")),
            row.get("State"),
        )
        if isinstance(state, int) and 0 <= state < len(_WINDOWS_NEIGHBOURS):
            state = _WINDOWS_NEIGHBOURS[state]
        if nic and address and isinstance(state, str):
            yield Neighbour(nic, address, state.lower())


def listed(text: str) -> list[dict[str, Any]]:
    """The objects of a JSON list; `ip` prints nothing at all when there is nothing to say."""
    if not text.strip():
        return []
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotUnderstood("not JSON", text) from error
    if not isinstance(found, list):
        raise NotUnderstood("not a JSON list", text)
    return [item for item in found if isinstance(item, dict)]


def _inner(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
