"""Judges envelopes in the order of the journal: a pure function from rows and memory to events."""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

import msgspec

from schoolwatch_contract.records import Envelope
from schoolwatch_server.rules.condition import met, met_worse
from schoolwatch_server.rules.learning import SAYS_MAX, Learnt, Listening, Spoken, Stranger, look
from schoolwatch_server.rules.memory import FACTS, LISTENING, Kept, Memory
from schoolwatch_server.rules.rule import Learn, Rule
from schoolwatch_server.rules.sighted import Seen, Sighted, Spans, concerns, part_of, place_of, see
from schoolwatch_server.rules.step import Event, Evidence, RuleState, step
from schoolwatch_server.rules.subject import Subject, device
from schoolwatch_server.rules.told import NOTHING, Given, Told, hear, recall, subject
from schoolwatch_server.state import find

Cleared = Mapping[tuple[str, Subject], Collection[float]]
"""(rule, subject) → when a person closed an incident about it as no fault, UTC seconds."""

Ended = Mapping[tuple[str, Subject], Collection[float]]
"""(rule that learns, subject) → when what was known of it ended, UTC seconds: a person said so, or nobody saw
it for long."""

SENSOR_UP = "sensor.up"
"""What a gateway says of each link on which its sensor listens."""


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
    cleared: Cleared | None = None,
    ended: Ended | None = None,
) -> tuple[Memory, tuple[Occurrence, ...]]:
    """Of whom memory changed, all that is remembered of them, and what opened or closed, in order.

    Each envelope is judged by itself, beside the facts that were told before it. `sightings` are those that
    were committed with each row; of a row without an envelope they alone are judged. A rule that is switched
    off judges nothing, and one of `apart` (rule, subject) nothing of that subject. What people have `cleared`
    a rule that learns knows from then on, and what they have `ended` it knows no more.
    """
    enabled = [rule for rule in rules if rule.enabled]
    journey = _Journey(enabled, memory, given, apart, cleared or {}, ended or {})
    for row, envelope in envelopes:
        if envelope is not None:
            journey.judge(row, envelope)
        journey.sight(row, (sightings or {}).get(row.id, ()))
    return journey.changed, tuple(journey.occurrences)


def listened(memory: Memory, state: Sighted) -> Spans | None:
    """When the sensor listened that saw it last; None where it never says so."""
    held = memory.get(device(state.by), {}).get(LISTENING)
    return held.spans.get(state.nic) if isinstance(held, Listening) else None


