"""One step of a rule: what was so, what an envelope says now, and whether an incident opens or closes.

Times are those of the evidence (when it was taken, on the server's clock), never of its arrival or of
the clock on the wall: the same journal gives the same incidents whenever it is read.
"""

from typing import Any, Literal

import msgspec

from schoolwatch_server.rules.rule import Rule

EventKind = Literal["opened", "closed", "listed", "mended", "stood"]
"""An incident opens or closes; a standing fault is put on the work list or is mended; an incident of weeks
becomes one."""


class Evidence(msgspec.Struct, frozen=True):
    """The readings and facts that an envelope gave, frozen: `key(name, labels)` → value."""

    journal: int
    taken_at: float
    readings: dict[str, float | None] = {}
    facts: dict[str, str | None] = {}


class RuleState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered between two envelopes of one device for one rule.

    `first` is the evidence since which the condition has been met, `first_late` whether it came late,
    `first_of_all` whether this rule, as it is now, had judged nothing
    before it. `opened_since` is when an open incident's condition
    began (0: of an incident that an older program opened). `clear_since` is when the condition of an open
    incident or a standing fault was first seen no longer met. `version` is the rule's (0: not remembered).
    """

    taken_at: float = 0.0
    version: int = 0
    first: Evidence | None = None
    first_late: bool = False
    first_of_all: bool = False
    is_open: bool = False
    opened_since: float = 0.0
    is_standing: bool = False
    clear_since: float | None = None


class Event(msgspec.Struct, frozen=True):
    """What happens; its condition began or ended at `since`, and the evidence of `at` decided it."""

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
    a newer one that is not late and still meets the condition. A work list alarms nobody: what is late
    can put a fault on it.
    """
    if value is None or evidence.taken_at < state.taken_at:
        return state, None
    if not value:
        return _not_met(rule, state, evidence, late)
    if state.is_open:
        return _goes_on(rule, state, evidence, late)
    return _met(rule, state, evidence, late)


def _met(rule: Rule, state: RuleState, evidence: Evidence, late: bool) -> tuple[RuleState, Event | None]:
    at = evidence.taken_at
    if state.is_standing:
        return _judged(rule, at, state, clear_since=None), None
    first = state.first or evidence
    if state.first is None:
        is_new = state.taken_at == 0 or state.version not in (0, rule.version)
        state = msgspec.structs.replace(state, first=evidence, first_late=late, first_of_all=is_new)
    state = _judged(rule, at, state)
    if at - first.taken_at < rule.open_after:
        return state, None
    if state.first_of_all and rule.when_found == "work_list":
        event = Event("listed", first.taken_at, at, late, first, evidence)
        return _judged(rule, at, is_standing=True), event
    if late:
        return state, None
    event = Event("opened", first.taken_at, at, state.first_late, first, evidence)
    return _judged(rule, at, is_open=True, opened_since=first.taken_at), event


def _goes_on(rule: Rule, state: RuleState, evidence: Evidence, late: bool) -> tuple[RuleState, Event | None]:
    """An incident's condition is met once more; after weeks of it the incident is a standing fault."""
    at, since = evidence.taken_at, state.opened_since
    if not since:  # it opened before this was remembered: its weeks are counted from here
        return _judged(rule, at, state, opened_since=at, clear_since=None), None
    if at - since < rule.standing_after:
        return _judged(rule, at, state, clear_since=None), None
    return _judged(rule, at, is_standing=True), Event("stood", since, at, late, None, evidence)


def _not_met(rule: Rule, state: RuleState, evidence: Evidence, late: bool) -> tuple[RuleState, Event | None]:
    at = evidence.taken_at
    if not (state.is_open or state.is_standing):
        return _judged(rule, at), None
    since = at if state.clear_since is None else state.clear_since
    if at - since < rule.close_after:
        return _judged(rule, at, state, clear_since=since), None
    kind: EventKind = "closed" if state.is_open else "mended"
    return _judged(rule, at), Event(kind, since, at, late, None, evidence)


_NOTHING = RuleState()


def _judged(rule: Rule, at: float, state: RuleState = _NOTHING, **changes: Any) -> RuleState:
    """The state once this evidence is judged by the rule as it is now."""
    return msgspec.structs.replace(state, taken_at=at, version=rule.version, **changes)


def as_json(event: Event) -> dict[str, Any]:
    """The event's evidence as plain data, to be kept with the incident."""
    data: dict[str, Any] = msgspec.to_builtins(event)
    return {name: data[name] for name in ("since", "at", "first", "last") if data[name] is not None}
