"""Keeps rule states and incidents; everything a batch of envelopes causes is written in one transaction."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Column, Connection, and_, delete, insert, or_, select, update

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.in_parts import in_parts
from schoolwatch_server.database.upsert import upsert
from schoolwatch_server.rules import subject
from schoolwatch_server.rules.subject import Subject

BY_PEOPLE = ("resolved", "false_alarm")
"""Verdicts of people."""


@dataclass(frozen=True, slots=True)
class NewIncident:
    """An incident as it opens; times are UTC seconds of the evidence."""

    rule: str
    rule_version: int
    severity: str
    subject: Subject
    since: float
    opened_at: float
    late: bool
    evidence: dict[str, Any]
    reopen_within: float = 0.0
    exercise: int = 0

    @property
    def fingerprint(self) -> str:
        """At most one open incident has it; one of an exercise stands beside what is really so."""
        own = fingerprint(self.rule, self.subject)
        return f"exercise:{self.exercise}:{own}" if self.exercise else own


@dataclass(frozen=True, slots=True)
class Opened:
    """An incident that is open from now on: for the first time, or once more."""

    id: int
    event: Literal["opened", "reopened"]


def fingerprint(rule: str, subject: Subject) -> str:
    """What makes two incidents the same: the rule and what it is about."""
    return f"{rule}:{subject}"


def move_cursor(conn: Connection, name: str, before: int, to: int, now: float) -> bool:
    """Moves a cursor that stands at `before`; False when somebody else has moved it meanwhile."""
    c = t.cursor
    here = and_(c.c.name == name, c.c.position == before)
    moved = conn.execute(update(c).where(here).values(position=to, moved_at=now))
    return moved.rowcount == 1


def touch_cursor(conn: Connection, name: str, now: float) -> None:
    """Says that the cursor's owner is alive though there was nothing to read."""
    conn.execute(update(t.cursor).where(t.cursor.c.name == name).values(moved_at=now))


def states(
    conn: Connection, rules: Collection[str], subjects: Collection[Subject]
) -> dict[tuple[str, Subject], dict[str, Any]]:
    """What the rules remember of these subjects: (rule, subject) → body."""
    found: dict[tuple[str, Subject], dict[str, Any]] = {}
    s = t.rule_state.c
    for part in in_parts(map(str, subjects)):
        query = select(s.rule, s.subject, s.body).where(s.rule.in_(list(rules)), s.subject.in_(part))
        found.update({(row.rule, subject.parse(row.subject)): row.body for row in conn.execute(query)})
    return found


def all_states(conn: Connection, rules: Collection[str]) -> dict[tuple[str, Subject], dict[str, Any]]:
    """What the rules remember of anything: (rule, subject) → body."""
    s = t.rule_state.c
    rows = conn.execute(select(s.rule, s.subject, s.body).where(s.rule.in_(list(rules))))
    return {(row.rule, subject.parse(row.subject)): row.body for row in rows}


def write_states(conn: Connection, bodies: Mapping[tuple[str, Subject], dict[str, Any]]) -> None:
    """What the rules remember from now on; an empty body is forgotten."""
    s = t.rule_state
    kept = [
        {"rule": rule, "subject": str(about), "body": body} for (rule, about), body in bodies.items() if body
    ]
    upsert(conn, s, kept)
    for (rule, about), body in bodies.items():
        if not body:
            conn.execute(delete(s).where(s.c.rule == rule, s.c.subject == str(about)))


