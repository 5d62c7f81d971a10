"""Asks scripts of Windows for probes that have another source too: where one fails, its parts are unknown.

posture.ps1 serves several probes; what it costs to start PowerShell is paid once for all of them.
"""

from typing import Any, Final

from schoolwatch_agent.errors import CommandFailed, Missing, NotUnderstood, TimedOut
from schoolwatch_agent.formats import cim
from schoolwatch_agent.host import Host

GROUP: Final = "posture"
"""The probes of this group run in the same cycle, so that PowerShell starts once for all of them."""

EVERY: Final = 6 * 3600.0
TIMEOUT: Final = 75.0


def posture(host: Host) -> dict[str, Any]:
    """posture.ps1's answer for `cim.part`."""
    return script(host, GROUP, TIMEOUT)


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
