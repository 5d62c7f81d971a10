"""Whether a disk is about to fail: its own verdict (SMART), wear, hours and errors."""

from collections.abc import Iterator

from schoolwatch_agent import asked
from schoolwatch_agent.formats import windows_disk_health
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere, Probe
from schoolwatch_contract.records import Fact, Reading


def read(host: Host) -> Iterator[Reading | Fact]:
    """One script's parts."""
    if host.system != "windows":
        raise NotHere
    return windows_disk_health.parse(asked.posture(host))


PROBE = Probe("disk_health", every=asked.EVERY, read=read, group=asked.GROUP)
