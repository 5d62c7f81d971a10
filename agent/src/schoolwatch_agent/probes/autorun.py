"""Whether a USB stick may start programs by itself, and what happens to attachments before they open.

Linux starts no program from a stick; what is told there is whether sticks are mounted by themselves. A kernel
that may not load usb-storage mounts none. What each user sets for themselves is unknown.
"""

import re
from collections.abc import Iterator
from typing import Final

from schoolwatch_agent import asked, desktop
from schoolwatch_agent.formats import dconf, windows_autorun
from schoolwatch_agent.formats.dconf import Database
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere
from schoolwatch_contract.records import Fact, Reading

_KEYS: Final = {
    "gnome": "/org/gnome/desktop/media-handling/automount",
    "mate": "/org/mate/media-handling/automount",
    "cinnamon": "/org/cinnamon/desktop/media-handling/automount",
}
"""Each is true as shipped (the desktops' gsettings schemas)."""

_MODPROBE: Final = ("/etc/modprobe.d", "/lib/modprobe.d", "/usr/lib/modprobe.d")
_BLOCKED: Final = (
    r"(?m)^\s*(?:install\s+usb[-_]storage\s+/(?:usr/)?bin/(?:false|true)|blacklist\s+usb[-_]storage)\s*$"
)


def parse(desktops: frozenset[str], databases: tuple[Database, ...]) -> bool | None:
    """True when one of the desktops mounts what is put in, False when none may; None: each user says."""
    answers = [_mounts(databases, _KEYS.get(name)) for name in desktops]
    if True in answers:
        return True
    return None if None in answers else False


def _mounts(databases: tuple[Database, ...], key: str | None) -> bool | None:
    fixed = None if key is None else dconf.forced(databases, key)
    if fixed is None:
        return None
    return True if fixed.value is None else dconf.flag(fixed.value)


def is_blocked(modprobe: str) -> bool:
    """Whether a file of modprobe.d(5) keeps the driver of USB sticks from being loaded."""
    return re.search(_BLOCKED, modprobe) is not None


def read(host: Host) -> Iterator[Reading | Fact]:
    """Registry values and one script's part, or the administrator's files of a machine with a desktop."""
    if host.system == "windows":
        machine = asked.values(host, windows_autorun.MACHINE)
        yield from windows_autorun.parse(machine, asked.posture(host))
        return
    found = desktop.desktops(host)
    if not found:
        raise NotHere
    mounts = False if _stick_driver_is_blocked(host) else parse(found, desktop.databases(host))
    yield Reading("autorun.automount", None if mounts is None else float(mounts))
    said = None if mounts is None else "on" if mounts else "off"
    labels = {"setting": "automount", "scope": "machine"}
    yield Fact("autorun.setting", said, labels, "" if said else "each user sets it")


def _stick_driver_is_blocked(host: Host) -> bool:
    for folder in _MODPROBE:
        try:
            names = host.names(folder)
        except FileNotFoundError:
            continue
        if any(name.endswith(".conf") and is_blocked(host.text(f"{folder}/{name}")) for name in names):
            return True
    return False
