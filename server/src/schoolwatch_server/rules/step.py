"""One step of a rule: what was so, what an envelope says now, and whether an incident opens or closes.

Times are those of the evidence (when it was taken, on the server's clock), never of the clock on the wall:
the same journal gives the same incidents whenever it is read.
"""

from typing import Any, Literal

import msgspec

from schoolwatch_server.rules.rule import Rule
from schoolwatch_server.severity import Severity

EventKind = Literal[
    "opened",
    "closed",
    "worsened",
    "again",
    "merged",
    "listed",
    "mended",
    "stood",
    "known",
    "waits",
    "unheard",
    "untargeted",
]
"""An incident opens, gets worse, is seen again, becomes part of a larger one or closes; a standing fault is
put on the work list or is mended; an incident of weeks becomes one; what a person called no fault is
known; an incident waits for a sensor that is silent, closes since nobody listened for too long, or
since what it is about is asked of nobody any more."""


class Evidence(msgspec.Struct, frozen=True, gc=False):
    """The readings and facts that an envelope gave, frozen: `key(name, labels)` → value.

    `taken_at` is when it was taken and `arrived_at` when it came here (0: not remembered), UTC seconds. Of a
    sighting there are its kind, what it is about, its details, and who saw it (a device's id; 0: not kept).
    """

    journal: int
    taken_at: float
    readings: dict[str, float | None] = {}
    facts: dict[str, str | None] = {}
    arrived_at: float = 0.0
    sighting: str = ""
    subject: str = ""
    detail: dict[str, str] = {}
    device: int = 0


