"""Lists of incidents by what somebody wants to see: rows, how many there are of each state, numbers."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, and_, case, func, literal, or_, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.incident_rows import IncidentRow, incident_select, seen
from schoolwatch_server.incident_filter import Order
from schoolwatch_server.incident_states import STATES, State
from schoolwatch_server.scope import Scope
from schoolwatch_server.severity import SEVERITIES

_SPAN = 2**40
"""More events than a server ever has; with eleven groups a position is a number that JavaScript holds."""

_SEVEREST: dict[str, int] = {severity: place for place, severity in enumerate(SEVERITIES)}
_BY_SEVERITY = case(_SEVEREST, value=t.incident.c.severity, else_=len(_SEVEREST))
_URGENCY: ColumnElement[int] = (
    case(
        (t.incident.c.closed_at.is_not(None), 10),
        (t.incident.c.acknowledged_at.is_not(None), 5 + _BY_SEVERITY),
        else_=_BY_SEVERITY,
    )
    * literal(_SPAN, BigInteger)
    + (_SPAN - 1)
    - t.incident.c.raised_event
)
"""What nobody has taken first, then what somebody has, each by severity, then what is over; in each the one
that something opened, opened again or made worse last."""


_WHOSE: ColumnElement[str] = case(
    (t.incident.c.assignee != "", t.incident.c.assignee), else_=t.incident.c.acknowledged_by
)
"""Whose an incident is: to whom it was given, else who has taken it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an incident must be to be listed; None: any. `assignee` is whose it is, "": given to nobody.

    `text` is found in the name of a device or as an incident's number, or means one of the `schools` (codes).
    """

    states: frozenset[State] = frozenset(STATES)
    severity: str | None = None
    rule: str | None = None
    commune: str | None = None
    school: str | None = None
    device: str | None = None
    assignee: str | None = None
    late: bool | None = None
    exercise: bool | None = None
    message: str | None = None
    text: str = ""
    schools: Collection[str] = ()


ALIKE = 3
"""Computers of a school with the same trouble from which on they are named together: one cause is likely."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Open incidents of one rule at a school: its name and code, how many, when the first was opened."""

    rule: str
    school: str
    code: str
    count: int
    since: float


def listed(
    conn: Connection,
    scope: Scope,
    wanted: Wanted,
    *,
    order: Order = "number",
    after: int | None = None,
    limit: int = 50,
) -> tuple[IncidentRow, ...]:
    """One page: by number the newest first, or what needs action first.

    `after` is `position` of the last one of the page before; what was changed meanwhile moves no other row.
    """
    query = incident_select().where(seen(scope), _is(wanted), _in_state(wanted.states))
    number = t.incident.c.id
    if order == "number":
        query = query.order_by(number.desc())
        query = query if after is None else query.where(number < after)
    else:
        query = query.order_by(_URGENCY, number.desc())
        query = query if after is None else query.where(after < _URGENCY)
    return tuple(IncidentRow(*row) for row in conn.execute(query.limit(limit)))


def position(row: IncidentRow, order: Order) -> int:
    """Where it stands in a list of that order."""
    if order == "number":
        return row.id
    group = 10
    if row.closed_at is None:
        group = 0 if row.acknowledged_at is None else 5
        group += _SEVEREST.get(row.severity, len(_SEVEREST))
    return group * _SPAN + _SPAN - 1 - row.raised_event


def newest(conn: Connection, scope: Scope, wanted: Wanted) -> int:
    """The highest number of those that are wanted; 0 when there are none."""
    return max(ids(conn, scope, wanted, upto=2**62, limit=1), default=0)


def ids(conn: Connection, scope: Scope, wanted: Wanted, *, upto: int, limit: int) -> tuple[int, ...]:
    """Numbers of those up to `upto`, the newest first: what came after somebody looked is not among them."""
    query = _of(scope, wanted, t.incident.c.id).where(_in_state(wanted.states), t.incident.c.id <= upto)
    return tuple(conn.scalars(query.order_by(t.incident.c.id.desc()).limit(limit)))


def counts(conn: Connection, scope: Scope, wanted: Wanted) -> dict[State, int]:
    """How many there are of each state, whichever states are wanted."""
    state = case(
        (_in_state(frozenset({"open"})), "open"),
        (_in_state(frozenset({"acknowledged"})), "acknowledged"),
        (t.incident.c.verdict == "", "evidence"),
        else_=t.incident.c.verdict,
    )
    query = _of(scope, wanted, state, func.count()).group_by(state)
    told = {name: count for name, count in conn.execute(query)}  # noqa: C416  a row is no pair to mypy
    return {name: told.get(name, 0) for name in STATES}