def open_incident(conn: Connection, new: NewIncident, now: float) -> Opened | None:
    """Opens an incident; None when one with its fingerprint is open already.

    One that ended no longer than `reopen_within` before the condition began anew is opened once more. Its end
    is when the readings showed it to be over, whoever closed it before; so the times of the evidence decide.
    """
    i = t.incident.c
    held = select(i.id).where(i.fingerprint == new.fingerprint, i.closed_at.is_(None))
    if conn.scalar(held) is not None:
        return None
    last = _newest(conn, new.fingerprint, t.incident.c.closed_at)
    if last is not None and _returns(new, _ended_at(conn, last)):
        return _reopen(conn, last.id, new, now)
    row = conn.execute(
        insert(t.incident).values(
            rule=new.rule,
            rule_version=new.rule_version,
            fingerprint=new.fingerprint,
            severity=new.severity,
            subject=str(new.subject),
            **_place(conn, new.subject, new.opened_at),
            since=new.since,
            opened_at=new.opened_at,
            late=new.late,
            evidence=new.evidence,
            is_exercise=bool(new.exercise),
        )
    ).inserted_primary_key
    incident_id = int(row[0]) if row is not None else 0
    raised = add_event(conn, incident_id, "opened", {"at": new.opened_at, "late": new.late}, now)
    raise_to(conn, incident_id, raised)
    return Opened(incident_id, "opened")


_VERDICTS = {
    "closed": "",
    "stood": "standing",
    "retired": "withdrawn",
    "unheard": "withdrawn",
    "untargeted": "withdrawn",
}
"""What an incident is after an event that ends it, where that has another name."""


def close_incident(
    conn: Connection, mark: str, at: float, detail: dict[str, Any], now: float, kind: str = "closed"
) -> int | None:
    """Closes the open incident with this fingerprint and returns its id; None when there is none.

    A person may have closed it while the condition still held. The rule remembers the condition all the same:
    it opens nothing before that has ended, and that it ended is then written down here.
    """
    i = t.incident.c
    verdict = _VERDICTS.get(kind, kind)
    still_open = update(t.incident).where(i.fingerprint == mark, i.closed_at.is_(None))
    closed = still_open.values(closed_at=at, verdict=verdict).returning(i.id)
    incident_id: int | None = conn.scalar(closed)
    if incident_id is not None:
        add_event(conn, incident_id, kind, detail, now)
        return incident_id
    last = _newest(conn, mark)
    if last is not None and last.verdict in BY_PEOPLE:
        add_event(conn, last.id, "ended" if kind == "closed" else kind, detail, now)
    return None


def is_false_alarm(conn: Connection, mark: str) -> bool:
    """Whether a person closed the newest incident with this fingerprint as a false alarm."""
    last = _newest(conn, mark)
    return last is not None and last.verdict == "false_alarm"


def false_alarms(
    conn: Connection, rules: Collection[str], subjects: Collection[Subject]
) -> dict[tuple[str, Subject], tuple[float, ...]]:
    """When people closed incidents of these rules about these subjects as false alarms, UTC seconds."""
    marks = {fingerprint(rule, about): (rule, about) for rule in rules for about in subjects}
    found: dict[tuple[str, Subject], tuple[float, ...]] = {}
    i = t.incident.c
    for part in in_parts(marks):
        query = select(i.fingerprint, i.closed_at).where(
            i.fingerprint.in_(part), i.verdict == "false_alarm", i.closed_at.is_not(None)
        )
        for mark, closed_at in conn.execute(query.order_by(i.id)):
            found[marks[mark]] = (*found.get(marks[mark], ()), closed_at)
    return found


def note(conn: Connection, mark: str, kind: str, detail: dict[str, Any], now: float) -> None:
    """Something that happened to the newest incident with this fingerprint, if there is one."""
    last = _newest(conn, mark)
    if last is not None:
        add_event(conn, last.id, kind, detail, now)


def _newest(conn: Connection, mark: str, by: Column[Any] = t.incident.c.id) -> Any:
    """Id, `closed_at` and verdict of the newest incident with this fingerprint, held until the end."""
    i = t.incident.c
    query = select(i.id, i.closed_at, i.verdict).where(i.fingerprint == mark)
    return conn.execute(query.order_by(by.desc(), i.id.desc()).limit(1).with_for_update()).first()


