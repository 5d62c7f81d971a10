"""Whether a disk is about to fail: its own verdict (SMART), wear, hours and errors.

On Linux smartctl is asked, and the kernel's files of eMMC. smartctl needs root; without it, what UDisks of
a desktop has read is told, and else a disk's health is unknown. A sleeping disk is not woken. Virtual disks
and sticks are left out; an SD card tells nothing. Serial numbers are not asked for.
"""

import re
from collections.abc import Iterator
from typing import Final

from schoolwatch_agent import asked
from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut
from schoolwatch_agent.formats import smart, windows_disk_health
from schoolwatch_agent.formats.smart import Health
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere
from schoolwatch_contract.records import Fact, Reading

_DISKS: Final = r"(sd[a-z]{1,3}|hd[a-z]|nvme\d{1,3}n\d{1,3}|mmcblk\d{1,3})"
"""virtio's and Xen's (vd, xvd) are never real; eMMC's boot and RPMB parts carry no health of their own."""

_VIRTUAL: Final = r"(?i)qemu|virtual|vmware|vbox|msft"
_MOST: Final = 32
_SMARTCTL: Final = ("smartctl", "-j", "-H", "-A", "-n", "standby")

_BUS_NAME: Final = "org.freedesktop.UDisks2"
_UDISKS: Final = "/org/freedesktop/UDisks2"
_BUSCTL: Final = ("busctl", "--system", "--auto-start=no", "--json=short", "get-property", _BUS_NAME)
_ATA: Final = (
    f"{_BUS_NAME}.Drive.Ata",
    "SmartUpdated",
    "SmartFailing",
    "SmartPowerOnSeconds",
    "SmartNumBadSectors",
)
_NVME: Final = (f"{_BUS_NAME}.NVMe.Controller", "SmartUpdated", "SmartCriticalWarning", "SmartPowerOnHours")


def parse(disk: str, health: Health) -> Iterator[Reading | Fact]:
    """What is sent of one disk; numbers that it does not tell are left out, its health never."""
    labels = {"disk": disk}
    yield Reading("disk_health.healthy", None if health.healthy is None else float(health.healthy), labels)
    state = None if health.healthy is None else "healthy" if health.healthy else "unhealthy"
    yield Fact("disk_health.state", state, labels, "" if state else health.trouble or "not reported")
    numbers = {"power_on_time": health.power_on, "wear": health.wear, "bad_sectors": health.bad_sectors}
    for name, value in numbers.items():
        if value is not None:
            yield Reading(f"disk_health.{name}", value, labels)


def read(host: Host) -> Iterator[Reading | Fact]:
    """One script's parts, or some small files of each disk, and one program each."""
    if host.system == "windows":
        yield from windows_disk_health.parse(asked.posture(host))
        return
    try:
        names = host.names("/sys/block")
    except FileNotFoundError as error:
        raise NotHere from error
    disks = [name for name in names if re.fullmatch(_DISKS, name) and _is_built_in(host, name)][:_MOST]
    if not disks:
        raise NotHere
    for disk in disks:
        yield from parse(disk, _mmc(host, disk) if disk.startswith("mmcblk") else _smart(host, disk))


def _is_built_in(host: Host, disk: str) -> bool:
    folder = f"/sys/block/{disk}"
    if _text(host, f"{folder}/removable").strip() == "1":
        return False
    made = _text(host, f"{folder}/device/vendor") + _text(host, f"{folder}/device/model")
    return not re.search(_VIRTUAL, made)


def _text(host: Host, path: str) -> str:
    try:
        return host.text(path)
    except (OSError, TimedOut):  # not every driver has each file
        return ""


def _mmc(host: Host, disk: str) -> Health:
    folder = f"/sys/block/{disk}/device"
    if _text(host, f"{folder}/type").strip() == "SD":
        return Health(trouble="SD cards do not tell")
    try:
        return smart.emmc(host.text(f"{folder}/life_time"), host.text(f"{folder}/pre_eol_info"))
    except FileNotFoundError:
        return Health(trouble="not supported by this disk")


def _smart(host: Host, disk: str) -> Health:
    health = _smartctl(host, disk)
    return health if health.healthy is not None else _udisks(host, disk) or health


def _smartctl(host: Host, disk: str) -> Health:
    try:
        return smart.smartctl(host.run(*_SMARTCTL, f"/dev/{disk}", timeout=20))
    except Missing:
        return Health(trouble="smartctl is not installed")
    except TimedOut:
        return Health(trouble="timeout")
    except CommandFailed as error:  # its status tells of the disk: the answer is there all the same
        try:
            return smart.smartctl(error.evidence)
        except NotUnderstood:
            return Health(trouble=f"ended with {error.code}")


def _udisks(host: Host, disk: str) -> Health | None:
    """UDisks tells everybody what it has read; it is not started for us. None when it says nothing."""
    try:
        block = host.run(*_BUSCTL, f"{_UDISKS}/block_devices/{disk}", f"{_BUS_NAME}.Block", "Drive")
        drive = smart.properties(block)[0]
        if disk.startswith("nvme"):
            return _told(smart.udisks_nvme(host.run(*_BUSCTL, str(drive), *_NVME)))
        return _told(smart.udisks_ata(host.run(*_BUSCTL, str(drive), *_ATA)))
    except (Missing, CommandFailed, TimedOut, NotUnderstood, IndexError):
        return None


def _told(health: Health) -> Health | None:
    return health if health.healthy is not None else None
