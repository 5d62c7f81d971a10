"""Ways in over the network that a school rarely needs: remote desktop and SMB 1, or sshd's logins."""

from collections.abc import Iterator

from schoolwatch_agent import asked
from schoolwatch_agent.formats import windows_remote_access
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere, Probe
from schoolwatch_contract.records import Fact, Reading


def read(host: Host) -> Iterator[Reading | Fact]:
    """Registry values, and one script's parts."""
    if host.system != "windows":
        raise NotHere
    machine = {name: host.registry(*place) for name, place in windows_remote_access.MACHINE.items()}
    return windows_remote_access.parse(machine, asked.posture(host))


PROBE = Probe("remote_access", every=asked.EVERY, read=read, group=asked.GROUP)
