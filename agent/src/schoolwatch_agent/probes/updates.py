"""Updates that wait: how many, how many for security, when last looked for, and whether a restart is due.

apt is asked with `-s`, which changes nothing and needs no root; it holds phased updates back by itself
since 2.1.16. `--with-new-pkgs` counts new kernels too. Without package lists nothing is known.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from schoolwatch_agent.errors import Missing, TimedOut
from schoolwatch_agent.formats import cim
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere, Probe
from schoolwatch_contract.records import Reading

_LISTS: Final = "/var/lib/apt/lists"
_STAMPS: Final = ("/var/lib/apt/periodic/update-success-stamp", _LISTS)
"""apt's own stamp of a successful look (update-notifier, apt.systemd.daily), else the lists' folder."""

_REBOOT: Final = ("/run/reboot-required", "/var/run/reboot-required")
_REBOOT_WRITERS: Final = (
    "/usr/share/update-notifier/notify-reboot-required",
    "/etc/kernel/postinst.d/update-notifier",
    "/etc/kernel/postinst.d/unattended-upgrades",
)
"""Without one of these nobody writes /run/reboot-required, and its absence says nothing."""

_UPGRADED: Final = r"Inst \S+ \[[^\]]*\] \((?P<to>[^)]*)\)"
_SECURITY_CATEGORY: Final = "0fa1201d-4330-4fa8-8ae9-b877473b6441"
"""Windows Update's category "Security Updates"; its id does not change with the language."""

APT_TIMEOUT: Final = 120.0
SEARCH_TIMEOUT: Final = 180.0


def parse(simulation: str) -> Iterator[Reading]:
    """Lines as `Inst curl [7.88.1-10] (7.88.1-10+deb12u8 Debian-Security:12/stable-security [amd64])`."""
    found = [match["to"] for line in simulation.splitlines() if (match := re.match(_UPGRADED, line))]
    security = [to for to in found if re.search(r"(?i)-security\b", to)]
    yield Reading("updates.pending", float(len(found)))
    yield Reading("updates.security", float(len(security)))


def parse_windows(found: dict[str, Any], now: float) -> Iterator[Reading]:
    """From updates.ps1: the update agent's offline search, its last success, and the two reboot keys."""
    pending = cim.objects(found.get("pending"))
    known = found.get("search_error") is None and "pending" in found
    security = [update for update in pending if _SECURITY_CATEGORY in _categories(update)]
    yield Reading("updates.pending", float(len(pending)) if known else None)
    yield Reading("updates.security", float(len(security)) if known else None)
    looked = cim.instant(found.get("last_search"))
    yield Reading("updates.age", now - looked if looked is not None and looked <= now else None)
    reboot = cim.flag(found.get("reboot"))
    yield Reading("updates.reboot_pending", None if reboot is None else float(reboot))


def _categories(update: dict[str, Any]) -> set[str]:
    return {category.lower() for category in cim.texts(update.get("categories"))}


def read(host: Host) -> Iterator[Reading]:
    """apt's simulation and a few stamps, or one script; other packagers are not here."""
    if host.system == "windows":
        yield from parse_windows(cim.document(host.powershell("updates", timeout=SEARCH_TIMEOUT)), host.now())
        return
    yield from _apt(host)
    yield Reading("updates.age", _age(host))
    if any(host.exists(path) for path in _REBOOT):
        yield Reading("updates.reboot_pending", 1.0)
    else:
        told = any(host.exists(path) for path in _REBOOT_WRITERS)
        yield Reading("updates.reboot_pending", 0.0 if told else None)


def _apt(host: Host) -> Iterator[Reading]:
    options = ("-o", "Debug::NoLocking=true", "-o", "APT::Get::Show-User-Simulation-Note=false")
    try:
        has_lists = any(
            name.endswith(("Release", "Packages")) or "_Packages." in name for name in host.names(_LISTS)
        )
    except OSError:
        has_lists = False
    try:
        if has_lists:
            argv = ("apt-get", "-s", "-q", *options, "--with-new-pkgs", "upgrade")
            yield from parse(host.run(*argv, timeout=APT_TIMEOUT))
            return
        host.run("apt-get", "--version")
    except Missing as error:
        raise NotHere from error
    yield Reading("updates.pending", None)
    yield Reading("updates.security", None)


def _age(host: Host) -> float | None:
    for stamp in _STAMPS:
        try:
            age = host.now() - host.modified(stamp)
        except (OSError, TimedOut):
            continue
        return age if age >= 0 else None  # the clock was set back
    return None


PROBE = Probe("updates", every=6 * 3600, read=read, limit=SEARCH_TIMEOUT)