@dataclass
class _Journey:
    """What is known on the way through the rows."""

    rules: Sequence[Rule]
    memory: Memory
    given: Given
    apart: Container[tuple[str, Subject]]
    cleared: Cleared
    ended: Ended
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
        if _SENSOR in told.subjects:
            up = find(told.state.readings, SENSOR_UP).values()
            self._hears(row, [labels.get("nic", "") for labels, heard in up if heard])
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
        for rule in self.rules:
            if rule.condition.sighting is None or rule.known_by:
                continue
            of: dict[Subject, list[Seen]] = {}
            for seen in sightings:
                if concerns(rule, seen):
                    of.setdefault(place_of(rule, seen, row.device_id), []).append(seen)
            for place, its in of.items():
                if (rule.id, place) not in self.apart:
                    self._sight(rule, row, place, its)

    def _sight(self, rule: Rule, row: Row, place: Subject, its: Sequence[Seen]) -> None:
        if rule.learn is None:
            self._see(rule, place, [Stranger(part_of(rule, seen), seen) for seen in its])
            return
        strangers, other = self._strangers(rule, rule.learn, row, place, its), self._of_changes(rule, place)
        self._see(rule, place, [one for one in strangers if other is rule or not one.is_known])
        if other is not None and other is not rule:
            self._see(other, place, [one for one in strangers if one.is_known])

    def _see(self, rule: Rule, place: Subject, strangers: Sequence[Stranger]) -> None:
        for part, each in groupby(sorted(strangers, key=lambda one: one.part), key=lambda one: one.part):
            told = tuple(each)
            about = Subject(place.kind, place.id, part)
            mine = self._of(about)
            before = self._sighted(about, rule)
            self._of(device(before.by))
            its = tuple(one.seen for one in told)
            after, events = see(rule, before, its, listened(self.held, before))
            said = dict.fromkeys((*after.told, *(value for one in told for value in one.says)))
            self._keep(about, mine, rule.id, msgspec.structs.replace(after, told=tuple(said)[-SAYS_MAX:]))
            self.occurrences += [Occurrence(rule, about, event) for event in events]

    def _of_changes(self, rule: Rule, place: Subject) -> Rule | None:
        """Whose incident it is that something known announces what is new; None where nobody judges that."""
        named = rule.learn.changed if rule.learn is not None else ""
        if not named:
            return rule
        found = next((one for one in self.rules if one.id == named), None)
        return None if found is None or (named, place) in self.apart else found

    def _strangers(
        self, rule: Rule, learn: Learn, row: Row, place: Subject, its: Sequence[Seen]
    ) -> list[Stranger]:
        """Those of them that are not known; what becomes known is remembered of the place."""
        mine = self._of(place)
        held = mine.get(rule.id)
        before = learnt = held if isinstance(held, Learnt) else Learnt()
        if row.id <= learnt.journal:
            return []
        found: list[Stranger] = []
        for seen in sorted(its, key=lambda one: one.seen_at):
            about = Subject(place.kind, place.id, part_of(rule, seen))
            ends = (at for at in self.ended.get((rule.id, about), ()) if at <= seen.arrived_at)
            since, ended = self._listens(row, seen), max(ends, default=0.0)
            told = tuple(self._told(rule, place, about))
            learnt, came = look(rule, learn, learnt, about.part, seen, told, since, ended)
            if isinstance(came, Stranger):
                found.append(came)
            elif came is not None:
                whose, event = came
                state = msgspec.structs.replace(self._sighted(about, whose), is_open=False)
                self._keep(about, self._of(about), whose.id, state)
                self.occurrences.append(Occurrence(whose, about, event))
        if learnt is not before:
            self._keep(place, mine, rule.id, msgspec.structs.replace(learnt, journal=row.id))
        return found

    def _told(self, rule: Rule, place: Subject, about: Subject) -> Iterator[Spoken]:
        """Of a rule that learns, and of the one about changes."""
        other = self._of_changes(rule, place)
        for one in (rule, other) if other is not None and other is not rule else (rule,):
            yield Spoken(one, self._sighted(about, one), self.cleared.get((one.id, about), ()))

    def _sighted(self, about: Subject, rule: Rule) -> Sighted:
        held = self._of(about).get(rule.id)
        return held if isinstance(held, Sighted) else Sighted()

    def _listens(self, row: Row, seen: Seen) -> float:
        """Since when the link of a sighting is listened to at that school; if nobody said so, since then."""
        nic = seen.detail.get("nic", "")
        listening = self._listening(row, {})
        if nic not in listening.since:
            listening = self._listening(row, {nic: seen.seen_at})
        return max(listening.began(nic, seen.seen_at), seen.there_since)

    def _listening(self, row: Row, at: Mapping[str, float]) -> Listening:
        about = device(row.device_id)
        mine = self._of(about)
        held = mine.get(LISTENING)
        listening = held if isinstance(held, Listening) else Listening()
        for nic, when in at.items():
            listening = listening.on(nic, when)
        if listening.since:
            self._keep(about, mine, LISTENING, listening)
        return listening

    def _hears(self, row: Row, nics: Iterable[str]) -> None:
        """The sensor of a report says that it listens on these links."""
        listening = self._listening(row, dict.fromkeys(nics, row.taken_at))
        for nic in nics:
            listening = listening.heard(nic, row.taken_at)
        if listening.since:
            about = device(row.device_id)
            self._keep(about, self._of(about), LISTENING, listening)

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


_SENSOR = subject(SENSOR_UP)

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
