"""Asks the script that serves several probes; where it fails, each of its parts is unknown for that reason.

A probe that reads the registry too still has that to tell.
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
    try:
        return cim.document(host.powershell(GROUP, timeout=TIMEOUT))
    except TimedOut:
        return {cim.FAILED: "timeout"}
    except Missing:
        return {cim.FAILED: "no PowerShell"}
    except CommandFailed as error:
        return {cim.FAILED: f"ended with {error.code}"}
    except NotUnderstood:
        return {cim.FAILED: "not understood"}
