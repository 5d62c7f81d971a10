"""From the journal to incidents: each batch's memory, incidents and notifications are one transaction.

The transaction moves the cursor only from where the batch was read. So a kill at any moment loses
nothing and doubles nothing, and a second evaluator on the same database finds its work done.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, Engine

from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.records import Envelope
from schoolwatch_server.database import (
    faults,
    incidents,
    journal,
    known_network,
    memories,
    notifications,
    open_incidents,
    rule_reach,
    sightings,
)
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.rules import Book, Rule
from schoolwatch_server.rules.follow import Occurrence, follow
from schoolwatch_server.rules.learning import Learnt, subjects
from schoolwatch_server.rules.memory import Memory, of_a_right_clock
from schoolwatch_server.rules.sighted import AGAIN_MAX, Sighted
from schoolwatch_server.rules.silence import fall_quiet
from schoolwatch_server.rules.step import Event, as_json
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.told import NOTHING, Given
from schoolwatch_server.rules.watch import Finding, Watched, watch

log = logging.getLogger(__name__)

CURSOR = "rules"
BATCH = 500
"""Envelopes in one transaction."""


def judge_next(
    engine: Engine,
    rules: Sequence[Rule] | Book,
    channels: Collection[str],
    now: float,
    given: Given = NOTHING,
    told: Callable[[], None] = lambda: None,
) -> int:
    """Judges the next envelopes of the journal and returns how many were read; 0 when there are none.

    Of a book, an envelope is judged by the rules of when it was taken, as far as they judge it now as well.
    `told` is called when incidents opened or closed, once that is committed.
    """
    book = rules if isinstance(rules, Book) else Book.of(rules)
    with begin_read(engine) as conn:
        position = journal.position(conn, CURSOR)
        rows = journal.rows_after(conn, position, BATCH)
        if not rows:
            return 0
        seen = sightings.of_rows(conn, rows[0].id, rows[-1].id)
        about = {Subject("device", row.device_id) for row in rows}
        parts = subjects(book.of_sightings, seen, {row.id: row.device_id for row in rows})
        memory = of_a_right_clock(memories.of_devices(conn, {one.id for one in about}), now)
        for subject, kept in _sighted(conn, {rule.id for rule in book.of_sightings}, parts).items():
            memory[subject] = memory.get(subject, {}) | kept
        memory = _sensors(conn, memory) | memory
        of_now = book.at(now)
        places = {msgspec.structs.replace(one, part="") for one in parts}
        apart = rule_reach.apart(conn, of_now, about | places)
        learning = {rule.id for rule in book.of_sightings if rule.learn is not None or rule.known_by}
        cleared = incidents.false_alarms(conn, learning, parts)
        ended = known_network.ends(conn, learning, parts)
    switched_on = {rule.id for rule in of_now if rule.enabled}
    changed: Memory = {}
    occurrences: list[Occurrence] = []
    for of_then, run in book.spans(rows):
        judging = [rule for rule in of_then if rule.id in switched_on]
        more, found = follow(judging, _decoded(run), memory, given, seen, apart, cleared, ended)
        changed |= more
        memory |= more
        occurrences += found
    with begin_write(engine) as conn:
        if not incidents.move_cursor(conn, CURSOR, position, rows[-1].id, now):
            return 0  # another evaluator was here first
        memories.write(conn, changed)
        _write(conn, _seen(changed), occurrences, channels, now)
    if occurrences:
        told()
    return len(rows)


def judge_found(
    engine: Engine,
    rules: Sequence[Rule],
    findings: Mapping[str, Sequence[Finding]],
    channels: Collection[str],
    now: float,
) -> int:
    """Judges what watches found (by rule, as `rules.watch.watch` takes it); how many incidents changed."""
    with begin_write(engine) as conn:
        about = [finding.subject for found in findings.values() for finding in found]
        apart = rule_reach.apart(conn, rules, about)
        findings = {
            id_: [f for f in found if (id_, f.subject) not in apart] for id_, found in findings.items()
        }
        watched = [rule.id for rule in rules if rule.condition.watch is not None and rule.enabled]
        memory = incidents.all_states(conn, watched)
        changed, occurrences = watch(rules, findings, now, memory)
        _write(conn, changed, occurrences, channels, now)
    return len(occurrences)


def judge_quiet(engine: Engine, rules: Sequence[Rule], channels: Collection[str], now: float) -> int:
    """Closes incidents about sightings of which there was none for long; how many.

    What lies unread in the journal may be one more: so the clock here is when the oldest of that came.
    """
    ids = [rule.id for rule in rules if rule.condition.sighting is not None]
    with begin_write(engine) as conn:
        unread = journal.rows_after(conn, journal.position(conn, CURSOR), 1)
        until = min([now, *(row.received_at for row in unread)])
        memory = _sighted(conn, ids, open_incidents.subjects(conn, ids))
        changed, occurrences = fall_quiet(rules, _sensors(conn, memory) | memory, until)
        _write(conn, _seen(changed), occurrences, channels, now)
    return len(occurrences)


def _sighted(conn: Connection, rules: Collection[str], about: Collection[Subject]) -> Memory:
    """What rules about sightings remember of these subjects."""
    found: Memory = {}
    for (rule, subject), body in incidents.states(conn, rules, about).items():
        mine = found.setdefault(subject, {})
        mine[rule] = known_network.read(body)
    return found


def _sensors(conn: Connection, memory: Memory) -> Memory:
    """What is remembered of the devices that saw last what is open."""
    about = {
        state.by
        for kept in memory.values()
        for state in kept.values()
        if isinstance(state, Sighted) and state.is_open and state.by
    }
    return memories.of_devices(conn, about)


def _seen(changed: Memory) -> Watched:
    """Of memory what is about sightings, as it is stored."""
    return {
        (rule, about): msgspec.to_builtins(state)
        for about, kept in changed.items()
        for rule, state in kept.items()
        if isinstance(state, Sighted | Learnt)
    }


def _write(
    conn: Connection,
    changed: Watched,
    occurrences: Sequence[Occurrence],
    channels: Collection[str],
    now: float,
) -> None:
    incidents.write_states(conn, changed)
    for occurrence in occurrences:
        told = _record(conn, occurrence, now)
        if told is not None:
            notifications.put(conn, *told, channels, now)


def _record(conn: Connection, occurrence: Occurrence, now: float) -> tuple[int, str] | None:
    """Writes what happened; incident and event that people are told of, if any. A work list alarms nobody."""
    event, new = occurrence.event, _new(occurrence)
    match event.kind:
        case "opened":
            return _opened(conn, new, now)
        case "worsened":
            worse = incidents.worsen(conn, new.fingerprint, event.severity, as_json(event), now)
            return None if worse is None else (worse, "worsened")
        case "again":
            return _again(conn, event, new, now)
        case "closed":
            closed = incidents.close_incident(conn, new.fingerprint, event.at, as_json(event), now)
            return None if closed is None else (closed, "closed")
        case "merged" if occurrence.larger is not None:
            larger = incidents.open_with(conn, incidents.fingerprint(*occurrence.larger))
            detail = {**as_json(event), "into": larger}
            incidents.close_incident(conn, new.fingerprint, event.at, detail, now, kind="merged")
        case _:
            _write_down(conn, event, new, now)
    return None


def _write_down(conn: Connection, event: Event, new: incidents.NewIncident, now: float) -> None:
    """What alarms nobody: on the work list, off it, or known from now on."""
    match event.kind:
        case "known" | "waits":
            incidents.note(conn, new.fingerprint, event.kind, as_json(event), now)
        case "unheard" | "untargeted":
            incidents.close_incident(conn, new.fingerprint, event.at, as_json(event), now, kind=event.kind)
        case "listed":
            faults.put(conn, new)
        case "mended":
            faults.end(conn, new.fingerprint, event.at)
        case "stood":
            detail = as_json(event)
            incidents.close_incident(conn, new.fingerprint, event.at, detail, now, kind="stood")
            if not incidents.is_false_alarm(conn, new.fingerprint):
                faults.put(conn, new)


def _opened(conn: Connection, new: incidents.NewIncident, now: float) -> tuple[int, str] | None:
    opened = incidents.open_incident(conn, new, now)
    return None if opened is None else (opened.id, opened.event)


def _again(conn: Connection, event: Event, new: incidents.NewIncident, now: float) -> tuple[int, str] | None:
    """One more sighting: kept with its incident while there are few; opens it when a person closed it.

    People are told of other malware, whoever has taken the incident: it may be worse than the first.
    """
    incident_id = incidents.open_with(conn, new.fingerprint)
    if incident_id is None:
        return _opened(conn, new, now)
    if event.count > AGAIN_MAX and not event.is_new:
        return None
    kept = incidents.add_event(conn, incident_id, "again", as_json(event), now)
    if not event.is_new:
        return None
    incidents.raise_to(conn, incident_id, kept)
    return incident_id, "again"


def _new(occurrence: Occurrence) -> incidents.NewIncident:
    rule, event = occurrence.rule, occurrence.event
    return incidents.NewIncident(
        rule=rule.id,
        rule_version=rule.version,
        severity=event.severity,
        subject=occurrence.subject,
        since=event.since,
        opened_at=event.at,
        late=event.late,
        evidence=as_json(event),
        reopen_within=rule.reopen_within,
    )


def _decoded(rows: Sequence[journal.JournalRow]) -> Iterator[tuple[journal.JournalRow, Envelope | None]]:
    """Each row with what the device said, unless nobody knows when; what the server saw counts anyway."""
    for row in rows:
        try:
            yield row, None if row.uncertain else row.envelope
        except ContractError as error:  # intake could read it; only an older program can't any more
            log.warning("journal row %d can't be read: %s", row.id, error)
            yield row, None
