"""About how long a replay takes, before it starts. Pure.

The numbers were measured on one core of a small machine; what a server really needed the last time
(`Pace`) corrects them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from schoolwatch_server.replays.histories import History, Need
from schoolwatch_server.replays.job import Job, instants
from schoolwatch_server.rules import Rule
from schoolwatch_server.watches import EVERY

START: Final = 1.5
"""Seconds until a child has begun."""

REPORT, VERSION = 0.0001, 0.00001
"""Seconds of a report, and of judging it by each version."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of a look, of each school in it, and of each report or row that it rests on anew."""

    look: float
    school: float
    row: float


_COSTS: Final[Mapping[Need, Cost]] = {
    "hearing": Cost(0.003, 0.0002, 0.00002),
    "ipv6": Cost(0.002, 0.00001, 0.0006),
    "tests": Cost(0.002, 0.00002, 0.0),
    "sites": Cost(0.002, 0.00006, 0.0),
    "judged": Cost(0.004, 0.0001, 0.0),
    "refused": Cost(0.001, 0.0, 0.0),
}
_SLOW = 0.0005
"""Seconds of a step in time at which nothing is looked at."""


def of(
    job: Job, rules: Sequence[Rule], histories: Sequence[History], schools: int, reports: int
) -> tuple[int, float]:
    """How many steps there are (computers, or looks), and about how many seconds they take."""
    if job.devices or not job.places:
        return len(job.devices), START + reports * (REPORT + VERSION * len(rules))
    moments = len(instants(job))
    seconds = START + moments * len(job.places) * _SLOW
    for rule, history in zip(rules, histories, strict=True):
        every = max(EVERY.get(rule.condition.watch or "", 0.0), job.step)
        looks = (job.end - job.start) / every
        for need in history.needs:
            cost = _COSTS[need]
            seconds += looks * (cost.look * len(job.places) + cost.school * schools)
            seconds += cost.row * reports / len(rules)
    return moments * len(job.places), seconds


@dataclass
class Pace:
    """How much longer replays really take here than was estimated, by what they rest on."""

    factors: dict[frozenset[str], float] = field(default_factory=dict)

    def learn(self, kind: frozenset[str], estimated: float, took: float) -> None:
        """From one that ran to its end; the first seconds say little."""
        if took > 10 * START and estimated > START:
            self.factors[kind] = took / estimated

    def of(self, kind: frozenset[str]) -> float:
        """What an estimate is to be multiplied by; 1 while nobody knows better."""
        return self.factors.get(kind, 1.0)
