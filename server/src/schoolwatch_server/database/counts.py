"""Adds up registry and device states school by school, in three queries however many schools there are."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Integer, Label, and_, case, func, or_, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.registry import has_code, within
from schoolwatch_server.indicators.indicator import Counts
from schoolwatch_server.scope import Scope

RUNG_NUMBERS = range(-1, 5)
"""Highest rungs in the order of `Counts.ipv6_rung`; -1 is "rung 0 failed"."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What separates the counts: instants in UTC seconds, speeds in bit/s."""

    working_after: float
    heard_after: float
    speed_100: float
    speed_1000: float


@dataclass(frozen=True, slots=True)
class SchoolCounts:
    """One school's counts and where it stands in the tree."""

    school_id: int
    commune_id: int
    province_id: int
    counts: Counts


def count(conn: Connection, scope: Scope, limits: Limits) -> tuple[SchoolCounts, ...]:
    """The counts of every school that a scope sees, also of schools without devices or declarations."""
    declared = _declared(conn, scope)
    seen = _seen(conn, scope, limits)
    query = (
        select(t.school.c.id, t.school.c.commune_id, t.commune.c.province_id)
        .join_from(t.school, t.commune)
        .where(within(scope), has_code())
        .order_by(t.school.c.id)
    )
    return tuple(
        SchoolCounts(school, commune, province, _counts(declared.get(school, {}), seen.get(school, {})))
        for school, commune, province in conn.execute(query)
    )


def schools_of(conn: Connection, scope: Scope, limit: int) -> tuple[int, ...]:
    """The ids of at most so many schools that a scope sees."""
    return tuple(conn.scalars(select(t.school.c.id).where(within(scope), has_code()).limit(limit)))


def _counts(declared: dict[str, int], seen: dict[str, int]) -> Counts:
    rungs = tuple(seen.get(_rung(number), 0) for number in RUNG_NUMBERS)
    return Counts(
        devices_declared=declared.get("devices"),
        students_declared=declared.get("students"),
        student_devices_declared=declared.get("student_devices"),
        ipv6_known=sum(rungs),
        ipv6_rung=rungs,
        **{name: value for name, value in seen.items() if not name.startswith("rung")},
    )


def _declared(conn: Connection, scope: Scope) -> dict[int, dict[str, int]]:
    d = t.declaration.c
    query = (
        select(d.school_id, d.quantity, d.value)
        .join_from(t.declaration, t.school)
        .where(within(scope))
        .order_by(d.declared_at, d.id)  # the newest is read last and stays
    )
    found: dict[int, dict[str, int]] = {}
    for school, quantity, value in conn.execute(query):
        found.setdefault(school, {})[quantity] = int(value)
    return found


def _seen(conn: Connection, scope: Scope, limits: Limits) -> dict[int, dict[str, int]]:
    here = and_(t.membership.c.device_id == t.device.c.id, t.membership.c.valid_to.is_(None))
    joined = (
        t.membership.join(t.device, here)
        .join(t.school, t.membership.c.school_id == t.school.c.id)
        .outerjoin(t.room, t.membership.c.room_id == t.room.c.id)
        .outerjoin(t.state, t.state.c.device_id == t.device.c.id)
    )
    query = (
        select(t.membership.c.school_id, *_sums(limits))
        .select_from(joined)
        .where(within(scope), t.device.c.retired_at.is_(None))
        .group_by(t.membership.c.school_id)
    )
    return {
        row["school_id"]: {name: int(value) for name, value in row.items() if name != "school_id"}
        for row in conn.execute(query).mappings()
    }


def _sums(limits: Limits) -> Iterable[Label[int]]:
    s, broken = t.state.c, t.device.c.broken
    working = and_(s.taken_at >= limits.working_after, broken.is_(False))
    student = func.coalesce(t.device.c.role, t.room.c.role) == "student_lab"
    wired = and_(working, s.link_medium == "wired", s.link_speed.is_not(None))
    yield func.count().label("devices_enrolled")
    yield _sum("devices_heard", s.taken_at >= limits.heard_after)
    yield _sum("student_devices_known", and_(student, or_(working, broken.is_(True))))
    yield _sum("student_devices_working", and_(student, working))
    yield _sum("protected_yes", and_(working, s.protected.is_(True)))
    yield _sum("protected_known", and_(working, s.protected.is_not(None)))
    yield _sum("link_known", or_(wired, and_(working, s.link_medium == "wireless")))
    yield _sum("wired", wired)
    yield _sum("wired_100", and_(wired, s.link_speed >= limits.speed_100))
    yield _sum("wired_1000", and_(wired, s.link_speed >= limits.speed_1000))
    for number in RUNG_NUMBERS:
        yield _sum(_rung(number), and_(working, s.ipv6_rung == number))


def _sum(name: str, condition: ColumnElement[bool]) -> Label[int]:
    # a condition on a state that isn't there is NULL, which CASE takes as "no"
    return func.sum(case((condition, 1), else_=0), type_=Integer).label(name)


def _rung(number: int) -> str:
    return f"rung{number}"
