"""Updates that wait: how many, how many for security, when last looked for, and whether a restart is due.

apt is asked with `-s`, which changes nothing and needs no root; it holds phased updates back by itself
since 2.1.16. `--with-new-pkgs` counts new kernels too. Without package lists nothing is known.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from schoolwatch_agent import asked
from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut
from schoolwatch_agent.formats import windows_updates
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere, Probe
from schoolwatch_contract.records import Fact, Reading

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

_TIMER: Final = "/etc/systemd/system/timers.target.wants/apt-daily-upgrade.timer"
_CRON: Final = "/etc/cron.daily/apt-compat"

APT_TIMEOUT: Final = 120.0
SEARCH_TIMEOUT: Final = 180.0


def parse(simulation: str) -> Iterator[Reading]:
    """Lines as `Inst curl [7.88.1-10] (7.88.1-10+deb12u8 Debian-Security:12/stable-security [amd64])`."""
    found = [match["to"] for line in simulation.splitlines() if (match := re.match(_UPGRADED, line))]
    security = [to for to in found if re.search(r"(?i)-security\b", to)]
    yield Reading("updates.pending", float(len(found)))
    yield Reading("updates.security", float(len(security)))


def read(host: Host) -> Iterator[Reading | Fact]:
    """apt's simulation and a few stamps, or one script; other packagers are not here."""
    if host.system == "windows":
        found = asked.script(host, "updates", SEARCH_TIMEOUT)
        policy = asked.values(host, windows_updates.MACHINE)
        yield from windows_updates.parse(found, policy, host.now())
        return
    yield from _apt(host)
    yield Reading("updates.age", _age(host))
    yield Reading("updates.last_installed_age", _last_installed_age(host))
    yield Reading("updates.automatic", _automatic(host))
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


def last_installed(dpkg_log: str) -> float | None:
    """When dpkg last put a newer version in, UTC seconds: `2026-11-20 06:12:33 upgrade curl:amd64 1 2`.

    The log is written in local time (dpkg(1)).
    """
    dates = re.findall(r"(?m)^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) upgrade ", dpkg_log)
    if not dates:
        return None
    try:
        return datetime.strptime(dates[-1], "%Y-%m-%d %H:%M:%S").astimezone().timestamp()
    except (ValueError, OverflowError) as error:
        raise NotUnderstood("not a date of dpkg", dates[-1]) from error


def _last_installed_age(host: Host) -> float | None:
    """Of this month's log, else of the last one's; what older logs say is packed, and so unknown."""
    for log in ("/var/log/dpkg.log", "/var/log/dpkg.log.1"):
        try:
            then = last_installed(host.text(log))
        except (OSError, TimedOut, NotUnderstood):
            continue
        if then is not None:
            age = host.now() - then
            return age if age >= 0 else None
    return None


def automatic(periodic: str) -> bool:
    """Whether apt looks for updates and installs them by itself: `apt-config dump APT::Periodic`.

    Values are days, with a unit, or `always`; "0" is never, and so is none (apt.systemd.daily). Where nothing
    is configured, nothing is printed.
    """
    values = dict(re.findall(r'(?m)^APT::Periodic::([\w-]+) "([^"]*)";$', periodic))
    if periodic.strip() and "APT::Periodic" not in periodic:
        raise NotUnderstood("not what apt-config prints", periodic)
    wanted = ("Update-Package-Lists", "Unattended-Upgrade")
    return values.get("Enable", "1") != "0" and all(values.get(name, "0") not in ("0", "") for name in wanted)


def _automatic(host: Host) -> float | None:
    """Configured, installed, and started by its timer (without systemd by cron)."""
    try:
        configured = automatic(host.run("apt-config", "dump", "APT::Periodic"))
    except (Missing, CommandFailed, TimedOut, NotUnderstood):
        return None
    timer = _TIMER if host.exists("/run/systemd/system") else _CRON
    return float(configured and host.exists("/usr/bin/unattended-upgrade") and host.exists(timer))


PROBE = Probe("updates", every=6 * 3600, read=read, limit=SEARCH_TIMEOUT)
