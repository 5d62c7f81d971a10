"""Which machine this is: keyed digests of its hardware and name, and whether software freezes its disk.

Frozen are: Deep Freeze (Faronics; its driver DeepFrz), Unified Write Filter (Microsoft; UWF_Filter),
Shadow Defender (its driver diskpt; from third-party descriptions), and on Linux a root of overlayfs.
"""

from collections.abc import Iterator
from typing import Any, Final

from schoolwatch_agent import asked
from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut
from schoolwatch_agent.formats import cim, hints
from schoolwatch_agent.formats.hints import Kind
from schoolwatch_agent.formats.registry import Unread
from schoolwatch_agent.host import Host
from schoolwatch_contract.records import Fact

Found = dict[Kind, tuple[str, ...]]

NO_KEY: Final = "not enrolled"
_DMI: Final = "/sys/class/dmi/id"
_DRIVERS: Final = (("DeepFrz", "deep-freeze"), ("diskpt", "shadow-defender"))
_PROPERTIES: Final[tuple[tuple[Kind, str], ...]] = (
    ("system", "UUID"),
    ("board", "SerialNumber"),
    ("disk", "SerialNumber"),
    ("mac", "PermanentAddress"),
)
_FILES: Final[tuple[tuple[Kind, str], ...]] = (("system", "product_uuid"), ("board", "board_serial"))
_SERVICES: Final = r"SYSTEM\CurrentControlSet\Services"


def parse(found: Found, key: bytes, freezing: str | None) -> Iterator[Fact]:
    """A fact for each kind; unknown without a key, or where the machine says nothing or nobody may ask."""
    digests = hints.digests(key, found)
    for kind in hints.KINDS:
        told = digests.get(kind, ()) if key else ()
        reason = "not permitted" if kind not in found else "not filled in by the maker"
        labels: dict[str, str] = {"kind": kind}
        if told:
            yield Fact("identity.hint", " ".join(told), labels)
        else:
            yield Fact("identity.hint", None, labels, reason if key else NO_KEY)
    yield Fact("identity.freezing", freezing, {}, "" if freezing else "not reported")


def parse_windows(found: dict[str, Any]) -> Found:
    """From identity.ps1: Win32_ComputerSystemProduct, Win32_BaseBoard, MSFT_PhysicalDisk, MSFT_NetAdapter."""
    return {
        kind: tuple(
            value for part in cim.objects(found.get(kind)) if (value := cim.text(part.get(name))) is not None
        )
        for kind, name in _PROPERTIES
    }


def frozen_root(mounts: str) -> bool:
    """Whether /proc/mounts has an overlay as root whose writes go to memory: overlayroot, a live system.

    The root of a container is an overlay too; its upper folder lies on the disk of its host.
    """
    lines = [fields for fields in map(str.split, mounts.splitlines()) if len(fields) > 3]
    in_memory = [fields[1].rstrip("/") + "/" for fields in lines if fields[2] == "tmpfs"]
    roots = [fields[3] for fields in lines if fields[1:3] == ["/", "overlay"]]
    uppers = [
        option.removeprefix("upperdir=")
        for options in roots
        for option in options.split(",")
        if option.startswith("upperdir=")
    ]
    return any(upper.startswith(folder) for upper in uppers for folder in in_memory)


def hints_of(host: Host) -> Found:
    """The hints of a machine as they are; a kind that nobody may read is not in it."""
    found = parse_windows(_script(host)) if host.system == "windows" else _linux(host)
    return {**found, "name": (host.node_name(),)}


def freezing(host: Host) -> str | None:
    """The freezing software of a machine, `none` without any; None when it cannot be known."""
    if host.system == "linux":
        return "overlay" if frozen_root(host.text("/proc/mounts")) else "none"
    starts = [asked.value(host, rf"{_SERVICES}\{driver}", "Start") for driver, _ in _DRIVERS]
    for start, (_, product) in zip(starts, _DRIVERS, strict=True):
        if start is not None and not isinstance(start, Unread):
            return product
    try:
        filters = [cim.flag(part.get("CurrentEnabled")) for part in cim.objects(_script(host).get("uwf"))]
    except (Missing, CommandFailed, TimedOut, NotUnderstood):
        return None
    if True in filters:
        return "uwf"
    return None if any(isinstance(start, Unread) for start in starts) else "none"


def _script(host: Host) -> dict[str, Any]:
    return cim.document(host.powershell("identity"))


def _linux(host: Host) -> Found:
    found: Found = {}
    for kind, file in _FILES:
        try:
            found[kind] = (host.text(f"{_DMI}/{file}"),)
        except FileNotFoundError:
            found[kind] = ()
        except (OSError, TimedOut):  # root alone may read them
            continue
    try:
        found["disk"] = hints.disk_names(host.names("/dev/disk/by-id"))
    except FileNotFoundError:
        found["disk"] = ()
    try:
        found["mac"] = tuple(_macs(host))
    except FileNotFoundError:
        found["mac"] = ()
    return found


def _macs(host: Host) -> Iterator[str]:
    for nic in host.names("/sys/class/net"):
        try:
            if host.exists(f"/sys/class/net/{nic}/device"):  # virtual links have none
                yield host.text(f"/sys/class/net/{nic}/address")
        except OSError:  # the link went away
            continue


def read(host: Host, key: bytes) -> Iterator[Fact]:
    """The identity under a school's key; without one only the freezing software is told."""
    return parse(hints_of(host) if key else {}, key, freezing(host))
