"""What the speed test of the school's line has cost this month, and why planned tests were not made."""

from collections.abc import Iterator

from schoolwatch_agent.bandwidth import plan
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere
from schoolwatch_agent.probes.bandwidth import LEDGER, seed
from schoolwatch_contract.records import Fact, Reading
from schoolwatch_contract.settings import Settings


def parse(text: bytes | None) -> Iterator[Reading | Fact]:
    """The ledger in its file; a fact that is not given any more holds no more."""
    ledger = plan.decode(text)
    yield Reading("bandwidth.month_bytes", float(ledger.spent))
    for why, count in sorted(ledger.skips.items()):
        yield Reading("bandwidth.skips", float(count), {"reason": why})
    if ledger.skipped:
        yield Fact("bandwidth.skipped", ledger.skipped)
    if ledger.server:
        yield Fact("bandwidth.server", ledger.server)
    for direction, name in sorted(ledger.congestion_control.items()):
        yield Fact("bandwidth.congestion_control", name, {"direction": direction})


def read(host: Host, settings: Settings) -> Iterator[Reading | Fact]:
    """One small file, on the device that runs the test."""
    if not settings.bandwidth.url:
        raise NotHere
    seed(host)
    return parse(host.kept(LEDGER))
