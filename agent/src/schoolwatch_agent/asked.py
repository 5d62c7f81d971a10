"""What several probes ask alike, and why it may be unknown: Windows' scripts and registry, Linux' processes.

posture.ps1 serves several probes; what it costs to start PowerShell is paid once for all of them.
"""

from collections.abc import Mapping
from typing import Any, Final

from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut, why
from schoolwatch_agent.formats import cim, mounts
from schoolwatch_agent.formats.mounts import Mount
from schoolwatch_agent.formats.registry import Unread, Value, Values
from schoolwatch_agent.host import Host

TIMEOUT: Final = 75.0


def posture(host: Host) -> dict[str, Any]:
    """posture.ps1's answer for `cim.part`."""
    return script(host, "posture", TIMEOUT)


def script(host: Host, name: str, timeout: float) -> dict[str, Any]:
    """A script's answer, or why there is none, for `cim.part`."""
    try:
        return cim.document(host.powershell(name, timeout=timeout))
    except TimedOut:
        return {cim.FAILED: "timeout"}
    except Missing:
        return {cim.FAILED: "no PowerShell"}
    except CommandFailed as error:
        return {cim.FAILED: f"ended with {error.code}"}
    except NotUnderstood:
        return {cim.FAILED: "not understood"}


def mounted(host: Host) -> tuple[dict[str, Mount], frozenset[str]]:
    """What is mounted on a Linux machine, and those of it that the agent's own service is not shown.

    The first process sees all of it. Raises OSError, `TimedOut`.
    """
    own = mounts.parse(host.text("/proc/self/mountinfo"))
    try:
        machine = mounts.parse(host.text("/proc/1/mountinfo"))
    except (OSError, TimedOut):  # hidepid
        machine = own
    return machine, mounts.hidden(machine, own)


def process(host: Host, name: str) -> bool | None:
    """Whether a process of that name runs on Linux, outside of containers; None where it can't be seen."""
    try:
        pids = host.pids(name)
    except (OSError, TimedOut):
        return None
    if not pids:
        return False if _sees_others(host) else None
    return any(not _is_in_a_container(host, pid) for pid in pids)


def _is_in_a_container(host: Host, pid: int) -> bool:
    """It has a second number there: `NSpid: 812 7` in /proc/PID/status (proc(5))."""
    try:
        status = host.text(f"/proc/{pid}/status")
    except (OSError, TimedOut):
        return False
    return any(line.startswith("NSpid:") and len(line.split()) > 2 for line in status.splitlines())


def _sees_others(host: Host) -> bool:
    """The first process is there on every machine; /proc may be mounted so that it hides it (hidepid)."""
    try:
        return bool(host.text("/proc/1/comm"))
    except (OSError, TimedOut):
        return False


def service(host: Host, unit: str) -> bool | None:
    """`systemctl is-active` ends with 3 for a unit that is known and does not run (systemctl(1))."""
    try:
        return host.run("systemctl", "is-active", unit).strip() == "active"
    except CommandFailed as error:
        return False if error.code == 3 else None
    except (Missing, TimedOut):
        return None


def value(host: Host, key: str, name: str) -> Value:
    """A registry value, or why it could not be read; None when it is not there."""
    try:
        return host.registry(key, name)
    except TimedOut:
        return Unread("timeout")
    except Missing:
        return Unread("not on this system")
    except OSError as error:
        return Unread(why(error))
    except NotUnderstood:
        return Unread("not understood")


def values(host: Host, places: Mapping[str, tuple[str, str]]) -> Values:
    """Several, by name: each at its key and name."""
    return {name: value(host, *place) for name, place in places.items()}
