"""Serious incidents: which ones are, when they were found, what was sent of them, and their forms."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, and_, func, insert, literal_column, or_, select, union_all

from schoolwatch_server.database import incident_rows
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.in_parts import in_parts
from schoolwatch_server.database.incidents import add_event
from schoolwatch_server.scope import Scope
from schoolwatch_server.serious.timers import STEPS, TIMER_EVENTS, Sent, Serious, Step, TimerEvent

FALSE_ALARM = "false_alarm"
DEFAULT = "critical"
"""The severity that makes an incident serious when nobody says otherwise; a proposal of this project."""

Show = Literal["owing", "all"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person said of an incident: serious or not, and why."""

    is_serious: bool
    reason: str
    by: str
    at: float


@dataclass(frozen=True, slots=True)
class Gravity:
    """How serious an incident is, on whose word, and how its deadlines stand.

    `owes`: something is still to be sent of it. A false alarm owes nothing.
    """

    is_serious: bool
    times: Serious
    mark: Mark | None = None
    owes: bool = False


@dataclass(frozen=True, slots=True)
class FormRow:
    """A form that was made and kept; its bytes are asked for by `form`."""

    step: Step
    revision: int
    sha256: str
    letter_sha256: str
    made_at: float
    made_by: str


_i = t.incident.c
_mark = t.incident_mark.c
_MARK = (_mark.is_serious, _mark.reason, _mark.by, _mark.at)
_MARKED = t.incident.outerjoin(t.incident_mark, _mark.incident_id == _i.id)
_SERIOUS: ColumnElement[bool] = or_(
    _mark.is_serious, and_(_mark.is_serious.is_(None), _i.severity == DEFAULT)
)
_MAYBE = union_all(  # found by index: of a server's years of incidents few are severe, and fewer are marked
    select(_i.id).where(_i.severity == literal_column(f"'{DEFAULT}'")),
    select(_mark.incident_id).where(_mark.is_serious),
)
_SENT = select(func.count()).where(t.incident_sent.c.incident_id == _i.id).scalar_subquery()
_OWES: ColumnElement[bool] = and_(
    _i.verdict != FALSE_ALARM, _i.is_exercise.is_(False), len(STEPS) > _SENT
)  # nobody is told of an exercise as if it were so
_JOINED = _MARKED.outerjoin(t.school, t.school.c.id == _i.school_id)


def set_mark(
    conn: Connection, incident_id: int, *, is_serious: bool, reason: str, by: str, now: float
) -> None:
    """Somebody says that an incident is serious, or that it is not; the last word counts."""
    values = {"is_serious": is_serious, "reason": reason, "by": by, "at": now}
    changed = t.incident_mark.update().where(_mark.incident_id == incident_id).values(**values)
    if not conn.execute(changed).rowcount:
        conn.execute(insert(t.incident_mark).values(incident_id=incident_id, **values))
    kind = "serious" if is_serious else "not_serious"
    add_event(conn, incident_id, kind, {"by": by, "text": reason}, now)


def set_sent(conn: Connection, incident_id: int, step: Step, sent: Sent, now: float) -> bool:
    """A step was done, which ends its deadline; False when that was said before: the first word counts."""
    s = t.incident_sent.c
    if conn.scalar(select(s.id).where(s.incident_id == incident_id, s.step == step)) is not None:
        return False
    row = {"step": step, "reference": sent.reference, "by": sent.by, "sent_at": sent.at}
    conn.execute(insert(t.incident_sent).values(incident_id=incident_id, **row))
    detail = {"by": sent.by, "text": sent.reference, "at": sent.at}
    add_event(conn, incident_id, f"{step}_sent", detail, now)
    return True


