"""Incidents about sightings end when nothing is seen any more, which no row of the journal tells."""

from collections.abc import Sequence

from schoolwatch_server.rules.follow import Occurrence, listened
from schoolwatch_server.rules.memory import Memory
from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.rules.sighted import Sighted, quiet


def fall_quiet(rules: Sequence[Rule], memory: Memory, now: float) -> tuple[Memory, tuple[Occurrence, ...]]:
    """Closes incidents about sightings of which there was none for long; when all that came was judged.

    `memory` has also what is remembered of the devices that saw them last.
    """
    changed: Memory = {}
    occurrences = []
    of = {rule.id: rule for rule in rules if rule.condition.sighting is not None}
    for about, kept in memory.items():
        for rule_id, state in kept.items():
            if rule_id in of and isinstance(state, Sighted):
                after, event = quiet(of[rule_id], state, now, listened(memory, state))
                if event is not None:
                    changed[about] = {**changed.get(about, kept), rule_id: after}
                    occurrences.append(Occurrence(of[rule_id], about, event))
    return changed, tuple(occurrences)
