"""How long this computer was on and in use, and its starts: in labs and classrooms alone.

The server says where (settings); elsewhere nothing is read. Each cycle tells of the seconds since the last
one, so that sums are hours, whenever they arrive. Who sits there is never read, nor when exactly somebody
typed: a cycle counts whole or not at all.
"""

from collections.abc import Iterator

from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut
from schoolwatch_agent.formats import sessions
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere
from schoolwatch_contract.records import Fact, Reading
from schoolwatch_contract.settings import Settings

BOOT = "last-boot"
"""The file in the agent's own folder that holds the boot that was counted last."""

_LOGIND = ("loginctl", "show-session", "-p", "Class", "-p", "Type", "-p", "Remote", "-p", "Active",
           "-p", "Desktop", "-p", "IdleHint", "-p", "IdleSinceHint")  # fmt: skip


def parse(on: float, period: float, idle: float, reason: str, source: str) -> Iterator[Reading | Fact]:
    """`on` seconds of this cycle, `idle` since the last input; unknown is unknown and not idleness.

    With a `reason`, a session does not tell: then no use elsewhere is not yet idleness.
    """
    busy = idle < period
    yield Reading("use.on", round(on, 1))
    yield Reading("use.active", round(on, 1) if busy else None if reason else 0.0)
    known = busy or not reason
    yield Fact("use.input", source if known else None, {}, "" if known else reason)


def read(host: Host, settings: Settings, period: float) -> Iterator[Reading | Fact]:
    """`period` is the seconds between two cycles."""
    if not settings.measures_use:
        raise NotHere
    yield from parse(min(_up(host), period), period, *_idle(host))
    boots = _boots(host)
    if boots is not None:
        yield Reading("use.boots", boots)


def _up(host: Host) -> float:
    if host.system == "windows":
        return max(0.0, host.now() - float(host.counters("boot_time")))
    return float(host.text("/proc/uptime").split()[0])


def _idle(host: Host) -> tuple[float, str, str]:
    """Seconds since the last input, the reason when that is not all, and who told."""
    try:
        if host.system == "windows":
            return *sessions.windows(host.sessions()), "wtsapi32"
        listed = host.run("loginctl", "--no-pager", "--no-legend", "list-sessions")
        names = [line.split()[0] for line in listed.splitlines() if line.split()]
        if not names:
            return sessions.NOBODY, "", "logind"
        return *sessions.linux(host.run(*_LOGIND, *names), host.now()), "logind"
    except Missing:
        return sessions.NOBODY, "no logind" if host.system == "linux" else "not on this system", ""
    except (CommandFailed, OSError):
        return sessions.NOBODY, "no logind" if host.system == "linux" else "not permitted", ""
    except TimedOut:
        return sessions.NOBODY, "timeout", ""
    except NotUnderstood:
        return sessions.NOBODY, "not understood", ""


def _boots(host: Host) -> float | None:
    """1 in the first cycle after a start; None for a look that keeps nothing."""
    boot = host.boot_id().encode()
    try:
        before = host.kept(BOOT)
        if before == boot:
            return 0.0
        host.keep(BOOT, boot)
    except Missing:
        return None
    return 1.0