def gravities(conn: Connection, incidents: Collection[int]) -> dict[int, Gravity]:
    """By id, of incidents that the caller has from a query with a scope."""
    ids = list(incidents)
    e, s = t.incident_event.c, t.incident_sent.c
    of_events = select(e.incident_id, func.min(e.at)).where(e.incident_id.in_(ids), e.kind == "opened")
    found = {row[0]: row[1] for row in conn.execute(of_events.group_by(e.incident_id))}
    sent: dict[int, dict[Step, Sent]] = {}
    for row in conn.execute(select(t.incident_sent).where(s.incident_id.in_(ids))):
        sent.setdefault(row.incident_id, {})[row.step] = Sent(row.sent_at, row.by, row.reference)
    query = select(_i.id, _i.severity, _i.verdict, _i.opened_at, *_MARK).select_from(_MARKED)
    graded = {}
    for id_, severity, verdict, opened_at, *mark in conn.execute(query.where(_i.id.in_(ids))):
        said = None if mark[0] is None else Mark(*mark)
        is_serious = severity == DEFAULT if said is None else said.is_serious
        times = Serious(id_, found.get(id_, opened_at), sent.get(id_, {}))
        owes = is_serious and verdict != FALSE_ALARM and len(times.sent) < len(STEPS)
        graded[id_] = Gravity(is_serious, times, said, owes)
    return graded


def marked(conn: Connection, incidents: Collection[int]) -> frozenset[int]:
    """Those of these incidents that are serious."""
    found = set[int]()
    for part in in_parts(incidents):
        found.update(conn.scalars(select(_i.id).select_from(_MARKED).where(_i.id.in_(part), _SERIOUS)))
    return frozenset(found)


def owing(conn: Connection) -> tuple[Serious, ...]:
    """Serious incidents of which something is still to be sent, in the whole server: for reminders."""
    ids = list(
        conn.scalars(
            select(_i.id).select_from(_MARKED).where(_i.id.in_(_MAYBE), _SERIOUS, _OWES).order_by(_i.id)
        )
    )
    return tuple(one.times for part in in_parts(ids) for one in gravities(conn, part).values())


def reminded(conn: Connection, incidents: Collection[int]) -> frozenset[tuple[int, TimerEvent]]:
    """What people were told already of these deadlines."""
    e = t.incident_event.c
    query = select(e.incident_id, e.kind).where(e.incident_id.in_(incidents), e.kind.in_(TIMER_EVENTS))
    return frozenset((row.incident_id, row.kind) for row in conn.execute(query))


def count_owing(conn: Connection, scope: Scope) -> int:
    """How many serious incidents of a scope still owe something."""
    query = (
        select(func.count())
        .select_from(_JOINED)
        .where(_i.id.in_(_MAYBE), _SERIOUS, _OWES, incident_rows.seen(scope))
    )
    return int(conn.execute(query).scalar_one())


def listed(
    conn: Connection, scope: Scope, show: Show, *, before: int | None = None, limit: int = 50
) -> tuple[int, ...]:
    """Ids of serious incidents of a scope, the newest first: one page."""
    query = select(_i.id).select_from(_JOINED).where(_SERIOUS, incident_rows.seen(scope))
    if show == "owing":
        query = query.where(_OWES)
    if before is not None:
        query = query.where(_i.id < before)
    return tuple(conn.scalars(query.order_by(_i.id.desc()).limit(limit)))


def keep_form(conn: Connection, incident_id: int, row: FormRow, body: bytes, letter: bytes) -> None:
    """Keeps a form with its letter for good, and says so in the incident's timeline."""
    values = {name: getattr(row, name) for name in FormRow.__slots__}
    conn.execute(insert(t.incident_form).values(incident_id=incident_id, body=body, letter=letter, **values))
    detail = {"by": row.made_by, "step": row.step, "revision": row.revision, "sha256": row.sha256}
    add_event(conn, incident_id, "form_made", detail, row.made_at)


def forms(conn: Connection, incident_id: int) -> tuple[FormRow, ...]:
    """The forms of an incident, the newest first."""
    f = t.incident_form.c
    query = select(*(f[name] for name in FormRow.__slots__)).where(f.incident_id == incident_id)
    return tuple(FormRow(*row) for row in conn.execute(query.order_by(f.id.desc())))


def form(conn: Connection, incident_id: int, sha256: str) -> tuple[bytes, bytes] | None:
    """The bytes of a form of an incident: JSON, and the letter."""
    f = t.incident_form.c
    row = conn.execute(
        select(f.body, f.letter).where(f.incident_id == incident_id, f.sha256 == sha256)
    ).first()
    return None if row is None else (row.body, row.letter)
