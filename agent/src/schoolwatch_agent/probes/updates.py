"""Updates that wait: how many, how many for security, when last looked for, and whether a restart is due.

apt is asked with `-s`, which changes nothing and needs no root; it holds phased updates back by itself
since 2.1.16. `--with-new-pkgs` counts new kernels too. Without package lists nothing is known.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from schoolwatch_agent import asked
from schoolwatch_agent.errors import Missing, TimedOut
from schoolwatch_agent.formats import cim
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
_SECURITY_CATEGORY: Final = "0fa1201d-4330-4fa8-8ae9-b877473b6441"
"""Windows Update's category "Security Updates"; its id does not change with the language."""

_AU: Final = r"SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate\AU"
WINDOWS_POLICY: Final = {
    "NoAutoUpdate": (_AU, "NoAutoUpdate"),
    "AUOptions": (_AU, "AUOptions"),
    "UseWUServer": (_AU, "UseWUServer"),
    "wuauserv": (r"SYSTEM\CurrentControlSet\Services\wuauserv", "Start"),
}
"""Values below HKEY_LOCAL_MACHINE: key and name. The address of a WSUS server is not read."""

_DISABLED: Final = 4
_POLICY_LEVELS: Final = {2: "notify", 3: "download", 4: "scheduled", 5: "local", 7: "download"}
"""AUOptions (Microsoft, "Configure Automatic Updates"); 5 leaves it to the machine's administrator."""

_LEVELS: Final = {1: "off", 2: "notify", 3: "download", 4: "scheduled"}
"""AutomaticUpdatesNotificationLevel of the Windows Update Agent API; 0 is not configured."""

Values = dict[str, int | str | None]

APT_TIMEOUT: Final = 120.0
SEARCH_TIMEOUT: Final = 180.0


def parse(simulation: str) -> Iterator[Reading]:
    """Lines as `Inst curl [7.88.1-10] (7.88.1-10+deb12u8 Debian-Security:12/stable-security [amd64])`."""
    found = [match["to"] for line in simulation.splitlines() if (match := re.match(_UPGRADED, line))]
    security = [to for to in found if re.search(r"(?i)-security\b", to)]
    yield Reading("updates.pending", float(len(found)))
    yield Reading("updates.security", float(len(security)))


def parse_windows(found: dict[str, Any], policy: Values, now: float) -> Iterator[Reading | Fact]:
    """From updates.ps1: the update agent's offline search, its last successes, its level, the reboot keys.

    `policy` holds registry values by `WINDOWS_POLICY`.
    """
    pending, reason = cim.part(found, "pending")
    security = [update for update in pending if _SECURITY_CATEGORY in _categories(update)]
    yield Reading("updates.pending", None if reason else float(len(pending)))
    yield Reading("updates.security", None if reason else float(len(security)))
    yield Fact("updates.search", None if reason else "answered", {}, reason)
    rows, reason = cim.part(found, "settings")
    settings = next(iter(rows), {})
    yield _since("updates.age", settings.get("last_search"), now)
    yield _since("updates.last_installed_age", settings.get("last_installed"), now)
    reboot = cim.flag(found.get("reboot"))
    yield Reading("updates.reboot_pending", None if reboot is None else float(reboot))
    yield from _automatic(policy, cim.whole(settings.get("level")), reason)
    managed = cim.flag(policy.get("UseWUServer"))
    own = (
        None
        if managed is None and policy.get("UseWUServer") is not None
        else "wsus"
        if managed
        else "microsoft"
    )
    yield Fact("updates.server", own, {}, "" if own else "not understood")


def _since(metric: str, written: object, now: float) -> Reading:
    at = cim.instant(written)
    return Reading(metric, now - at if at is not None and at <= now else None)


def _automatic(policy: Values, level: int | None, reason: str) -> Iterator[Reading | Fact]:
    """Policy comes before the machine's own level; nothing is installed while the service is disabled."""
    start = cim.whole(policy.get("wuauserv"))
    disabled = start == _DISABLED
    off, options = cim.flag(policy.get("NoAutoUpdate")), cim.whole(policy.get("AUOptions"))
    ruled = "off" if off else None if options is None else _POLICY_LEVELS.get(options)
    local = None if level is None else _LEVELS.get(level)
    yield Fact("updates.mode", ruled, {"source": "policy"}, "" if ruled else "not configured")
    yield Fact("updates.mode", local, {"source": "local"}, "" if local else reason or "not configured")
    mode = local if ruled in (None, "local") else ruled
    automatic = 0.0 if disabled else None if mode is None else float(mode == "scheduled")
    yield Reading("updates.automatic", automatic)
    known = {0: "boot", 1: "system", 2: "automatic", 3: "manual", _DISABLED: "disabled"}.get(
        -1 if start is None else start
    )
    yield Fact("updates.service", known, {}, "" if known else "not reported")


def _categories(update: dict[str, Any]) -> set[str]:
    return {category.lower() for category in cim.texts(update.get("categories"))}


def read(host: Host) -> Iterator[Reading | Fact]:
    """apt's simulation and a few stamps, or one script; other packagers are not here."""
    if host.system == "windows":
        found = asked.script(host, "updates", SEARCH_TIMEOUT)
        policy = {name: host.registry(*place) for name, place in WINDOWS_POLICY.items()}
        yield from parse_windows(found, policy, host.now())
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


PROBE = Probe("updates", every=6 * 3600, read=read)
