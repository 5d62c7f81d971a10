"""One step of a rule about sightings: each one is an incident at once, and repeated ones are the same.

A sighting is an instant, so it is over when there was none for a while; `quiet` tells that by the clock, and
`see` by the next sighting: both give the same times, whichever comes first. Where a sensor says when it
listens, that while counts only what it listened to without a gap: who doesn't look sees nothing.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.rules.step import Event, EventKind, Evidence
from schoolwatch_server.rules.subject import PART_MAX, Subject, device

AGAIN_MAX: Final = 10
"""Repeated sightings that are kept with an incident one by one; of more there is the number."""


UNHEARD: Final = 7200.0
"""Seconds between two reports of a sensor that it listens, from which nobody knows of the time between."""

UNKNOWN_MAX: Final = 30 * 86400.0
"""Seconds for which an incident waits for a sensor that is silent: by then it was taken away, or replaced. A
proposal of this project."""

Spans = tuple[tuple[float, float], ...]
"""From when to when a sensor listened without a gap, UTC seconds, in order."""

SAME: Final = 1.0
"""Seconds by which the time of the same sighting may differ: clocks are measured anew with each report."""


class Seen(msgspec.Struct, frozen=True):
    """A sighting as it was committed with a journal row; times are UTC seconds on the server's clock.

    `device` is who saw it, `school` where that was then (0: not known), and `there_since` since when (0:
    since it was there at all).
    """

    journal: int
    kind: str
    subject: str
    detail: dict[str, str]
    seen_at: float
    arrived_at: float
    late: bool
    device: int = 0
    school: int = 0
    there_since: float = 0.0

    @property
    def heard_at(self) -> float:
        """When it counts as heard: of what came late, when it came."""
        return max(self.seen_at, self.arrived_at if self.late else 0.0)

    @property
    def evidence(self) -> Evidence:
        """What is kept with the incident."""
        return Evidence(
            self.journal,
            self.seen_at,
            arrived_at=self.arrived_at,
            sighting=self.kind,
            subject=self.subject,
            detail=self.detail,
            device=self.device,
        )


def part_of(rule: Rule, seen: Seen) -> str:
    """What tells this sighting's incident from others of the same place, as short as a key must be."""
    name = " ".join(seen.detail.get(one, "") for one in rule.same) if rule.same else seen.subject
    return name if len(name) <= PART_MAX else hashlib.sha256(name.encode()).hexdigest()[:PART_MAX]


def place_of(rule: Rule, seen: Seen, device_id: int) -> Subject:
    """Whose incident it is: the school's, where the rule says so and that is known, else the device's."""
    return Subject("school", seen.school) if rule.scope == "school" and seen.school else device(device_id)


