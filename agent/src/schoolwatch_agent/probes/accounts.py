"""Accounts, in rules and counts only: who is administrator or logs in is never asked for."""

from collections.abc import Iterator

from schoolwatch_agent import asked
from schoolwatch_agent.formats import windows_accounts
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere, Probe
from schoolwatch_contract.records import Fact, Reading


def read(host: Host) -> Iterator[Reading | Fact]:
    """Registry values, and one script's parts."""
    if host.system != "windows":
        raise NotHere
    machine = {name: host.registry(key, name) for name, key in windows_accounts.MACHINE.items()}
    return windows_accounts.parse(machine, asked.posture(host))


PROBE = Probe("accounts", every=asked.EVERY, read=read, group=asked.GROUP)
