"""Judges envelopes in the order of the journal: a pure function from rows and memory to events."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from schoolwatch_contract.records import Envelope
from schoolwatch_server.rules.condition import Told, met
from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.rules.step import Event, Evidence, RuleState, step
from schoolwatch_server.rules.subject import Subject, device
from schoolwatch_server.state import State, merge


class Row(Protocol):
    """What of a journal row the rules need."""

    @property
    def id(self) -> int: ...  # noqa: D102  see `Row`
    @property
    def device_id(self) -> int: ...  # noqa: D102
    @property
    def taken_at(self) -> float: ...  # noqa: D102
    @property
    def late(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A rule's event for one subject."""

    rule: Rule
    subject: Subject
    event: Event


Memory = dict[tuple[str, Subject], dict[str, Any]]
"""What each rule remembers of each subject, as it is stored: (rule, subject) → a packed `RuleState`."""


def follow(
    rules: Sequence[Rule], envelopes: Iterable[tuple[Row, Envelope]], memory: Memory
) -> tuple[Memory, tuple[Occurrence, ...]]:
    """What changed in memory, and what opened or closed, in order. Each envelope is judged by itself."""
    changed: dict[tuple[str, Subject], RuleState] = {}
    occurrences: list[Occurrence] = []
    about: dict[frozenset[str], list[Rule]] = {}
    for row, envelope in envelopes:
        told, subject = Told(merge(State(), envelope, row.taken_at)), device(row.device_id)
        if told.subjects not in about:  # few kinds of envelopes, and many of each
            about[told.subjects] = [r for r in rules if not told.subjects.isdisjoint(r.condition.evidence)]
        for rule in about[told.subjects]:
            value = met(rule.condition, told)
            if value is None:
                continue  # as `step` does
            place = (rule.id, subject)
            before = changed.get(place) or msgspec.convert(memory.get(place, {}), RuleState)
            is_kept = value or before.is_open or before.is_standing
            evidence = evidence_of(rule, told.state, row) if is_kept else Evidence(row.id, row.taken_at)
            after, event = step(rule, value, before, evidence, late=row.late)
            if after != before:
                changed[place] = after
            if event is not None:
                occurrences.append(Occurrence(rule, subject, event))
    return packed(changed), tuple(occurrences)


def packed(changed: Mapping[tuple[str, Subject], RuleState]) -> Memory:
    """Rule states as they are stored."""
    return {place: msgspec.to_builtins(state) for place, state in changed.items()}


def evidence_of(rule: Rule, state: State, row: Row) -> Evidence:
    """The envelope's readings and facts of the rule's subjects, frozen."""
    subjects = rule.condition.evidence
    return Evidence(
        row.id,
        row.taken_at,
        {k: v.value for k, v in state.readings.items() if k.partition(".")[0] in subjects},
        {k: t.value for k, t in state.facts.items() if k.partition(".")[0] in subjects},
    )
