"""One step of a rule: what was so, what an envelope says now, and whether an incident opens or closes.

Times are those of the evidence (when it was taken, on the server's clock), never of its arrival or of
the clock on the wall: the same journal gives the same incidents whenever it is read.
"""

from typing import Any, Literal

import msgspec

from schoolwatch_server.rules.rule import Rule

EventKind = Literal["opened", "closed"]


class Evidence(msgspec.Struct, frozen=True):
    """The readings and facts that an envelope gave, frozen: `key(name, labels)` → value."""

    journal: int
    taken_at: float
    readings: dict[str, float | None] = {}
    facts: dict[str, str | None] = {}


class RuleState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered between two envelopes of one device for one rule.

    `first` is the evidence since which the condition has been met, `first_late` whether it came late;
    `clear_since` is when an open incident's condition was first seen no longer met.
    """

    taken_at: float = 0.0
    first: Evidence | None = None
    first_late: bool = False
    is_open: bool = False
    clear_since: float | None = None


class Event(msgspec.Struct, frozen=True):
    """An incident opens or closes; its condition did so at `since`, and the evidence of `at` decided it."""

    kind: EventKind
    since: float
    at: float
    late: bool
    first: Evidence | None
    last: Evidence


def step(
    rule: Rule, value: bool | None, state: RuleState, evidence: Evidence, *, late: bool
) -> tuple[RuleState, Event | None]:
    """The state after one envelope, and the event it causes.

    Unknown changes nothing, and so does an envelope older than one already judged. A late envelope can
    begin the time that the condition must hold, and can close an incident, but opens none: that takes
    a newer one that is not late and still meets the condition.
    """
    if value is None or evidence.taken_at < state.taken_at:
        return state, None
    state = msgspec.structs.replace(state, taken_at=evidence.taken_at)
    if value:
        return _met(rule, state, evidence, late)
    return _not_met(rule, state, evidence, late)


def _met(rule: Rule, state: RuleState, evidence: Evidence, late: bool) -> tuple[RuleState, Event | None]:
    if state.is_open:
        return msgspec.structs.replace(state, clear_since=None), None
    if state.first is None:
        state = msgspec.structs.replace(state, first=evidence, first_late=late)
    first = state.first or evidence
    if late or evidence.taken_at - first.taken_at < rule.open_after:
        return state, None
    event = Event("opened", first.taken_at, evidence.taken_at, state.first_late, first, evidence)
    return RuleState(taken_at=evidence.taken_at, is_open=True), event


def _not_met(rule: Rule, state: RuleState, evidence: Evidence, late: bool) -> tuple[RuleState, Event | None]:
    if not state.is_open:
        return RuleState(taken_at=evidence.taken_at), None
    since = evidence.taken_at if state.clear_since is None else state.clear_since
    if evidence.taken_at - since < rule.close_after:
        return msgspec.structs.replace(state, clear_since=since), None
    event = Event("closed", since, evidence.taken_at, late, None, evidence)
    return RuleState(taken_at=evidence.taken_at), event


def as_json(event: Event) -> dict[str, Any]:
    """The event's evidence as plain data, to be kept with the incident."""
    data: dict[str, Any] = msgspec.to_builtins(event)
    return {name: data[name] for name in ("since", "at", "first", "last") if data[name] is not None}