def alike(conn: Connection, scope: Scope, wanted: Wanted, *, limit: int) -> tuple[Alike, ...]:
    """Open incidents of one rule at many computers of a school, the most first; `ALIKE` at least.

    Those of an exercise don't count: no cause is looked for in them.
    """
    i, code = t.incident.c, t.school_code.c
    count = func.count()
    present = (
        select(func.max(code.code))
        .where(code.school_id == i.school_id, code.valid_to.is_(None))
        .scalar_subquery()
    )
    query = (
        _of(scope, wanted, i.rule, func.max(t.school.c.name), present, count, func.min(i.opened_at))
        .where(
            i.closed_at.is_(None),
            _in_state(wanted.states),
            i.device_id.is_not(None),
            i.school_id.is_not(None),
            i.is_exercise.is_(False),
        )
        .group_by(i.rule, i.school_id)
        .having(count >= ALIKE)
        .order_by(count.desc(), i.rule, i.school_id)
    )
    return tuple(Alike(*row) for row in conn.execute(query.limit(limit)) if row[2])


def _of(scope: Scope, wanted: Wanted, *columns: ColumnElement[Any]) -> Select[Any]:
    return (
        select(*columns)
        .select_from(t.incident)
        .outerjoin(t.device, t.device.c.id == t.incident.c.device_id)
        .outerjoin(t.school, t.school.c.id == t.incident.c.school_id)
        .where(seen(scope), _is(wanted))
    )


def _in_state(states: frozenset[State]) -> ColumnElement[bool]:
    i = t.incident.c
    verdicts = ["" if state == "evidence" else state for state in STATES[2:] if state in states]
    conditions = {
        "open": and_(i.closed_at.is_(None), i.acknowledged_at.is_(None)),
        "acknowledged": and_(i.closed_at.is_(None), i.acknowledged_at.is_not(None)),
    }
    if states == {"open", "acknowledged"}:  # said so, the index of open ones serves it
        return i.closed_at.is_(None)
    active = [condition for state, condition in conditions.items() if state in states]
    return or_(*active, and_(i.closed_at.is_not(None), i.verdict.in_(verdicts)))


def _is(wanted: Wanted) -> ColumnElement[bool]:
    i = t.incident.c
    found: list[ColumnElement[bool]] = []
    for column, value in (
        (i.severity, wanted.severity),
        (i.rule, wanted.rule),
        (t.device.c.device, wanted.device),
        (_WHOSE if wanted.assignee else i.assignee, wanted.assignee),
    ):
        if value is not None:
            found.append(column == value)
    for flag, is_set in ((i.late, wanted.late), (i.is_exercise, wanted.exercise)):
        if is_set is not None:
            found.append(flag.is_(is_set))
    if wanted.message is not None:
        n, d = t.notification.c, t.delivery.c
        told = select(n.incident_id).join(t.delivery, d.id == n.delivery_id).where(d.nonce == wanted.message)
        found.append(i.id.in_(told))
    if wanted.school is not None:
        found.append(_of_schools([wanted.school]))
    if wanted.commune is not None:
        commune = select(t.commune.c.id).where(t.commune.c.code == wanted.commune)
        found.append(or_(t.school.c.commune_id.in_(commune), i.commune_id.in_(commune)))
    if wanted.text:
        found.append(_says(wanted.text, wanted.schools))
    return and_(*found) if found else i.id.is_not(None)


def _says(text: str, schools: Collection[str]) -> ColumnElement[bool]:
    device = t.device.c
    either = [
        func.lower(device.label).contains(text.lower(), autoescape=True),  # SQLite's knows no Đ
        device.label.contains(text, autoescape=True),
        device.device == text.lower(),
    ]
    number = text.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) <= 18:
        either.append(t.incident.c.id == int(number))
    if schools:
        either.append(_of_schools(schools))
    return or_(*either)


def _of_schools(codes: Collection[str]) -> ColumnElement[bool]:
    c = t.school_code.c
    present = select(c.school_id).where(c.code.in_(list(codes)), c.valid_to.is_(None))
    return t.incident.c.school_id.in_(present)
