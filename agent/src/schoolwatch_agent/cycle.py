"""One cycle: run the probes that are due, make an envelope of what they saw, put it into the spool."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from schoolwatch_agent import __version__, clocks, fit, memory, schedule
from schoolwatch_agent.host import Host
from schoolwatch_agent.memory import Memory
from schoolwatch_agent.probe import Observed, Probe, observe_all
from schoolwatch_agent.spool import Spool, Summary
from schoolwatch_contract.records import Fact, Reading

Mode = Literal["tick", "run"]


NOTHING: Final = Observed()


class Pace(msgspec.Struct, frozen=True):
    """Whose cycles these are (the seed of its jitter), how they are run, and seconds between them.

    `last` is what there is to tell of the cycle before.
    """

    device: str
    mode: Mode
    measure: float
    last: Observed = NOTHING


def run_cycle(host: Host, probes: Sequence[Probe], spool: Spool, pace: Pace) -> Memory:
    """Measures and stores; the memory says whether it is urgent. Raises `SpoolError`.

    An envelope is stored also when no probe had anything to say: it is the agent's heartbeat.
    """
    now, up = host.now(), clocks.uptime(host)
    generation = spool.generation
    known = memory.wake(memory.decode(spool.memory(now)), generation)
    found = schedule.due_probes(probes, known.ran, now=now, measure=pace.measure, device=pace.device)
    due = sorted(found, key=lambda probe: probe.name not in known.unreached)
    own = Probe("", 0, lambda _: ())
    readings = (*held(spool.summary(now)), *pace.last.readings)
    seen = [(own, Observed(readings, (Fact("agent.mode", pace.mode), *pace.last.facts)), True)]
    seen += observe_all(due, host)
    records: list[fit.Record] = []
    for probe, observed, _ in seen:
        told, known = memory.learn(known, probe, observed, now=now, generation=generation)
        records += (*observed.readings, *told)
    unreached = tuple(probe.name for probe, _, reached in seen if not reached)
    known = memory.again(msgspec.structs.replace(known, generation=generation), unreached)
    spool.put(fit.bodies(now, __version__, records), memory.encode(known), now, up)
    return known


def held(summary: Summary) -> tuple[Reading, ...]:
    """The spool as readings; no age when nothing waits."""
    age = () if summary.oldest_age is None else (Reading("spool.oldest_age", round(summary.oldest_age, 1)),)
    return (
        Reading("spool.envelopes", float(summary.waiting)),
        Reading("spool.bytes", float(summary.bytes)),
        Reading("spool.dropped", float(summary.dropped)),
        *age,
    )
