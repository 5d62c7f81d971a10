"""Judges what watches found at an instant: a pure function from findings and memory to events.

A watch looks at the database and the clock where `follow` reads envelopes; both go through the same `step`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from schoolwatch_server.rules.dependency import in_order, silencer
from schoolwatch_server.rules.follow import Occurrence
from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.rules.step import Event, EventKind, Evidence, RuleState, step
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.severity import SEVERITIES, Severity

_LINE = frozenset({"quiet", "gateway", "overnight", "many", "day"})
_OUTAGE = _LINE | {"schools", "share", "window", "communes", "all_share"}

PARAMETERS: Final[Mapping[str, frozenset[str]]] = {
    "grafana_alert": frozenset({"hours"}),
    "ipv6_lost": frozenset({"computers", "days", "fresh", "share"}),
    "line_slow": frozenset({"days", "share", "tests"}),
    "quarantine_growth": frozenset({"frames"}),
    "device_silent": frozenset({"days", "habit", "before", "share", "least"}),
    "line_down": _LINE,
    "outage_commune": _OUTAGE,
    "outage_province": _OUTAGE,
    "indicator_fell": frozenset({"days"}),
    "indicator_fell_widely": frozenset({"days", "schools"}),
    "server_backup": frozenset(),
    "server_behind": frozenset({"rows"}),
    "server_certificate": frozenset({"days"}),
    "server_channels": frozenset({"attempts"}),
    "server_clock": frozenset({"window", "least", "seconds"}),
    "server_deaf": frozenset({"after", "least"}),
    "server_disk": frozenset({"share", "bytes"}),
    "server_store_behind": frozenset({"seconds", "urgent"}),
    "site_certificate": frozenset({"days", "medium", "high"}),
    "site_ipv6_lost": frozenset({"days"}),
    "site_untrusted": frozenset(),
    "site_down": frozenset(),
}
"""Watches that rules may name, each with the parameters that its rule must give."""

OF_DEVICES: Final = frozenset({"device_silent"})
"""Those that find computers; the others find rooms, places, or the server itself."""


Watched = dict[tuple[str, Subject], dict[str, Any]]
"""What watches remember, as it is stored: (rule, subject) → a `RuleState`."""


class Finding(msgspec.Struct, frozen=True):
    """What a watch says of one subject: whether the condition is met (None: not known), and on what.

    `readings` and `facts` are kept with the incident, by names that the texts or the catalogue know. `since`
    is when it began (UTC seconds), where that is known better than by looking; `severity` is the rule's
    unless said, and only ever rises while an incident is open. `above` are the places in which the subject
    lies, by kind, and `parts` what parts of these are its own, as a school's providers. `is_planned` is
    whether planned work goes on there, so that nothing opens. `is_void`: nobody asks for it any more, so an
    incident is over though nothing got better.
    """

    subject: Subject
    value: bool | None
    readings: dict[str, float | None] = {}
    facts: dict[str, str | None] = {}
    since: float | None = None
    severity: Severity | None = None
    above: dict[str, int] = {}
    parts: frozenset[str] = frozenset()
    is_planned: bool = False
    is_void: bool = False


def watch(
    rules: Sequence[Rule], findings: Mapping[str, Sequence[Finding]], now: float, memory: Watched
) -> tuple[Watched, tuple[Occurrence, ...]]:
    """What changed in memory, and what opened or closed at `now` (UTC seconds).

    `findings` are by the rule's id; a rule without an entry was not looked at, and nothing of it changes.
    What a rule remembers of a subject that is not among them counts as no longer met, so a watch need not
    name what is in order. An empty body in memory is to be forgotten. Rules are judged after those that
    silence them, so that the larger incident is there first.
    """
    changed: dict[tuple[str, Subject], RuleState] = {}
    occurrences: list[Occurrence] = []
    states = {place: msgspec.convert(body, RuleState) for place, body in memory.items()}
    open_now = _open(states)
    for rule in in_order(rules):
        if rule.id not in findings:
            continue
        for found in (*findings[rule.id], *_gone(rule, findings[rule.id], memory)):
            place = (rule.id, found.subject)
            before = states.get(place, _NOTHING)
            larger = None
            if found.value:
                larger = silencer(rule, found.subject, found.above, open_now, found.parts)
            after, events = _one(rule, found, before, now, larger)
            after = _kept(after)
            if after != before:
                changed[place] = after
                states[place] = after
            occurrences += [Occurrence(rule, found.subject, event, larger) for event in events]
        open_now[rule.id] = [
            subject for (id_, subject), state in states.items() if id_ == rule.id and state.is_open
        ]
    return {place: msgspec.to_builtins(state) for place, state in changed.items()}, tuple(occurrences)


def _one(
    rule: Rule, found: Finding, before: RuleState, now: float, larger: tuple[str, Subject] | None
) -> tuple[RuleState, list[Event]]:
    """The state after one finding, and what happens."""
    evidence = Evidence(0, now, found.readings, found.facts)
    if larger is not None:
        if before.is_open:
            return _NOTHING, [_event("merged", rule, now, evidence)]
        return before, []
    if found.is_void:
        return _NOTHING, [_event("untargeted", rule, now, evidence)] if before.is_open else []
    if found.value and found.is_planned and not before.is_open:
        return before, []
    after, event = step(rule, found.value, before, evidence, late=False)
    events = [] if event is None else [_told(event, rule, found)]
    if after.is_open and found.value and _rank(found.severity) > _rank(before.severity or rule.severity):
        severity = found.severity or rule.severity
        after = msgspec.structs.replace(after, severity=severity)
        if before.is_open:
            events.append(msgspec.structs.replace(_event("worsened", rule, now, evidence), severity=severity))
    return after, events


def _event(kind: EventKind, rule: Rule, now: float, evidence: Evidence) -> Event:
    return Event(kind, now, now, late=False, first=None, last=evidence, severity=rule.severity)


def _told(event: Event, rule: Rule, found: Finding) -> Event:
    """An incident begins when the finding says so, not when somebody looked, and is as severe as it says."""
    if event.kind != "opened":
        return event
    since = event.since if found.since is None else min(event.since, found.since)
    severity = found.severity if _rank(found.severity) > _rank(rule.severity) else None
    return msgspec.structs.replace(event, since=since, severity=severity or rule.severity)


def _rank(severity: str | None) -> int:
    return len(SEVERITIES) - SEVERITIES.index(severity) if severity in SEVERITIES else 0


def _open(states: Mapping[tuple[str, Subject], RuleState]) -> dict[str, list[Subject]]:
    found: defaultdict[str, list[Subject]] = defaultdict(list)
    for (rule, subject), state in states.items():
        if state.is_open:
            found[rule].append(subject)
    return found


def _gone(rule: Rule, found: Sequence[Finding], memory: Watched) -> list[Finding]:
    seen = {finding.subject for finding in found}
    held = (subject for id_, subject in memory if id_ == rule.id and subject not in seen)
    return [Finding(subject, value=False) for subject in held]


def _kept(state: RuleState) -> RuleState:
    """Without when it was judged: a watch looks at what is so now, and what is in order leaves no trace."""
    if state.first is None and not state.is_open and not state.is_standing:
        return _NOTHING
    return msgspec.structs.replace(state, taken_at=_NOTHING.taken_at, condition=_NOTHING.condition)


_NOTHING = RuleState()
