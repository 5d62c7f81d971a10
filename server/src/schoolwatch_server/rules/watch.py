"""Judges what watches found at an instant: a pure function from findings and memory to events.

A watch looks at the database and the clock where `follow` reads envelopes; both go through the same `step`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from schoolwatch_server.rules.follow import Memory, Occurrence, packed
from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.rules.step import Evidence, RuleState, step
from schoolwatch_server.rules.subject import Subject

PARAMETERS: Final[Mapping[str, frozenset[str]]] = {
    "ipv6_lost": frozenset({"computers", "days", "fresh", "share"}),
    "line_slow": frozenset({"days", "share", "tests"}),
    "quarantine_growth": frozenset({"frames"}),
    "site_down": frozenset(),
}
"""Watches that rules may name, each with the parameters that its rule must give."""


class Finding(msgspec.Struct, frozen=True):
    """What a watch says of one subject: whether the condition is met (None: not known), and on what.

    `readings` and `facts` are kept with the incident, by names that the texts or the catalogue know.
    """

    subject: Subject
    value: bool | None
    readings: dict[str, float | None] = {}
    facts: dict[str, str | None] = {}


def watch(
    rules: Sequence[Rule], findings: Mapping[str, Sequence[Finding]], now: float, memory: Memory
) -> tuple[Memory, tuple[Occurrence, ...]]:
    """What changed in memory, and what opened or closed at `now` (UTC seconds).

    `findings` are by the rule's id; a rule without an entry was not looked at, and nothing of it changes.
    What a rule remembers of a subject that is not among them counts as no longer met, so a watch need not
    name what is in order. An empty body in memory is to be forgotten.
    """
    changed: dict[tuple[str, Subject], RuleState] = {}
    occurrences: list[Occurrence] = []
    for rule in rules:
        if rule.id not in findings:
            continue
        for found in (*findings[rule.id], *_gone(rule, findings[rule.id], memory)):
            place = (rule.id, found.subject)
            before = msgspec.convert(memory.get(place, {}), RuleState)
            evidence = Evidence(0, now, found.readings, found.facts)
            after, event = step(rule, found.value, before, evidence, late=False)
            after = _kept(after)
            if after != before:
                changed[place] = after
            if event is not None:
                occurrences.append(Occurrence(rule, found.subject, event))
    return packed(changed), tuple(occurrences)


def _gone(rule: Rule, found: Sequence[Finding], memory: Memory) -> list[Finding]:
    seen = {finding.subject for finding in found}
    held = (subject for id_, subject in memory if id_ == rule.id and subject not in seen)
    return [Finding(subject, value=False) for subject in held]


def _kept(state: RuleState) -> RuleState:
    """Without when it was judged: a watch looks at what is so now, and what is in order leaves no trace."""
    if state.first is None and not state.is_open:
        return _NOTHING
    return msgspec.structs.replace(state, taken_at=_NOTHING.taken_at, condition=_NOTHING.condition)


_NOTHING = RuleState()
