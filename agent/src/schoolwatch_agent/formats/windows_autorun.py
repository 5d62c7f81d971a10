"""What Windows may start by itself: AutoRun of drives, and marks and checks of attachments.

Group policy values as Microsoft's reference of group policy documents them. NoDriveTypeAutoRun has a bit for
each kind of drive on which AutoRun is off; where it is not set Windows acts as with 0x91 (unknown, network
and reserved kinds). Attachment Manager (KB 883260): SaveZoneInformation 1 does not keep where a file came
from, 2 does; HideZoneInfoOnProperties 1 takes from the user the means to remove that mark;
ScanWithAntiVirus 1 is off, 2 optional, 3 on. It is set per user: only users who are logged in have any.
"""

from collections.abc import Iterator
from typing import Any, Final

from schoolwatch_agent.formats import cim, windows_users
from schoolwatch_agent.formats.registry import Values, why
from schoolwatch_contract.records import Fact, Reading

_EXPLORER: Final = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\Explorer"
_ATTACHMENTS: Final = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\Attachments"
_USERS: Final = ("NoDriveTypeAutoRun", "SaveZoneInformation", "HideZoneInfoOnProperties", "ScanWithAntiVirus")
MACHINE: Final = {
    "NoDriveTypeAutoRun": (_EXPLORER, "NoDriveTypeAutoRun"),
    "NoAutorun": (_EXPLORER, "NoAutorun"),
    "NoAutoplayfornonVolume": (r"SOFTWARE\Policies\Microsoft\Windows\Explorer", "NoAutoplayfornonVolume"),
    "SaveZoneInformation": (_ATTACHMENTS, "SaveZoneInformation"),
    "HideZoneInfoOnProperties": (_ATTACHMENTS, "HideZoneInfoOnProperties"),
    "ScanWithAntiVirus": (_ATTACHMENTS, "ScanWithAntiVirus"),
}
"""Values below HKEY_LOCAL_MACHINE: key and name."""

_DRIVES: Final = {"removable": 0x04, "fixed": 0x08, "network": 0x10, "optical": 0x20}


def parse(machine: Values, found: dict[str, Any]) -> Iterator[Reading | Fact]:
    """The machine's values come before the users' (group policy); users who differ leave it unknown."""
    users, reason = windows_users.users(found)
    for name in MACHINE:
        yield _setting(name, "machine", {cim.whole(machine.get(name))}, why(machine.get(name)))
    for name in _USERS:
        yield _setting(name, "user", {cim.whole(user.get(name)) for user in users}, reason)

    def said(name: str) -> int | None:
        own = machine.get(name)
        if own is None:
            return _agreed({cim.whole(user.get(name)) for user in users})
        return cim.whole(own)  # one that can't be read would come before the users' all the same

    mask = said("NoDriveTypeAutoRun")
    for drive, bit in _DRIVES.items():
        yield Reading("autorun.enabled", None if mask is None else float(not mask & bit), {"drive": drive})
    yield _is("autorun.commands_blocked", said("NoAutorun"), {1: 1.0, 0: 0.0, 2: 0.0})
    yield _is("autorun.devices_blocked", said("NoAutoplayfornonVolume"), {1: 1.0, 0: 0.0})
    yield _is("attachments.origin_kept", said("SaveZoneInformation"), {1: 0.0, 2: 1.0})
    yield _is("attachments.origin_removable", said("HideZoneInfoOnProperties"), {1: 0.0, 0: 1.0})
    yield _is("attachments.scanned", said("ScanWithAntiVirus"), {1: 0.0, 3: 1.0})


def _agreed(values: set[int | None]) -> int | None:
    return next(iter(values)) if len(values) == 1 else None


def _setting(name: str, scope: str, values: set[int | None], reason: str) -> Fact:
    """All values that are set, smallest first: users may differ."""
    told = " ".join(str(value) for value in sorted(value for value in values if value is not None))
    labels = {"setting": name, "scope": scope}
    return Fact("autorun.setting", told[:64] or None, labels, "" if told else reason)


def _is(metric: str, value: int | None, meaning: dict[int, float]) -> Reading:
    return Reading(metric, None if value is None else meaning.get(value))