class Sighted(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of one subject.

    The newest journal row that was judged; whether an incident is open; of the newest incident the first and
    last sighting, when something of it was last heard (its arrival, where it came late), and their number.
    `told` is what it announced in that incident, where the rule learns (see `learning`). `by` is the device
    that saw it last (0: not remembered), on the link `nic`; `waits`: people were told that it is silent.
    """

    journal: int = 0
    is_open: bool = False
    since: float = 0.0
    last: float = 0.0
    heard: float = 0.0
    count: int = 0
    told: tuple[str, ...] = ()
    by: int = 0
    nic: str = ""
    waits: bool = False


def concerns(rule: Rule, seen: Seen) -> bool:
    """Whether the rule is about such a sighting."""
    condition = rule.condition
    return (
        seen.kind == condition.sighting
        and all(seen.detail.get(name) in wanted for name, wanted in condition.detail.items())
        and all(_number(seen.detail.get(name)) >= least for name, least in condition.at_least.items())
    )


def _number(text: str | None) -> float:
    """Of what is no number nobody knows that it reaches anything."""
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")


def see(
    rule: Rule, state: Sighted, seen: Sequence[Seen], listened: Spans | None = None
) -> tuple[Sighted, tuple[Event, ...]]:
    """The state after one journal row's sightings of a subject, and what they cause.

    `listened` is when the sensor did that saw it last; None where it never says so.

    A late one opens an incident only where the rule's `late` is `opens`, and none when the newest incident
    was about that time. A row that was judged before changes nothing, and neither does what was told before:
    a sensor tells the same for an hour, whatever becomes of the incident meanwhile.
    """
    if not seen or seen[0].journal <= state.journal:
        return state, ()
    events: list[Event] = []
    known = state.last + SAME if state.count else 0.0
    for one in sorted(seen, key=lambda one: one.seen_at):
        if not one.late and one.seen_at <= known:
            continue
        at = one.arrived_at if one.late else one.seen_at
        over = over_at(rule, state, listened)
        if state.is_open and over is not None and at >= over:
            events.append(_closed(rule, state, over))
            state = msgspec.structs.replace(state, is_open=False)
        state, event = _one(rule, state, one)
        events += () if event is None else (event,)
    return msgspec.structs.replace(state, journal=seen[0].journal), tuple(events)


def _one(rule: Rule, state: Sighted, one: Seen) -> tuple[Sighted, Event | None]:
    heard = one.heard_at
    if one.late and (rule.late == "waits" or _is_known(state, one.seen_at)):
        return state, None
    if not state.is_open:
        opened = Sighted(
            state.journal, True, one.seen_at, one.seen_at, heard, 1, by=one.device, nic=_nic(one)
        )
        event = Event("opened", one.seen_at, one.seen_at, one.late, None, one.evidence, rule.severity)
        return opened, event
    since, last = min(state.since, one.seen_at), max(state.last, one.seen_at)
    count = state.count + 1
    by, nic = (one.device, _nic(one)) if heard >= state.heard else (state.by, state.nic)
    again = Sighted(
        state.journal, True, since, last, max(state.heard, heard), count, state.told, by=by, nic=nic
    )
    return again, Event("again", since, one.seen_at, one.late, None, one.evidence, rule.severity, count)


def _is_known(state: Sighted, at: float) -> bool:
    return bool(state.count) and state.since <= at <= state.last


def _nic(seen: Seen) -> str:
    return seen.detail.get("nic", "")


def over_at(rule: Rule, state: Sighted, listened: Spans | None) -> float | None:
    """From when on the rule's `close_after` had passed without a sighting; None while nobody knows that."""
    if listened is None:
        return state.heard + rule.close_after
    for begin, end in listened:
        start = max(begin, state.heard)
        if end - start >= rule.close_after:
            return start + rule.close_after
    return None


def quiet(
    rule: Rule, state: Sighted, now: float, listened: Spans | None = None
) -> tuple[Sighted, Event | None]:
    """Closes an incident of which nothing was seen for the rule's `close_after`; call it when all that came
    was judged.

    While the sensor that saw it last is silent it stays open, which is told once, for `UNKNOWN_MAX` at most.
    """
    if not state.is_open or now - state.heard < rule.close_after:
        return state, None
    over = over_at(rule, state, listened)
    if over is not None and now >= over:
        return msgspec.structs.replace(state, is_open=False), _closed(rule, state, over)
    if now - state.heard >= max(UNKNOWN_MAX, rule.close_after):
        at = state.heard + max(UNKNOWN_MAX, rule.close_after)
        return msgspec.structs.replace(state, is_open=False), _closed(rule, state, at, "unheard")
    until = listened[-1][1] if listened else 0.0
    if state.waits or now - until <= UNHEARD:
        return state, None
    at = max(state.heard + rule.close_after, until + UNHEARD)
    return msgspec.structs.replace(state, waits=True), _closed(rule, state, at, "waits")


def _closed(rule: Rule, state: Sighted, at: float, kind: EventKind = "closed") -> Event:
    evidence = Evidence(0, state.last)
    return Event(kind, state.last, at, False, None, evidence, rule.severity, state.count)