class RuleState(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What is remembered between two envelopes of one device for one rule.

    `first` is the evidence since which the condition has been met, `first_late` whether it came late,
    `first_of_all` whether nothing had been judged by this condition before it. `opened_since` is when an open
    incident's condition began (0: of an incident that an older program opened), `is_worse` whether it has the
    severity of `worse`. `is_usual`: it was so when the computer came, and the rule calls that no fault.
    `clear_since` is when the condition of an open incident or a standing fault was first seen no longer met.
    `condition` is the mark of the condition that judged last (0: not remembered); a `version` is a rule's, as
    older programs remembered it.

    Of a rule whose late evidence opens incidents: `arrived` is when that of the open one came, and an
    incident of this device was about all of `covered_from` to `covered_to`.

    `signs` are the facts of the rule's `again` that the open incident knows, and `count` how often there was
    a new one.

    `severity` is what a watch has raised the incident to, empty while it is the rule's.
    """

    taken_at: float = 0.0
    version: int = 0
    condition: int = 0
    first: Evidence | None = None
    first_late: bool = False
    first_of_all: bool = False
    is_open: bool = False
    opened_since: float = 0.0
    is_worse: bool = False
    is_standing: bool = False
    is_usual: bool = False
    clear_since: float | None = None
    arrived: float = 0.0
    covered_from: float = 0.0
    covered_to: float = 0.0
    signs: dict[str, str] = {}
    count: int = 1
    severity: str = ""


class Event(msgspec.Struct, frozen=True):
    """What happens; its condition began or ended at `since`, and the evidence of `at` decided it.

    `count` is how often an incident's sighting was seen so far. Of `again`, `is_new` says that the sign has a
    name that the open incident did not know: other malware, not the same once more.
    """

    kind: EventKind
    since: float
    at: float
    late: bool
    first: Evidence | None
    last: Evidence
    severity: Severity
    count: int = 1
    is_new: bool = False


def step(
    rule: Rule,
    value: bool | None,
    state: RuleState,
    evidence: Evidence,
    *,
    late: bool,
    worse: bool | None = None,
) -> tuple[RuleState, Event | None]:
    """The state after one envelope, and the event it causes; `worse` is whether it meets the rule's `worse`.

    Unknown changes nothing, and so does an envelope older than one already judged. A late envelope can
    begin the time that the condition must hold, and can close an incident, but opens none: that takes
    a newer one that is not late and still meets the condition. A work list alarms nobody: what is late
    can put a fault on it. Where the rule's `late` is `opens`, a late envelope does open an incident, also an
    older one, unless there was one about that time; such an incident closes on what is measured after the
    late evidence came, for until then nobody knew of it.
    """
    if value is None:
        return state, None
    if evidence.taken_at < state.taken_at:
        return _earlier(rule, state, evidence, late=late and value, worse=bool(worse))
    if not value:
        return _not_met(rule, state, evidence, late)
    if state.is_open:
        return _goes_on(rule, state, evidence, late, worse=bool(worse))
    return _met(rule, state, evidence, late, worse=bool(worse))


def _met(
    rule: Rule, state: RuleState, evidence: Evidence, late: bool, *, worse: bool
) -> tuple[RuleState, Event | None]:
    at = evidence.taken_at
    if state.is_standing or state.is_usual:
        return _judged(rule, at, state, clear_since=None), None
    is_changed = _is_changed(rule, state)
    if state.first is None or is_changed:
        is_new = is_changed or state.taken_at == 0
        state = msgspec.structs.replace(state, first=evidence, first_late=late, first_of_all=is_new)
    first = state.first or evidence
    state = _judged(rule, at, state)
    if at - first.taken_at < rule.open_after:
        return state, None
    if state.first_of_all and rule.when_found == "nothing":
        return _judged(rule, at, is_usual=True), None
    if rule.when_begun == "work_list" or (state.first_of_all and rule.when_found == "work_list"):
        event = Event("listed", first.taken_at, at, late, first, evidence, _severity(rule, worse))
        return _judged(rule, at, is_standing=True), event
    if late and rule.late == "waits":
        return state, None
    came_late = state.first_late or late
    event = Event("opened", first.taken_at, at, came_late, first, evidence, _severity(rule, worse))
    opened = _judged(rule, at, is_open=True, opened_since=first.taken_at, is_worse=worse)
    opened = msgspec.structs.replace(opened, signs=_signs(rule, evidence))
    return _covering(rule, opened, first.taken_at, at, evidence.arrived_at if late else 0.0), event


def _is_changed(rule: Rule, state: RuleState) -> bool:
    """Whether another condition judged last: a rule whose texts or times were changed asks as before."""
    if state.condition:
        return state.condition != rule.condition.mark
    return state.version not in (0, rule.version)


def _goes_on(
    rule: Rule, state: RuleState, evidence: Evidence, late: bool, *, worse: bool
) -> tuple[RuleState, Event | None]:
    """An incident's condition is met once more; after weeks of it the incident is a standing fault."""
    at, since = evidence.taken_at, state.opened_since
    if not since:  # it opened before this was remembered: its weeks are counted from here
        return _judged(rule, at, state, opened_since=at, clear_since=None), None
    if rule.scope == "device" and at - max(since, state.arrived) >= rule.standing_after:
        event = Event("stood", since, at, late, None, evidence, _severity(rule, worse))
        return _judged(rule, at, is_standing=True), event
    state = _judged(rule, at, state, clear_since=None)
    if state.covered_to:
        state = msgspec.structs.replace(state, covered_to=at)
    if worse and not state.is_worse and not late:
        event = Event("worsened", since, at, late, None, evidence, _severity(rule, worse))
        return msgspec.structs.replace(state, is_worse=True), event
    return _again(rule, state, evidence, late)


def _again(rule: Rule, state: RuleState, evidence: Evidence, late: bool) -> tuple[RuleState, Event | None]:
    """Whether an open incident has a sign that is new: malware of another name, or found once more."""
    new = {name: told for name, told in _signs(rule, evidence).items() if state.signs.get(name) != told}
    if not new:
        return state, None
    is_new = not state.signs.keys() >= new.keys() and len(state.signs) < NAMES_MAX
    newest = dict([*state.signs.items(), *new.items()][-SIGNS_MAX:])
    state = msgspec.structs.replace(state, signs=newest)
    if late:
        return state, None
    count = state.count + 1
    at, severity = evidence.taken_at, _severity(rule, state.is_worse)
    event = Event("again", state.opened_since, at, late, None, evidence, severity, count, is_new)
    return msgspec.structs.replace(state, count=count), event


NAMES_MAX = 10
"""Names of which people are told: who makes up ever new ones rings nobody out of bed for ever."""

SIGNS_MAX = 50
"""Signs that an open incident remembers; an antivirus tells of twenty at most."""


def _signs(rule: Rule, evidence: Evidence) -> dict[str, str]:
    begin = f"{rule.again}{{"
    return {
        name: told for name, told in evidence.facts.items() if rule.again and told and name.startswith(begin)
    }


def _not_met(rule: Rule, state: RuleState, evidence: Evidence, late: bool) -> tuple[RuleState, Event | None]:
    at = evidence.taken_at
    fine = _judged(rule, at, covered_from=state.covered_from, covered_to=state.covered_to)
    if not (state.is_open or state.is_standing):
        return fine, None
    since = max(at if state.clear_since is None else state.clear_since, state.arrived)
    if at - since < rule.close_after:
        return _judged(rule, at, state, clear_since=since), None
    kind: EventKind = "closed" if state.is_open else "mended"
    return fine, Event(kind, since, at, late, None, evidence, _severity(rule, state.is_worse))


def _earlier(
    rule: Rule, state: RuleState, evidence: Evidence, *, late: bool, worse: bool
) -> tuple[RuleState, Event | None]:
    """What was taken before something already judged; `late`: it comes only now and meets the condition."""
    at = evidence.taken_at
    if not late or rule.late == "waits" or state.is_standing:
        return state, None
    if state.covered_from <= at <= state.covered_to:
        return state, None
    event = Event("opened", at, at, True, evidence, evidence, _severity(rule, worse))
    start, end = min(state.covered_from or at, at), max(state.covered_to, at)
    if state.is_open:
        return msgspec.structs.replace(state, covered_from=start, covered_to=end), None
    opened = msgspec.structs.replace(state, is_open=True, opened_since=at, is_worse=worse, clear_since=None)
    opened = msgspec.structs.replace(opened, signs=_signs(rule, evidence))
    return _covering(rule, opened, start, end, evidence.arrived_at), event


def _covering(rule: Rule, state: RuleState, start: float, end: float, arrived: float) -> RuleState:
    if rule.late == "waits":
        return state
    return msgspec.structs.replace(state, covered_from=start, covered_to=end, arrived=arrived)


def _severity(rule: Rule, worse: bool) -> Severity:
    return rule.worse.severity if worse and rule.worse is not None else rule.severity


_NOTHING = RuleState()


def _judged(rule: Rule, at: float, state: RuleState = _NOTHING, **changes: Any) -> RuleState:
    """The state once this evidence is judged by the rule as it is now."""
    return msgspec.structs.replace(state, taken_at=at, version=0, condition=rule.condition.mark, **changes)


def as_json(event: Event) -> dict[str, Any]:
    """The event's evidence as plain data, to be kept with the incident."""
    data: dict[str, Any] = msgspec.to_builtins(event)
    told = {name: data[name] for name in ("since", "at", "first", "last") if data[name] is not None}
    return told if event.count == 1 else {**told, "count": event.count}
