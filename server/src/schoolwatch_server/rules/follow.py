"""Judges envelopes in the order of the journal: a pure function from rows and memory to events."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

from schoolwatch_contract.records import Envelope
from schoolwatch_server.rules.condition import met, met_worse
from schoolwatch_server.rules.memory import FACTS, Kept, Memory
from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.rules.sighted import Seen, Sighted, concerns, quiet, see
from schoolwatch_server.rules.step import Event, Evidence, RuleState, step
from schoolwatch_server.rules.subject import Subject, device
from schoolwatch_server.rules.told import NOTHING, Given, Told, hear, recall, subject


class Row(Protocol):
    """What of a journal row the rules need."""

    @property
    def id(self) -> int: ...  # noqa: D102  see `Row`
    @property
    def device_id(self) -> int: ...  # noqa: D102
    @property
    def taken_at(self) -> float: ...  # noqa: D102
    @property
    def received_at(self) -> float: ...  # noqa: D102
    @property
    def late(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A rule's event for one subject; of one that becomes part of another incident, `larger` is which."""

    rule: Rule
    subject: Subject
    event: Event
    larger: tuple[str, Subject] | None = None


def follow(
    rules: Sequence[Rule],
    envelopes: Iterable[tuple[Row, Envelope | None]],
    memory: Memory,
    given: Given = NOTHING,
    sightings: Mapping[int, Sequence[Seen]] | None = None,
    apart: Container[tuple[str, Subject]] = (),
) -> tuple[Memory, tuple[Occurrence, ...]]:
    """Of whom memory changed, all that is remembered of them, and what opened or closed, in order.

    Each envelope is judged by itself, beside the facts that were told before it. `sightings` are those that
    were committed with each row; of a row without an envelope they alone are judged. A rule that is switched
    off judges nothing, and one of `apart` (rule, subject) nothing of that subject.
    """
    journey = _Journey([rule for rule in rules if rule.enabled], memory, given, apart)
    for row, envelope in envelopes:
        if envelope is not None:
            journey.judge(row, envelope)
        journey.sight(row, (sightings or {}).get(row.id, ()))
    return journey.changed, tuple(journey.occurrences)


def fall_quiet(rules: Sequence[Rule], memory: Memory, now: float) -> tuple[Memory, tuple[Occurrence, ...]]:
    """Closes incidents about sightings of which there was none for long; when all that came was judged."""
    changed: Memory = {}
    occurrences = []
    of = {rule.id: rule for rule in rules if rule.condition.sighting is not None}
    for about, kept in memory.items():
        for rule_id, state in kept.items():
            if rule_id in of and isinstance(state, Sighted):
                after, event = quiet(of[rule_id], state, now)
                if event is not None:
                    changed[about] = {**changed.get(about, kept), rule_id: after}
                    occurrences.append(Occurrence(of[rule_id], about, event))
    return changed, tuple(occurrences)


@dataclass
class _Journey:
    """What is known on the way through the rows."""

    rules: Sequence[Rule]
    memory: Memory
    given: Given
    apart: Container[tuple[str, Subject]]
    held: Memory = field(default_factory=dict)
    touched: set[Subject] = field(default_factory=set)
    occurrences: list[Occurrence] = field(default_factory=list)
    speaking: dict[frozenset[str], tuple[Rule, ...]] = field(default_factory=dict)

    @property
    def changed(self) -> Memory:
        """All that is remembered of those of whom something else is remembered than before."""
        return {about: self.held[about] for about in self.touched if self.held[about]}

    def judge(self, row: Row, envelope: Envelope) -> None:
        """One envelope, by all rules that it says something about."""
        about = device(row.device_id)
        mine = self._of(about)
        facts = mine.get(FACTS)
        before = facts if isinstance(facts, dict) else {}
        told = hear(envelope, row.taken_at, before, self.given)
        after_facts = recall(envelope, row.taken_at, before)
        if after_facts is not before:
            self._keep(about, mine, FACTS, after_facts)
        evidence: dict[tuple[str, ...], Evidence] = {}
        for rule in self._about(told.subjects):
            value = None if (rule.id, about) in self.apart else met(rule.condition, told)
            if value is None:
                continue  # as `step` does
            held = mine.get(rule.id)
            state = held if isinstance(held, RuleState) else _NEW
            subjects = rule.condition.evidence
            if not _is_kept(state, value):
                kept = Evidence(row.id, row.taken_at)
            elif (same := evidence.get(subjects)) is not None:
                kept = same
            else:
                kept = evidence[subjects] = evidence_of(subjects, told, row)
            worse = value and met_worse(rule, told)
            after, event = step(rule, value, state, kept, late=row.late, worse=worse)
            self._keep(about, mine, rule.id, after)
            if event is not None:
                self.occurrences.append(Occurrence(rule, about, event))

    def sight(self, row: Row, sightings: Sequence[Seen]) -> None:
        """A row's sightings, each subject's together."""
        if not sightings:
            return
        of = sorted(sightings, key=lambda seen: seen.part)
        for rule in self.rules:
            its = [seen for seen in of if rule.condition.sighting is not None and concerns(rule, seen)]
            for part, seen in groupby(its, key=lambda seen: seen.part):
                about = Subject("device", row.device_id, part)
                if (rule.id, about) in self.apart:
                    continue
                mine = self._of(about)
                held = mine.get(rule.id)
                after, events = see(rule, held if isinstance(held, Sighted) else Sighted(), tuple(seen))
                self._keep(about, mine, rule.id, after)
                self.occurrences += [Occurrence(rule, about, event) for event in events]

    def _of(self, about: Subject) -> dict[str, Kept]:
        """What is remembered of a subject, to be changed."""
        held = self.held.get(about)
        if held is None:
            held = self.held[about] = dict(self.memory.get(about, {}))
        return held

    def _keep(self, about: Subject, mine: dict[str, Kept], name: str, after: Kept) -> None:
        if mine.get(name) != after:
            mine[name] = after
            self.touched.add(about)

    def _about(self, subjects: frozenset[str]) -> tuple[Rule, ...]:
        """The rules that ask for one of these subjects; computers say the same ones again and again."""
        if subjects not in self.speaking:
            self.speaking[subjects] = tuple(
                rule for rule in self.rules if not subjects.isdisjoint(rule.condition.evidence)
            )
        return self.speaking[subjects]


def _is_kept(state: RuleState, value: bool) -> bool:
    """Whether the evidence may become part of what is remembered or told; most is looked at and forgotten."""
    stands = state.is_standing or state.is_usual
    return state.is_open or (not stands if value else state.is_standing)


_NEW = RuleState()


def evidence_of(subjects: Sequence[str], told: Told, row: Row) -> Evidence:
    """The envelope's readings and facts of these subjects, frozen."""
    return Evidence(
        row.id,
        row.taken_at,
        {k: v.value for k, v in told.state.readings.items() if subject(k) in subjects},
        {k: t.value for k, t in told.state.facts.items() if subject(k) in subjects},
        row.received_at,
    )
