"""Standing faults of computers: put on a school's work list, ended when mended, read week by week."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, func, insert, or_, select, update

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.incidents import NewIncident
from schoolwatch_server.database.registry import within
from schoolwatch_server.scope import Scope

_f = t.standing_fault.c

GRAVE = ("critical", "high")
"""Severities that come first in an overview."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A standing fault and the computer that has it; times are UTC seconds, `ended_at` None still stands.

    One that is `withdrawn` was not mended: its rule judges that computer no more.
    """

    rule: str
    severity: str
    device: str
    label: str
    room: str | None
    since: float
    listed_at: float
    ended_at: float | None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """What is on a school's list at a week's end: kinds of faults, computers that have some, how many have a
    grave one, and how many of the faults came on the list in that week.
    """

    school_id: int
    commune_id: int
    tasks: int
    computers: int
    grave: int
    fresh: int


def put(conn: Connection, new: NewIncident) -> None:
    """Puts a device's fault on the list; one that is on it stays as it is."""
    on_it = select(_f.id).where(_f.fingerprint == new.fingerprint, _f.ended_at.is_(None))
    if conn.scalar(on_it) is None:
        conn.execute(
            insert(t.standing_fault).values(
                rule=new.rule,
                rule_version=new.rule_version,
                severity=new.severity,
                fingerprint=new.fingerprint,
                device_id=new.subject.id,
                since=new.since,
                listed_at=new.opened_at,
                evidence=new.evidence,
            )
        )


def end(conn: Connection, mark: str, at: float) -> None:
    """The fault with this fingerprint is mended; the evidence of `at` shows it."""
    standing = update(t.standing_fault).where(_f.fingerprint == mark, _f.ended_at.is_(None))
    conn.execute(standing.values(ended_at=at))


def of_school(conn: Connection, scope: Scope, school_id: int, start: float, end: float) -> tuple[Fault, ...]:
    """What stood at some time in [start, end) on computers that the school had then, by rule and name.

    A computer that left the school meanwhile is listed as long as its fault is on the list of that week.
    """
    m, there = t.membership.c, _there(end)
    query = (
        select(
            _f.rule,
            _f.severity,
            t.device.c.device,
            t.device.c.label,
            t.room.c.name,
            _f.since,
            _f.listed_at,
            _f.ended_at,
            _f.withdrawn,
        )
        .join(t.device, t.device.c.id == _f.device_id)
        .join(t.membership, there)
        .join(t.school, t.school.c.id == m.school_id)
        .outerjoin(t.room, t.room.c.id == m.room_id)
        .where(within(scope), m.school_id == school_id)
        .where(_f.listed_at < end, or_(_f.ended_at.is_(None), _f.ended_at >= start))
        .order_by(_f.rule, t.room.c.name, t.device.c.label, t.device.c.id)
    )
    return tuple(Fault(*row) for row in conn.execute(query))


def tallies(conn: Connection, scope: Scope, start: float, end: float) -> tuple[Tally, ...]:
    """Of each school that the scope sees and that has something on its list at `end`, in no order.

    `start` is when the week began whose new faults are counted.
    """
    m, school = t.membership.c, t.school.c
    grave = case((_f.severity.in_(GRAVE), _f.device_id))
    query = (
        select(
            school.id,
            school.commune_id,
            func.count(_f.rule.distinct()),
            func.count(_f.device_id.distinct()),
            func.count(grave.distinct()),
            func.sum(case((_f.listed_at >= start, 1), else_=0)),
        )
        .select_from(t.standing_fault)
        .join(t.membership, _there(end))
        .join(t.school, school.id == m.school_id)
        .where(within(scope), _f.listed_at < end, or_(_f.ended_at.is_(None), _f.ended_at >= end))
        .group_by(school.id, school.commune_id)
    )
    return tuple(Tally(*row) for row in conn.execute(query))


def _there(end: float) -> ColumnElement[bool]:
    """Where the computer of a fault belonged at an instant."""
    m = t.membership.c
    return and_(m.device_id == _f.device_id, m.valid_from < end, or_(m.valid_to.is_(None), m.valid_to >= end))
