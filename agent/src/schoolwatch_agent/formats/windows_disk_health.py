"""What Windows knows of its disks' health (posture.ps1). Serial numbers are not asked for.

MSFT_PhysicalDisk.HealthStatus: 0 healthy, 1 warning, 2 unhealthy, 5 unknown. MSFT_StorageReliabilityCounter:
Wear in percent of the planned life, PowerOnHours, ReadErrorsUncorrected; many drivers leave them empty.
MSStorageDriver_FailurePredictStatus is the disk's own SMART verdict.
"""

from collections.abc import Iterator
from typing import Any, Final

from schoolwatch_agent.formats import cim
from schoolwatch_contract.records import Fact, Reading

_HEALTH: Final = {0: "healthy", 1: "warning", 2: "unhealthy"}
_VIRTUAL: Final = (14, 15)
"""BusType: a file backed disk, and a virtual one, have no health of their own."""


def parse(found: dict[str, Any]) -> Iterator[Reading | Fact]:
    """One disk a number, as the hardware probe names them."""
    rows, reason = cim.part(found, "disks")
    counters = {_label(row.get("DeviceId")): row for row in cim.part(found, "reliability")[0]}
    predicted = {
        _label(row.get("disk")): cim.flag(row.get("predicted")) for row in cim.part(found, "prediction")[0]
    }
    disks = {_label(row.get("DeviceId")): row for row in rows if row.get("BusType") not in _VIRTUAL}
    if not rows:
        yield Reading("disk_health.healthy", None, {"disk": "unknown"})
        yield Fact("disk_health.state", None, {"disk": "unknown"}, reason or "not reported")
    for disk, row in disks.items():
        labels = {"disk": disk}
        health = _HEALTH.get(_code(row.get("HealthStatus")))
        yield Reading("disk_health.healthy", None if health is None else float(health == "healthy"), labels)
        yield Fact("disk_health.state", health, labels, "" if health else "not reported by the driver")
        fails = predicted.get(disk)
        yield Reading("disk_health.failure_predicted", None if fails is None else float(fails), labels)
        yield from _counters(counters.get(disk, {}), labels)


def _counters(row: dict[str, Any], labels: dict[str, str]) -> Iterator[Reading]:
    wear, hours = cim.number(row.get("Wear")), cim.number(row.get("PowerOnHours"))
    yield Reading("disk_health.wear", None if wear is None else wear / 100, labels)
    yield Reading("disk_health.power_on_time", hours * 3600 if hours else None, labels)
    errors = cim.whole(row.get("ReadErrorsUncorrected"))
    yield Reading("disk_health.read_errors", None if errors is None else float(errors), labels)


def _code(value: object) -> int:
    """A state's number; PowerShell may show the name instead."""
    if isinstance(value, str) and not value.strip().isdecimal():
        return {"healthy": 0, "warning": 1, "unhealthy": 2}.get(value.strip().lower(), -1)
    number = cim.whole(value)
    return -1 if number is None else number


def _label(value: object) -> str:
    return str(value if isinstance(value, str | int) else "0").strip()[:32] or "0"
