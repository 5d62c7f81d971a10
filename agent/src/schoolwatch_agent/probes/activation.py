"""Whether Windows and Office are activated, and for how long yet. Activated is not the same as licensed."""

from collections.abc import Iterator

from schoolwatch_agent import asked
from schoolwatch_agent.formats import windows_activation
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere
from schoolwatch_contract.records import Fact, Reading


def read(host: Host) -> Iterator[Reading | Fact]:
    """One script's part and a registry value; other systems know no activation."""
    if host.system != "windows":
        raise NotHere
    return windows_activation.parse(asked.posture(host), asked.value(host, *windows_activation.CLICK_TO_RUN))
