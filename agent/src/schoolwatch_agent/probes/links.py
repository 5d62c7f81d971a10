"""Network links: up, speed, duplex, wired or wireless, MTU, and what went over them; of hardware only.

On Linux a link counts when the kernel shows a device behind it (/sys/class/net/<nic>/device): that leaves
out lo, bridges, bonds, veth, docker, tun, ifb and dummy links, and keeps virtio and USB adapters.
On Windows it counts when MSFT_NetAdapter says HardwareInterface and not Virtual.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from schoolwatch_agent.formats import cim, network
from schoolwatch_agent.host import Host
from schoolwatch_agent.personal import nic_label
from schoolwatch_agent.probe import NotHere
from schoolwatch_contract.records import Fact, Reading

_NET: Final = "/sys/class/net"
_FILES: Final = ("operstate", "carrier", "speed", "duplex", "mtu")
_COUNTERS: Final = (
    ("link.in_octets", "rx_bytes", "ReceivedBytes"),
    ("link.out_octets", "tx_bytes", "SentBytes"),
    ("link.in_errors", "rx_errors", "ReceivedPacketErrors"),
    ("link.out_errors", "tx_errors", "OutboundPacketErrors"),
    ("link.in_discards", "rx_dropped", "ReceivedDiscardedPackets"),
)
"""Metric (IF-MIB's terms, RFC 2863), file in sysfs (Documentation/ABI/testing/sysfs-class-net-statistics),
property of MSFT_NetAdapterStatisticsSettingData. They count since the driver was loaded."""

_WIRELESS_MEDIA: Final = frozenset({1, 8, 9})
"""NDIS_PHYSICAL_MEDIUM: WirelessLan 1, WirelessWan 8, Native802_11 9 (Microsoft: OID_GEN_PHYSICAL_MEDIUM)."""


class Link(msgspec.Struct, frozen=True):
    """One link; None is what the driver does not tell."""

    nic: str
    up: bool | None
    speed: float | None
    mtu: float | None
    duplex: str | None
    wireless: bool
    counters: dict[str, float | None] = {}


def parse(nic: str, files: dict[str, str | None], *, wireless: bool) -> Link:
    """From sysfs (Documentation/ABI/testing/sysfs-class-net); a file that can't be read is None.

    speed is in Mbit/s, and -1 when the driver does not know it (virtio, Wi-Fi).
    """
    state, carrier = files.get("operstate"), files.get("carrier")
    known = {"up": True, "down": False, "lowerlayerdown": False, "notpresent": False, "dormant": False}
    up = known.get(state or "")
    if up is None and carrier in ("0", "1"):
        up = carrier == "1"
    speed, mtu = cim.number(files.get("speed")), cim.number(files.get("mtu"))
    duplex = files.get("duplex")
    return Link(
        nic_label(nic),
        up,
        speed * 1e6 if speed and up else None,
        mtu,
        duplex if duplex in ("full", "half") and up else None,
        wireless,
        {metric: cim.number(files.get(file)) for metric, file, _ in _COUNTERS},
    )


def parse_windows(found: dict[str, Any]) -> list[Link]:
    """From network.ps1; an adapter without a cable says a speed of 0, null or the largest number."""
    links = []
    statistics = {cim.text(row.get("Name")): row for row in cim.objects(found.get("statistics"))}
    for row in network.windows_adapters(found):
        state = cim.number(row.get("MediaConnectState"))  # 0 unknown, 1 connected, 2 disconnected
        up = {1.0: True, 2.0: False}.get(state) if state is not None else None
        speed = cim.number(row.get("ReceiveLinkSpeed")) or cim.number(row.get("Speed"))
        duplex = cim.flag(row.get("FullDuplex"))
        counted = statistics.get(cim.text(row.get("Name")), {})
        wireless = row.get("NdisPhysicalMedium") in _WIRELESS_MEDIA
        links.append(
            Link(
                str(row["Name"])[:128],
                up,
                speed if speed and up else None,
                cim.number(row.get("MtuSize")),
                None if duplex is None or not up or wireless else "full" if duplex else "half",
                wireless,
                {metric: cim.number(counted.get(name)) for metric, _, name in _COUNTERS},
            )
        )
    return links


def records(links: list[Link]) -> Iterator[Reading | Fact]:
    """What is sent of each link."""
    for link in links:
        labels = {"nic": link.nic}
        yield Reading("link.up", None if link.up is None else float(link.up), labels)
        yield Reading("link.speed", link.speed, labels)
        yield Reading("link.mtu", link.mtu, labels)
        for metric, number in link.counters.items():
            yield Reading(metric, number, labels)
        yield Fact("link.medium", "wireless" if link.wireless else "wired", labels)
        reason = "" if link.duplex else "link is down" if link.up is False else "not reported by the driver"
        yield Fact("link.duplex", link.duplex, labels, reason)


def read(host: Host) -> Iterator[Reading | Fact]:
    """A few small files of each link, or the script that all network probes share."""
    if host.system == "windows":
        links = parse_windows(cim.document(host.powershell("network")))
    else:
        real = [nic for nic in host.names(_NET) if host.exists(f"{_NET}/{nic}/device")]
        links = [parse(nic, _files(host, nic), wireless=_is_wireless(host, nic)) for nic in real]
    if not links:
        raise NotHere
    return records(links)


def _files(host: Host, nic: str) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    counters = {file: f"statistics/{file}" for _, file, _ in _COUNTERS}
    for name, path in ({name: name for name in _FILES} | counters).items():
        try:
            found[name] = host.text(f"{_NET}/{nic}/{path}").strip()
        except OSError:  # a link that is down answers EINVAL for speed, duplex and carrier
            found[name] = None
    return found


def _is_wireless(host: Host, nic: str) -> bool:
    return host.exists(f"{_NET}/{nic}/wireless") or host.exists(f"{_NET}/{nic}/phy80211")
