"""What disks tell of themselves: `smartctl -j -H -A` (smartctl(8), JSON 1.0), UDisks, eMMC's registers.

UDisks' D-Bus API (Block, Drive.Ata, NVMe.Controller) is read with `busctl --json=short get-property`, which
prints a line a property: `{"type":"b","data":false}` (busctl(1)).
"""

import re
from typing import Any, Final

import msgspec

from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.formats import cim

_UNREAD: Final = 0b0000_0011
"""Bits of smartctl's exit status: 0 the command line, 1 the device did not open. Those above tell of it."""

_LIFE_LEFT: Final = frozenset({"SSD_Life_Left", "Media_Wearout_Indicator", "Percent_Lifetime_Remain"})
"""Attributes whose normalised value runs from 100 down as an SSD is written to (smartmontools' drivedb)."""

_REALLOCATED, _PENDING = 5, 197
"""Reallocated sectors, and those waiting for it (ATA attributes, raw values)."""

_REASONS: Final = (
    ("Permission denied", "not permitted"),
    ("Operation not permitted", "not permitted"),
    ("No such device", "not permitted"),  # a service with PrivateDevices sees no disk in /dev
    ("STANDBY", "asleep"),
    ("SLEEP", "asleep"),
    ("Unknown USB bridge", "the USB adapter does not pass it on"),
    ("Unable to detect device type", "not supported by this disk"),
)


class Health(msgspec.Struct, frozen=True):
    """One disk; None is what it does not tell, `trouble` is why it says nothing of its health.

    `power_on` in seconds; `wear` is the part used of the rated life, above 1 when it is outlived.
    """

    healthy: bool | None = None
    power_on: float | None = None
    wear: float | None = None
    bad_sectors: float | None = None
    trouble: str = ""


def smartctl(answer: str) -> Health:
    """One disk's answer, whatever smartctl ended with: its exit status is inside."""
    found = cim.document(answer)
    own = found.get("smartctl")
    status = cim.number(own.get("exit_status")) if isinstance(own, dict) else None
    if not isinstance(own, dict) or status is None:
        raise NotUnderstood("no exit_status in smartctl's answer", answer)
    if int(status) & _UNREAD:
        return Health(trouble=_trouble(own))
    health = found.get("smart_status")
    passed = cim.flag(health.get("passed")) if isinstance(health, dict) else None
    hours = found.get("power_on_time")
    spent = cim.number(hours.get("hours")) if isinstance(hours, dict) else None
    nvme = found.get("nvme_smart_health_information_log")
    attributes = _attributes(found)
    return Health(
        healthy=passed,
        power_on=None if spent is None else spent * 3600,
        wear=_used(nvme) if isinstance(nvme, dict) else _worn(found, attributes),
        bad_sectors=_bad(attributes),
        trouble="" if passed is not None else "not supported by this disk",
    )


def _trouble(own: dict[str, Any]) -> str:
    said = " ".join(str(message.get("string")) for message in cim.objects(own.get("messages")))
    known = (reason for words, reason in _REASONS if words.lower() in said.lower())
    return next(known, "smartctl could not read it")


def _attributes(found: dict[str, Any]) -> list[dict[str, Any]]:
    table = found.get("ata_smart_attributes")
    return cim.objects(table.get("table")) if isinstance(table, dict) else []


def _used(nvme: dict[str, Any]) -> float | None:
    """`percentage_used` of NVMe's health log; 255 stands for all above 254 (NVMe 1.4, figure 194)."""
    used = cim.number(nvme.get("percentage_used"))
    return None if used is None else used / 100


def _worn(found: dict[str, Any], attributes: list[dict[str, Any]]) -> float | None:
    endurance = found.get("endurance_used")  # smartctl 7.4 and later: from the device statistics
    if isinstance(endurance, dict) and (used := cim.number(endurance.get("current_percent"))) is not None:
        return used / 100
    left = [cim.number(one.get("value")) for one in attributes if one.get("name") in _LIFE_LEFT]
    return next((1 - value / 100 for value in left if value is not None and value <= 100), None)


def _bad(attributes: list[dict[str, Any]]) -> float | None:
    raw = [cim.objects(one.get("raw")) for one in attributes if one.get("id") in (_REALLOCATED, _PENDING)]
    told = [cim.number(one.get("value")) for objects in raw for one in objects]
    known = [value for value in told if value is not None]
    return sum(known) if known else None


def properties(answer: str) -> list[Any]:
    """The values that busctl printed, in the order they were asked for."""
    return [cim.document(line).get("data") for line in answer.splitlines() if line.strip()]


def udisks_ata(answer: str) -> Health:
    """SmartUpdated, SmartFailing, SmartPowerOnSeconds and SmartNumBadSectors of Drive.Ata.

    UDisks looks by itself every ten minutes; updated at 0 is never. Bad sectors of -1 are not known.
    """
    updated, failing, seconds, bad = _four(answer)
    if not cim.number(updated) or not isinstance(failing, bool):
        return Health(trouble="not supported by this disk")
    return Health(healthy=not failing, power_on=cim.number(seconds) or None, bad_sectors=cim.number(bad))


def udisks_nvme(answer: str) -> Health:
    """SmartUpdated, SmartCriticalWarning and SmartPowerOnHours of NVMe.Controller (UDisks 2.10)."""
    updated, warnings, hours, _ = _four(answer)
    if not cim.number(updated) or not isinstance(warnings, list):
        return Health(trouble="not supported by this disk")
    spent = cim.number(hours)
    return Health(healthy=not warnings, power_on=spent * 3600 if spent else None)


def _four(answer: str) -> list[Any]:
    return [*properties(answer), None, None, None, None][:4]


def emmc(life_time: str, pre_eol_info: str) -> Health:
    """`0x02 0x01` and `0x01` of /sys/class/mmc_host (JESD84-B51, kernel's mmc-dev-attrs.rst).

    Life time, of two kinds of memory: steps of 10 % used, 0x0B when it is over. Pre-EOL: 1 normal, 2 80 %
    of the reserve is used, 3 more than that. 0 is "not told".
    """
    steps = [int(step, 16) for step in re.findall(r"0x([0-9a-fA-F]{1,2})\b", life_time)]
    ends = re.fullmatch(r"0x([0-9a-fA-F]{1,2})", pre_eol_info.strip())
    if len(steps) != 2 or ends is None:
        raise NotUnderstood("not an eMMC's life time", f"{life_time} {pre_eol_info}")
    told = [step for step in steps if 1 <= step <= 11]
    reserve = int(ends[1], 16)
    healthy = None if reserve not in (1, 2, 3) else reserve == 1 and 11 not in told
    return Health(
        healthy=healthy,
        wear=max(told) / 10 if told else None,
        trouble="" if healthy is not None else "not supported by this disk",
    )
