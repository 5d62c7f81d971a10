"""The wireless link in use, by `iw dev NIC link` (Linux): signal, channel, rates, standard.

Neither the network's name nor the access point's address is sent. Windows is not asked: the one interface
that is not in the language of the machine (wlanapi) needs the right to the machine's position since 24H2.
"""

import re
from collections.abc import Iterator
from typing import Final

from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut
from schoolwatch_agent.host import Host
from schoolwatch_agent.personal import nic_label
from schoolwatch_agent.probe import NotHere
from schoolwatch_contract.records import Fact, Reading

_NET: Final = "/sys/class/net"
_STANDARDS: Final = (("EHT-MCS", "be"), ("HE-MCS", "ax"), ("VHT-MCS", "ac"), ("MCS", "n"))
"""Words of a bitrate in iw's print_link (iw, link.c and station.c), the newest first."""

_METRICS: Final = (
    ("wifi.signal", r"^\s*signal:\s*(-?\d+(?:\.\d+)?)\s*dBm", 1.0),
    ("wifi.frequency", r"^\s*freq:\s*(\d+(?:\.\d+)?)", 1e6),
    ("wifi.in_rate", r"^\s*rx bitrate:\s*(\d+(?:\.\d+)?)\s*MBit/s", 1e6),
    ("wifi.out_rate", r"^\s*tx bitrate:\s*(\d+(?:\.\d+)?)\s*MBit/s", 1e6),
)


def parse(nic: str, link: str) -> Iterator[Reading | Fact]:
    """What `iw dev NIC link` prints; a link that is not connected tells nothing."""
    if link.strip() == "Not connected.":
        return
    if not link.startswith("Connected to "):
        raise NotUnderstood("not what iw prints of a link", link)
    labels = {"nic": nic}
    for metric, pattern, factor in _METRICS:
        found = re.search(pattern, link, re.MULTILINE)
        yield Reading(metric, float(found[1]) * factor if found else None, labels)
    rates = " ".join(re.findall(r"^\s*[rt]x bitrate:(.*)$", link, re.MULTILINE))
    standard = next((name for word, name in _STANDARDS if re.search(rf"\b{word}\b", rates)), None)
    if standard is None and rates:
        standard = "older"
    yield Fact("wifi.standard", standard, labels, "" if standard else "not reported by the driver")


def read(host: Host) -> Iterator[Reading | Fact]:
    """Each wireless link; a machine without one has nothing to tell."""
    if host.system == "windows":
        raise NotHere
    links = [nic for nic in host.names(_NET) if host.exists(f"{_NET}/{nic}/phy80211")]
    if not links:
        raise NotHere
    for nic in links:
        yield from _ask(host, nic)


def _ask(host: Host, nic: str) -> Iterator[Reading | Fact]:
    label = nic_label(nic)
    try:
        said = host.run("iw", "dev", nic, "link", timeout=5)
    except Missing:
        reason = "iw is not installed"
    except CommandFailed as error:
        reason = f"ended with {error.code}"
    except TimedOut:
        reason = "timeout"
    else:
        yield from parse(label, said)
        return
    for metric, _, _ in _METRICS:
        yield Reading(metric, None, {"nic": label})
    yield Fact("wifi.standard", None, {"nic": label}, reason)
