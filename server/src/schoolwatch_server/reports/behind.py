"""Which computers stand behind a number: those that were counted for it, and those known not to fulfil it."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection

from schoolwatch_server.database.seen import RUNG_NUMBERS, by_device, rung
from schoolwatch_server.indicators.limits import limits_here
from schoolwatch_server.packs import Packs
from schoolwatch_server.scope import Scope

_RUNGS = tuple(rung(number) for number in RUNG_NUMBERS)


def _pair(name: str) -> tuple[str, tuple[str, ...]]:
    return f"{name}_yes", (f"{name}_known",)


COUNTED: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "students_per_computer": ("student_devices_working", ("student_devices_known",)),
    "wired_links_100": ("wired_100", ("wired",)),
    "wired_links_1000": ("wired_1000", ("wired",)),
    "ipv6_ladder": (_RUNGS[-1], _RUNGS),
    "online_teaching": _pair("quality"),
    "issued_antivirus": _pair("issued"),
    "antivirus_coverage": _pair("protected"),
    "host_firewall": _pair("firewall"),
    "patched": _pair("patched"),
    "supported_system": _pair("supported"),
    "usb_autorun_off": _pair("autorun_off"),
    "attachments_marked": _pair("attachments_marked"),
    "backup": _pair("backed_up"),
    "due_for_replacement": _pair("due"),
    "account_rules": _pair("accounts"),
    "telemetry_coverage": ("devices_heard", ("devices_enrolled",)),
}
"""Of each indicator that counts computers: the sum that those in it are in, and the sums of those known."""


def counted(conn: Connection, scope: Scope, packs: Packs, now: float) -> dict[int, dict[str, bool]]:
    """Device id → indicator → whether it counts for it; of what is not known of it nothing.

    It is asked by the very conditions that the indicators' sums are made of.
    """
    limits = limits_here(conn, scope, packs, now)
    asked = {name: of for name, of in COUNTED.items() if name != "issued_antivirus" or limits.issued}
    return {
        device: {
            indicator: bool(of[yes])
            for indicator, (yes, known) in asked.items()
            if of[yes] or any(of[name] for name in known)
        }
        for device, of in by_device(conn, scope, limits).items()
    }
