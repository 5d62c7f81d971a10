"""Keeps rule states and incidents; everything a batch of envelopes causes is written in one transaction."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.upsert import upsert
from schoolwatch_server.rules import subject
from schoolwatch_server.rules.subject import Subject

_MANY = 400
"""Ids in one query: SQLite takes at most 32,766 parameters, and old ones 999."""


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

    @property
    def fingerprint(self) -> str:
        """At most one open incident has it."""
        return fingerprint(self.rule, self.subject)


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
    conn: Connection, rules: Collection[str], devices: Collection[int]
) -> dict[tuple[str, Subject], dict[str, Any]]:
    """What the rules remember of these devices: (rule, device) → body."""
    found: dict[tuple[str, Subject], dict[str, Any]] = {}
    subjects = [str(device_id) for device_id in devices]
    s = t.rule_state.c
    for start in range(0, len(subjects), _MANY):
        part = subjects[start : start + _MANY]
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


def open_incident(conn: Connection, new: NewIncident, now: float) -> int | None:
    """Opens an incident and returns its id; None when one with its fingerprint is open already."""
    i = t.incident.c
    held = select(i.id).where(i.fingerprint == new.fingerprint, i.closed_at.is_(None))
    if conn.scalar(held) is not None:
        return None
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
        )
    ).inserted_primary_key
    incident_id = int(row[0]) if row is not None else 0
    add_event(conn, incident_id, "opened", {"at": new.opened_at, "late": new.late}, now)
    return incident_id


def close_incident(
    conn: Connection, mark: str, at: float, detail: dict[str, Any], now: float, kind: str = "closed"
) -> int | None:
    """Closes the open incident with this fingerprint and returns its id; None when there is none."""
    i = t.incident.c
    incident_id: int | None = conn.scalar(select(i.id).where(i.fingerprint == mark, i.closed_at.is_(None)))
    if incident_id is None:
        return None
    conn.execute(update(t.incident).where(i.id == incident_id).values(closed_at=at))
    add_event(conn, incident_id, kind, detail, now)
    return incident_id


def add_event(conn: Connection, incident_id: int, kind: str, detail: dict[str, Any], now: float) -> None:
    """Something that happened to an incident at `now`, on the server's clock."""
    conn.execute(insert(t.incident_event).values(incident_id=incident_id, at=now, kind=kind, detail=detail))


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
