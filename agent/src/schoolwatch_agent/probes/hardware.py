"""The machine: maker, model, BIOS date, chassis, kinds of disk. Serial numbers are never read."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, Final

from schoolwatch_agent.errors import NotUnderstood, TimedOut
from schoolwatch_agent.formats import cim
from schoolwatch_agent.host import Host
from schoolwatch_contract.records import Fact

_DMI: Final = "/sys/class/dmi/id"
_DMI_FILES: Final = ("sys_vendor", "product_name", "bios_date", "chassis_type")

_CHASSIS: Final = {
    **dict.fromkeys((3, 4, 5, 6, 7, 13, 15, 16, 24, 34, 35, 36), "desktop"),
    **dict.fromkeys((8, 9, 10, 14, 30, 31, 32), "laptop"),
    **dict.fromkeys((17, 23, 25, 28, 29), "server"),
}
"""SMBIOS (DMTF DSP0134) table "System Enclosure or Chassis Types"; tablets count as laptops."""

_PLACEHOLDER: Final = (
    r"(?i)to be filled.*|system (product name|manufacturer|version)|default string|o\.?e\.?m\.?|"
    r"not (specified|applicable|available)|none|unknown|invalid|undefined|n/a|x+|0+|type1.*|empty|\W*"
)
_VIRTUAL: Final = (
    r"(?i)\b(qemu|kvm|vmware|virtualbox|innotek|xen|bochs|parallels|hyper-v|virtual machine|openstack|bhyve|"
    r"amazon ec2|google compute engine|firecracker|standard pc)\b"
)
_SKIPPED_DISKS: Final = r"(loop|ram|zram|dm-|md|sr|fd|nbd|drbd|rbd)\d*"


def parse(dmi: dict[str, str], board: str, cpuinfo: str) -> Iterator[Fact]:
    """DMI texts by file name, the device tree's model on machines without DMI, and /proc/cpuinfo."""
    vendor, model = _told(dmi.get("sys_vendor")), _told(dmi.get("product_name")) or _told(board.strip("\x00"))
    why = "not filled in by the maker" if dmi else "no DMI tables"
    yield _fact("hardware.vendor", vendor, why)
    yield _fact("hardware.model", model, why)
    yield _fact("hardware.bios_date", _american(dmi.get("bios_date", "")), why)
    virtual = bool(re.search(_VIRTUAL, f"{vendor} {model}")) or " hypervisor" in cpuinfo
    yield _chassis(cim.number(dmi.get("chassis_type")), why, virtual=virtual)


def parse_disk(name: str, rotational: str, model: str) -> Fact:
    """One disk of /sys/block; virtio and Xen disks say nothing true about what they turn on."""
    labels = {"disk": name}
    if re.match(r"(xvd|vd)[a-z]", name) or re.search(r"(?i)qemu|virtual|vmware|vbox", model):
        return Fact("hardware.disk_type", "virtual", labels)
    kind = {"0": "ssd", "1": "hdd"}.get(rotational.strip())
    return Fact("hardware.disk_type", kind, labels, "" if kind else "not reported by the driver")


def parse_windows(found: dict[str, Any]) -> Iterator[Fact]:
    """From hardware.ps1: Win32_ComputerSystem, Win32_BIOS, Win32_SystemEnclosure, MSFT_PhysicalDisk."""
    computer = next(iter(cim.objects(found.get("computer"))), {})
    vendor, model = _told(cim.text(computer.get("Manufacturer"))), _told(cim.text(computer.get("Model")))
    why = "not filled in by the maker"
    yield _fact("hardware.vendor", vendor, why)
    yield _fact("hardware.model", model, why)
    bios = next(iter(cim.objects(found.get("bios"))), {})
    try:
        released, unknown = cim.instant(bios.get("ReleaseDate")), why
    except NotUnderstood:
        released, unknown = None, "not understood"
    day = None if released is None else datetime.fromtimestamp(released, UTC).date().isoformat()
    yield _fact("hardware.bios_date", day, unknown)
    enclosure = next(iter(cim.objects(found.get("enclosure"))), {})
    types = enclosure.get("ChassisTypes")
    first = types[0] if isinstance(types, list) and types else types
    yield _chassis(cim.number(first), why, virtual=bool(re.search(_VIRTUAL, f"{vendor} {model}")))
    for disk in cim.objects(found.get("disks")):
        yield _windows_disk(disk)


def _windows_disk(disk: dict[str, Any]) -> Fact:
    """MSFT_PhysicalDisk: MediaType 0 unspecified, 3 HDD, 4 SSD, 5 SCM; BusType 14, 15 virtual, 16 spaces."""
    labels = {"disk": str(disk.get("DeviceId") or "0")[:32]}
    if disk.get("BusType") in (14, 15, 16) or re.search(
        r"(?i)virtual|qemu|vmware|vbox", str(disk.get("FriendlyName"))
    ):
        return Fact("hardware.disk_type", "virtual", labels)
    media = disk.get("MediaType")
    kind = {3: "hdd", 4: "ssd", 5: "ssd", "HDD": "hdd", "SSD": "ssd", "SCM": "ssd"}.get(
        media if isinstance(media, int | str) else 0
    )
    if kind is None and disk.get("BusType") == 17:  # NVMe
        kind = "ssd"
    return Fact("hardware.disk_type", kind, labels, "" if kind else "the driver does not say")


def _chassis(kind: float | None, why: str, *, virtual: bool) -> Fact:
    if virtual:
        return Fact("hardware.chassis", "virtual")
    if kind is None or int(kind) & 0x7F == 2:  # the top bit is the lock; 2 is "unknown"
        return Fact("hardware.chassis", None, {}, why)
    return Fact("hardware.chassis", _CHASSIS.get(int(kind) & 0x7F, "other"))


def _told(text: str | None) -> str | None:
    found = " ".join((text or "").split())
    return found[:128] if found and not re.fullmatch(_PLACEHOLDER, found) else None


def _american(text: str) -> str | None:
    """SMBIOS writes MM/DD/YYYY, and MM/DD/YY for the 1900s."""
    found = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{2}|\d{4})", text.strip())
    if found is None:
        return None
    year = int(found[3]) + (1900 if len(found[3]) == 2 else 0)
    try:
        return date(year, int(found[1]), int(found[2])).isoformat()
    except ValueError as error:
        raise NotUnderstood("not a BIOS date", text) from error


def _fact(name: str, value: str | None, why: str) -> Fact:
    return Fact(name, value) if value else Fact(name, None, {}, why)


def read(host: Host) -> Iterator[Fact]:
    """Small files of sysfs, or one script."""
    if host.system == "windows":
        yield from parse_windows(cim.document(host.powershell("hardware")))
        return
    dmi = {name: text for name in _DMI_FILES if (text := _maybe(host, f"{_DMI}/{name}"))}
    yield from parse(dmi, _maybe(host, "/proc/device-tree/model"), host.text("/proc/cpuinfo"))
    blocks = host.names("/sys/block") if host.exists("/sys/block") else ()
    for name in blocks:
        if not re.fullmatch(_SKIPPED_DISKS, name):
            rotational = _maybe(host, f"/sys/block/{name}/queue/rotational")
            yield parse_disk(name, rotational, _maybe(host, f"/sys/block/{name}/device/model"))


def _maybe(host: Host, path: str) -> str:
    try:
        return host.text(path)
    except (OSError, TimedOut):
        return ""
