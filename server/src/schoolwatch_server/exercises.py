"""Exercises: incidents that are marked as such go the whole way, to messages, escalation and their end.

They are opened for places of a scope, one each, beside what is really wrong there: a rule that finds the
same fault meanwhile opens its own incident.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, and_, select

from schoolwatch_server.account_names import SERVER
from schoolwatch_server.database import audit, exercise_rows, incidents, notifications, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.rules import Rule
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.scope import Scope

PLACES_MAX = 50
"""Incidents of one exercise; a proposal of this project."""

LONGEST = 8 * 3600.0
"""Seconds after which an exercise ends by itself at the latest."""

NOTE_MAX = 500


class ExerciseError(ValueError):
    """It can't be held: a word that `exercise.fault.<word>` explains."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be practised: a rule's incident at so many places of a scope, for so many seconds.

    They are what the rule is about: schools, communes, a province, the server; of computers one a school.
    """

    rule: Rule
    scope: Scope
    places: int
    seconds: float
    note: str


def start(engine: Engine, wanted: Wanted, everybody: Collection[str], by: str, now: float) -> int:
    """Begins an exercise and returns its id. Raises `ExerciseError`, and then nothing has happened."""
    if not 60 <= wanted.seconds <= LONGEST:
        raise ExerciseError("too_long")
    if not 1 <= wanted.places <= PLACES_MAX:
        raise ExerciseError("too_many")
    if not wanted.note.strip():
        raise ExerciseError("no_note")
    with begin_write(engine) as conn:
        if exercise_rows.running(conn):
            raise ExerciseError("another")
        subjects = _subjects(conn, wanted)
        if not subjects:
            raise ExerciseError("nobody_there")
        row = exercise_rows.Exercise(
            0, wanted.rule.id, wanted.scope, wanted.note.strip(), by, now, now + wanted.seconds, None, ()
        )
        number = exercise_rows.add(conn, row)
        opened = [_open(conn, number, wanted.rule, subject, now) for subject in subjects]
        exercise_rows.set_incidents(conn, number, opened)
        for incident in opened:
            notifications.put(conn, incident, "opened", everybody, now)
        detail = {
            "rule": wanted.rule.id,
            "scope": f"{wanted.scope.level}:{wanted.scope.id}",
            "incidents": len(opened),
            "until": now + wanted.seconds,
            "note": wanted.note.strip(),
        }
        audit.record(conn, actor=by, action="exercise.start", subject=str(number), detail=detail, now=now)
    return number


def end(engine: Engine, number: int, by: str, now: float) -> bool:
    """Ends an exercise and its incidents; False when it is over already, or none has this number."""
    with begin_write(engine) as conn:
        found = exercise_rows.found(conn, number)
        if found is None or found.ended_at is not None or not exercise_rows.end(conn, number, now):
            return False
        i = t.incident.c
        mine = and_(i.id.in_(found.incidents), i.closed_at.is_(None))
        for row in conn.execute(select(i.id, i.fingerprint).where(mine)).all():
            detail = {"exercise": number}
            if incidents.close_incident(conn, row.fingerprint, now, detail, now) is not None:
                notifications.put(conn, row.id, "closed", (), now)
        audit.record(conn, actor=by, action="exercise.end", subject=str(number), detail={}, now=now)
    return True


def end_due(engine: Engine, now: float) -> int:
    """Ends those whose time is over; how many."""
    with begin_read(engine) as conn:
        over = [one.id for one in exercise_rows.running(conn) if one.ends_at <= now]
    return sum(end(engine, number, SERVER, now) for number in over)


def _open(conn: Connection, number: int, rule: Rule, subject: Subject, now: float) -> int:
    new = incidents.NewIncident(
        rule.id, rule.version, rule.severity, subject, now, now, late=False, evidence={}, exercise=number
    )
    opened = incidents.open_incident(conn, new, now)
    assert opened is not None  # no other has the exercise's number in its fingerprint
    return opened.id


def _subjects(conn: Connection, wanted: Wanted) -> Sequence[Subject]:
    """What the incidents are about: places as the rule's are; of a device's rule one computer a school."""
    match wanted.rule.scope:
        case "server":
            return [Subject("server", 0)] if wanted.scope.level == "all" else []
        case "province":
            is_wide = wanted.scope.level in ("all", "province")
            provinces = registry.provinces(conn, wanted.scope) if is_wide else ()
            return [Subject("province", row.id) for row in provinces[: wanted.places]]
        case "commune":
            communes = registry.communes(conn, wanted.scope) if wanted.scope.level != "school" else ()
            return [Subject("commune", row.id) for row in communes[: wanted.places]]
    schools = registry.schools(conn, wanted.scope)
    if wanted.rule.scope != "device":
        return [Subject("school", school.id) for school in schools[: wanted.places]]
    m = t.membership.c
    subjects: list[Subject] = []
    for school in schools:
        here = select(m.device_id).where(m.school_id == school.id, m.valid_to.is_(None))
        device = conn.scalar(here.order_by(m.device_id).limit(1))
        if device is not None:
            subjects.append(Subject("device", int(device)))
        if len(subjects) == wanted.places:
            break
    return subjects
