"""Whether a USB stick may start programs by itself, and what happens to attachments before they open."""

from collections.abc import Iterator

from schoolwatch_agent import asked
from schoolwatch_agent.formats import windows_autorun
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere, Probe
from schoolwatch_contract.records import Fact, Reading


def read(host: Host) -> Iterator[Reading | Fact]:
    """Registry values of the machine, and one script's part for those of its users."""
    if host.system != "windows":
        raise NotHere
    machine = {name: host.registry(key, name) for name, key in windows_autorun.MACHINE.items()}
    return windows_autorun.parse(machine, asked.posture(host))


PROBE = Probe("autorun", every=asked.EVERY, read=read, group=asked.GROUP)
