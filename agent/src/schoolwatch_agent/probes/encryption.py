"""Whether the disks of a lost computer can be read: BitLocker, or LUKS."""

from collections.abc import Iterator

from schoolwatch_agent import asked
from schoolwatch_agent.formats import windows_encryption
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere, Probe
from schoolwatch_contract.records import Fact, Reading


def read(host: Host) -> Iterator[Reading | Fact]:
    """One script's part."""
    if host.system != "windows":
        raise NotHere
    return windows_encryption.parse(asked.posture(host))


PROBE = Probe("encryption", every=asked.EVERY, read=read, group=asked.GROUP)
