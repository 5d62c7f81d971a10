"""Updates that wait: how many, how many for security, when last looked for, and whether a restart is due.

apt is asked with `-s`, which changes nothing and needs no root; it holds phased updates back by itself
since 2.1.16. `--with-new-pkgs` counts new kernels too. Without package lists nothing is known. It takes
seconds of processor time, and says the same until what it reads has changed: its answer is kept a day.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Final

import msgspec

from schoolwatch_agent import asked
from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut
from schoolwatch_agent.formats import windows_updates
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import IdentityError
from schoolwatch_agent.probe import NotHere
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

_SUMMARY: Final = r"(?m)^\d+ upgraded, \d+ newly installed, "
"""apt-get's last word on what waits, also when that is nothing."""

_UPGRADED: Final = r"Inst \S+ \[[^\]]*\] \((?P<to>[^)]*)\)"

_READ: Final = (
    _LISTS,
    "/var/lib/dpkg/status",
    "/etc/apt/apt.conf.d",
    "/etc/apt/preferences",
    "/etc/apt/preferences.d",
    "/etc/apt/sources.list",
    "/etc/apt/sources.list.d",
)
"""What apt's answer rests on: each changes its time with its content, a folder with its files."""

KEPT: Final = "updates.json"
KEPT_SECONDS: Final = 86_400.0

_TIMERS: Final = ("apt-daily.timer", "apt-daily-upgrade.timer")
"""The one looks for updates, the other installs them (apt.systemd.daily)."""

_UNITS: Final = "/etc/systemd/system/"
_CRON: Final = "/etc/cron.daily/apt-compat"
_CRON_DAEMONS: Final = ("cron", "crond")
_ANACRON: Final = "/usr/sbin/anacron"

APT_TIMEOUT: Final = 120.0
SEARCH_TIMEOUT: Final = 180.0


def parse(simulation: str) -> Iterator[Reading]:
    """Lines as `Inst curl [7.88.1-10] (7.88.1-10+deb12u8 Debian-Security:12/stable-security [amd64])`."""
    if not re.search(_SUMMARY, simulation):
        raise NotUnderstood("not what apt-get prints", simulation)
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
    yield from _told("age", *_age(host))
    yield from _told("last_installed_age", *_last_installed_age(host))
    yield from _automatic(host)
    told = any(host.exists(path) for path in _REBOOT)
    known = told or any(host.exists(path) for path in _REBOOT_WRITERS)
    yield from _told("reboot_pending", float(told) if known else None, "nothing here would tell")


def _told(quantity: str, value: float | None, reason: str) -> Iterator[Reading | Fact]:
    yield Reading(f"updates.{quantity}", value)
    if value is None:
        yield Fact("updates.source", None, {"source": quantity}, reason)


class _Kept(msgspec.Struct, frozen=True):
    """apt's answer: when it was given, of which state of what it reads, and what waits."""

    at: float
    read: dict[str, float | None]
    pending: float
    security: float


def _apt(host: Host) -> Iterator[Reading | Fact]:
    try:
        has_lists = any(
            name.endswith(("Release", "Packages")) or "_Packages." in name for name in host.names(_LISTS)
        )
    except OSError:
        has_lists = False
    try:
        if has_lists:
            yield from _waiting(host)
            yield Fact("updates.search", "answered")
            return
        host.run("apt-get", "--version")
    except Missing as error:
        raise NotHere from error
    yield Reading("updates.pending", None)
    yield Reading("updates.security", None)
    yield Fact("updates.search", None, {}, "no package lists")


def _waiting(host: Host) -> Iterator[Reading]:
    """As apt says, or as it said when it last read the same."""
    read = {path: _changed(host, path) for path in _READ}
    kept = _kept(host)
    if kept is not None and kept.read == read and 0 <= host.now() - kept.at < KEPT_SECONDS:
        yield Reading("updates.pending", kept.pending)
        yield Reading("updates.security", kept.security)
        return
    options = ("-o", "Debug::NoLocking=true", "-o", "APT::Get::Show-User-Simulation-Note=false")
    argv = ("apt-get", "-s", "-q", *options, "--with-new-pkgs", "upgrade")
    found = tuple(parse(host.run(*argv, timeout=APT_TIMEOUT)))
    pending, security = (reading.value or 0.0 for reading in found)
    with suppress(Missing, IdentityError):  # a look keeps nothing, nor does a full disk
        host.keep(KEPT, msgspec.json.encode(_Kept(host.now(), read, pending, security)))
    yield from found


def _kept(host: Host) -> _Kept | None:
    try:
        return msgspec.json.decode(host.kept(KEPT) or b"", type=_Kept)
    except (Missing, OSError, msgspec.DecodeError, RecursionError):
        return None


def _changed(host: Host, path: str) -> float | None:
    try:
        return host.modified(path)
    except (OSError, TimedOut):
        return None


def _age(host: Host) -> tuple[float | None, str]:
    for stamp in _STAMPS:
        try:
            age = host.now() - host.modified(stamp)
        except (OSError, TimedOut):
            continue
        return _past(age)
    return None, "no such file"


def _past(age: float) -> tuple[float | None, str]:
    return (age, "") if age >= 0 else (None, "the clock was set back")


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


def _last_installed_age(host: Host) -> tuple[float | None, str]:
    """Of this month's log, else of the last one's; what older logs say is packed, and so unknown."""
    for log in ("/var/log/dpkg.log", "/var/log/dpkg.log.1"):
        try:
            then = last_installed(host.text(log))
        except (OSError, TimedOut, NotUnderstood):
            continue
        if then is not None:
            return _past(host.now() - then)
    return None, "not reported"


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


def _automatic(host: Host) -> Iterator[Reading | Fact]:
    """Configured, installed, and started by somebody."""
    mode, reason = _mode(host)
    yield Reading("updates.automatic", None if mode is None else float(mode == "scheduled"))
    yield Fact("updates.mode", mode, {"source": "automatic"}, "" if mode else reason)


def _mode(host: Host) -> tuple[str | None, str]:
    try:
        if not automatic(host.run("apt-config", "dump", "APT::Periodic")):
            return "off", ""
        if not host.exists("/usr/bin/unattended-upgrade"):
            return "not installed", ""
        started = _timers_run(host) if host.exists("/run/systemd/system") else _cron_runs(host)
    except PermissionError:
        return None, "not permitted"
    except CommandFailed as error:
        return None, f"ended with {error.code}"
    except TimedOut:
        return None, "timeout"
    except NotUnderstood:
        return None, "not understood"
    except Missing:
        return None, "not reported"
    if started is None:
        return None, "what starts it cannot be seen"
    return ("scheduled" if started else "not started"), ""


def _timers_run(host: Host) -> bool:
    """As systemd says; where it does not answer, as it will do at the next start of the machine."""
    active = [asked.service(host, timer) for timer in _TIMERS]
    if None not in active:
        return all(active)
    return all(host.exists(f"{_UNITS}timers.target.wants/{timer}") for timer in _TIMERS) and not any(
        _is_masked(host, timer) for timer in _TIMERS
    )


def _is_masked(host: Host, timer: str) -> bool:
    """`systemctl mask` puts an empty file in a unit's place, and leaves what wants it."""
    try:
        return not host.text(f"{_UNITS}{timer}")
    except FileNotFoundError:
        return False


def _cron_runs(host: Host) -> bool | None:
    """A daemon that is there starts it daily; anacron is started by others, and may not be."""
    if not host.exists(_CRON):
        return False
    daemons = [asked.process(host, name) for name in _CRON_DAEMONS]
    if any(daemons):
        return True
    return None if None in daemons or host.exists(_ANACRON) else False