def _returns(new: NewIncident, ended_at: float) -> bool:
    """Whether it is what ended then, come back; what is found late and was before that is something else."""
    after = new.since - ended_at
    return after <= new.reopen_within and (after >= 0 or not new.late)


def _ended_at(conn: Connection, last: Any) -> float:
    """When an incident was over by its readings; of one that they have not shown to be over, its closing."""
    if last.verdict not in BY_PEOPLE:
        return float(last.closed_at)
    e = t.incident_event.c
    query = select(e.detail).where(e.incident_id == last.id, e.kind == "ended").order_by(e.id.desc())
    ended = conn.scalar(query.limit(1))
    return max(float(last.closed_at), float(ended["at"])) if ended else float(last.closed_at)


def _reopen(conn: Connection, incident_id: int, new: NewIncident, now: float) -> Opened:
    """The same incident once more: whose it was it stays, but somebody has to take it anew."""
    again = {
        "closed_at": None,
        "verdict": "",
        "verdict_by": "",
        "acknowledged_at": None,
        "acknowledged_by": "",
        "reopened_at": new.opened_at,
        "rule_version": new.rule_version,
        "severity": new.severity,
    }
    conn.execute(update(t.incident).where(t.incident.c.id == incident_id).values(again))
    detail = {**new.evidence, "since": new.since, "at": new.opened_at, "late": new.late}
    raise_to(conn, incident_id, add_event(conn, incident_id, "reopened", detail, now))
    return Opened(incident_id, "reopened")


def worsen(conn: Connection, mark: str, severity: str, detail: dict[str, Any], now: float) -> int | None:
    """Raises the severity of the open incident with this fingerprint; its id, None when there is none."""
    incident_id = open_with(conn, mark)
    if incident_id is not None:
        conn.execute(update(t.incident).where(t.incident.c.id == incident_id).values(severity=severity))
        raise_to(conn, incident_id, add_event(conn, incident_id, "worsened", detail, now))
    return incident_id


def open_with(conn: Connection, mark: str) -> int | None:
    """The open incident with this fingerprint."""
    i = t.incident.c
    found: int | None = conn.scalar(select(i.id).where(i.fingerprint == mark, i.closed_at.is_(None)))
    return found


def add_event(conn: Connection, incident_id: int, kind: str, detail: dict[str, Any], now: float) -> int:
    """Something that happened to an incident at `now`, on the server's clock; the event's number."""
    values = {"incident_id": incident_id, "at": now, "kind": kind, "detail": detail}
    key = conn.execute(insert(t.incident_event).values(**values)).inserted_primary_key
    assert key is not None  # a row was inserted
    return int(key[0])


def raise_to(conn: Connection, incident_id: int, event: int) -> None:
    """It stands in lists where this event puts it: it opened, once more, or became worse."""
    conn.execute(update(t.incident).where(t.incident.c.id == incident_id).values(raised_event=event))


def _place(conn: Connection, about: Subject, at: float) -> dict[str, int | None]:
    """The columns that say where an incident is: the place itself, and the school of a device or room."""
    match about.kind:
        case "device":
            school_id, room_id = _home(conn, about.id, at)
            return {"device_id": about.id, "room_id": room_id, "school_id": school_id}
        case "room":
            school: int | None = conn.scalar(select(t.room.c.school_id).where(t.room.c.id == about.id))
            return {"room_id": about.id, "school_id": school}
        case "server":
            return {}
    return {f"{about.kind}_id": about.id}


def _home(conn: Connection, device_id: int, at: float) -> tuple[int | None, int | None]:
    """School and room in which a device was at an instant, or else is now."""
    m = t.membership.c
    then = and_(m.valid_from <= at, or_(m.valid_to.is_(None), m.valid_to > at))
    query = select(m.school_id, m.room_id).where(m.device_id == device_id).limit(1)
    row = conn.execute(query.where(then)).first() or conn.execute(query.where(m.valid_to.is_(None))).first()
    return (None, None) if row is None else (row.school_id, row.room_id)
