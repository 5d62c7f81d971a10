"""Throughput of the school's line, by NDT7 against the server of the settings.

Silent on every device that was given no server to test against, and between two tests.
"""

from collections.abc import Iterator

from schoolwatch_agent.bandwidth import plan
from schoolwatch_agent.bandwidth.order import Order, Outcome, Way, decode_outcome, encode
from schoolwatch_agent.errors import CommandFailed, Missing, TimedOut
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere
from schoolwatch_contract.records import Reading
from schoolwatch_contract.settings import Bandwidth

LEDGER = "bandwidth.json"

TIMEOUT = 75.0
"""Seconds: leave, two handshakes and two directions at the protocol's longest."""


def parse(answer: str, busy_above: float) -> Iterator[Reading]:
    """An outcome as readings. What server or machine held back goes under another name than a result."""
    outcome = decode_outcome(answer)
    labels = {"family": str(outcome.family)}
    for name, way in (("download", outcome.download), ("upload", outcome.upload)):
        if way is None:
            continue
        if limit := _limit(way, outcome, busy_above):
            yield Reading(f"bandwidth.limited_{name}", round(way.rate), {**labels, "limited_by": limit})
        else:
            yield Reading(f"bandwidth.{name}", round(way.rate), labels)
            if way.line_rate is not None:
                yield Reading("bandwidth.line_rate", round(way.line_rate), {**labels, "direction": name})
        yield from _rtts(way, {**labels, "direction": name})
        if way.line_share is not None:
            yield Reading("bandwidth.server_share", way.line_share, {"direction": name})
    yield Reading("bandwidth.busy", outcome.busy)
    yield Reading("bandwidth.bytes", float(outcome.bytes))


def _limit(way: Way, outcome: Outcome, busy_above: float) -> str:
    if way.limited:
        return "server"
    return "client" if outcome.busy is None or outcome.busy > busy_above else ""


def _rtts(way: Way, labels: dict[str, str]) -> Iterator[Reading]:
    for name, seconds in (("rtt_min", way.rtt_min), ("rtt_loaded", way.rtt_loaded)):
        if seconds is not None:
            yield Reading(f"bandwidth.{name}", round(seconds, 6), labels)


def read(host: Host, wanted: Bandwidth) -> Iterator[Reading]:
    """A test when one is due; the ledger keeps what it cost, also when the machine is ended by it."""
    if not wanted.url:
        raise NotHere
    now, device = host.now(), seed(host)
    before = plan.decode(host.kept(LEDGER))
    step = plan.look(before, wanted, now, device)
    if step.due is None:
        if step.ledger != before:
            host.keep(LEDGER, plan.encode(step.ledger))
        raise NotHere
    ledger = plan.attempt(step.ledger)
    host.keep(LEDGER, plan.encode(ledger))
    order = Order(wanted.url, plan.family(ledger, wanted), wanted.budget - ledger.spent)
    try:
        answer = host.speed_test(encode(order), TIMEOUT)
        outcome = decode_outcome(answer)
    except (CommandFailed, TimedOut):
        lost = Outcome("interrupted", bytes=ledger.booked)  # nobody knows what it has cost
        host.keep(LEDGER, plan.encode(plan.settle(ledger, step.due, lost, host.now(), device)))
        raise
    host.keep(LEDGER, plan.encode(plan.settle(ledger, step.due, outcome, host.now(), device)))
    if outcome.skipped:
        raise NotHere  # why is told by the probe of the ledger
    return parse(answer, wanted.busy_above)


def seed(host: Host) -> str:
    """The device's own random id. `NotHere` for a look without a folder of its own."""
    try:
        own = host.kept("install_id")
    except Missing as error:
        raise NotHere from error
    if own is None:
        raise NotHere
    return own.decode("ascii", "replace").strip()
