"""What lists and claims say of schools, for indicators: a few queries however many schools there are."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from typing import Any

from sqlalchemy import Connection, Integer, Select, and_, bindparam, case, func, or_, select

from schoolwatch_server.claims.questions import FEEDS
from schoolwatch_server.database import claims, room_use
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.clocks import Clocks
from schoolwatch_server.database.reach import inside, place
from schoolwatch_server.database.seen import Limits, Sums
from schoolwatch_server.indicators.facts import (
    NO_CLASSROOMS,
    Assets,
    Classrooms,
    Contract,
    Lab,
    LabUse,
    LineTests,
    Said,
    SchoolClass,
)
from schoolwatch_server.line_history import medians
from schoolwatch_server.scope import Level, Scope

_DAY = 86400.0
_AHEAD = 7 * 3600.0
"""Seconds by which Vietnam's clock is ahead."""

_VIETNAM = timezone(timedelta(seconds=_AHEAD))
_1970 = date(1970, 1, 1).toordinal()
_NEW_YEAR = 7
"""The month from which on the lists of a new school year may be there."""

_LAB = "student_lab"
_TAUGHT_IN = ("classroom", _LAB)
_PROJECTS = ("projector", "tv", "interactive")
_NOTHING = "none"


@dataclass(frozen=True, slots=True)
class Rooms:
    """A school's labs, and its classrooms added up."""

    labs: tuple[Lab, ...] = ()
    classrooms: Classrooms = NO_CLASSROOMS


def rooms(
    conn: Connection,
    scope: Scope,
    limits: Limits,
    seen: Mapping[int, Mapping[int | None, Sums]],
    live: Mapping[int, Clocks],
) -> dict[int, Rooms]:
    """The rooms in use of each school, with the computers that were seen in them.

    A computer shows a network where it reports over one (`live`): what came on a stick shows none.
    """
    by_hand = _by_hand(conn, scope, limits)
    rows = conn.execute(_rooms(scope.level), place(scope)).all()
    labs: defaultdict[int, list[Lab]] = defaultdict(list)
    classrooms: defaultdict[int, list[tuple[bool, bool, bool | None]]] = defaultdict(list)
    for id_, school, role, declared, projection, projection_ok, internet_at in rows:
        sums = seen.get(school, {}).get(id_, {})
        if role == _LAB:
            labs[school].append(_lab(id_, declared, sums, by_hand.get(id_)))
        by_computer = id_ in live.get(school, {})
        hand = internet_at is not None and internet_at >= limits.by_hand_after
        projects = _projects(projection, projection_ok)
        classrooms[school].append((by_computer, hand, projects))
    return {school: Rooms(tuple(labs[school]), _classrooms(each)) for school, each in classrooms.items()}


@cache
def _rooms(level: Level) -> Select[Any]:
    r = t.room.c
    return (
        select(r.id, r.school_id, r.role, r.declared, r.projection, r.projection_ok, r.internet_by_hand_at)
        .join_from(t.room, t.school)
        .where(inside(level), r.in_use.is_(True), r.role.in_(_TAUGHT_IN))
        .order_by(r.id)
    )


def classes(conn: Connection, scope: Scope, now: float) -> dict[int, tuple[SchoolClass, ...]]:
    """The classes of the newest school year that is not yet to come, of each school."""
    today = datetime.fromtimestamp(now, UTC).astimezone(_VIETNAM)
    newest = f"{today.year if today.month >= _NEW_YEAR else today.year - 1}-9999"
    rows = conn.execute(_classes(scope.level), place(scope) | {"newest": newest}).all()
    found: dict[int, tuple[str, list[SchoolClass]]] = {}
    for school, year, name, stage, students, group, grade, room in rows:
        if school not in found or found[school][0] != year:
            found[school] = (year, [])
        taught = students if group is None else group
        found[school][1].append(SchoolClass(name, stage, students, taught, grade, room))
    return {school: tuple(each) for school, (_, each) in found.items()}


@cache
def _classes(level: Level) -> Select[Any]:
    c = t.school_class.c
    return (
        select(c.school_id, c.school_year, c.name, c.stage, c.students, c.group_students, c.grade, c.room_id)
        .join_from(t.school_class, t.school)
        .where(inside(level), c.school_year <= bindparam("newest"))
        .order_by(c.school_id, c.school_year, c.id)
    )


def contracts(conn: Connection, scope: Scope, now: float) -> dict[int, tuple[Contract, ...]]:
    """The contracts that hold at an instant; one without a day holds since ever, or for ever."""
    found: defaultdict[int, list[Contract]] = defaultdict(list)
    for school, *values in conn.execute(_contracts(scope.level), place(scope) | {"now": now}).all():
        found[school].append(Contract(*values))
    return {school: tuple(each) for school, each in found.items()}


@cache
def _contracts(level: Level) -> Select[Any]:
    c = t.line_contract.c
    return (
        select(c.school_id, c.isp, c.technology, c.download_mbps, c.upload_mbps, c.subscriber)
        .join_from(t.line_contract, t.school)
        .where(
            inside(level),
            or_(c.starts.is_(None), c.starts <= bindparam("now")),
            or_(c.ends.is_(None), c.ends > bindparam("now")),
        )
        .order_by(c.id)
    )


def line_tests(conn: Connection, scope: Scope, after: float) -> dict[int, LineTests]:
    """What the device that tests a school's line told since an instant, by school."""
    rows = conn.execute(_line_tests(scope.level), place(scope)).all()
    return {school: LineTests(*medians(kept, after)) for school, kept in rows if kept is not None}


@cache
def _line_tests(level: Level) -> Select[Any]:
    lt, s = t.line_tester.c, t.state.c
    # not a join: SQLite would look through every state of the province for the few that have tests
    tests = select(s.line_tests).where(s.device_id == lt.device_id).scalar_subquery()
    return (
        select(lt.school_id, tests)
        .join_from(t.line_tester, t.school, lt.school_id == t.school.c.id)
        .where(inside(level))
    )


def assets(conn: Connection, scope: Scope) -> dict[int, Assets]:
    """Records and complete ones of each school, and devices in use that no record is about.

    Complete: name, serial, end of support, room, purpose, status and the function that answers for it.
    """
    counted = conn.execute(_records(scope.level), place(scope)).all()
    if not counted:
        return {}
    lacking = {row[0]: row[1] for row in conn.execute(_without_record(scope.level), place(scope)).all()}
    return {school: Assets(records, whole, lacking.get(school, 0)) for school, records, whole in counted}


@cache
def _records(level: Level) -> Select[Any]:
    a = t.asset.c
    filled = and_(
        a.name != "",
        a.has_serial.is_(True),
        a.support_ends.is_not(None),
        a.room_id.is_not(None),
        a.purpose != "",
        a.status != "",
        a.responsible != "",
    )
    complete = func.sum(case((filled, 1), else_=0), type_=Integer)
    return (
        select(a.school_id, func.count(), complete)
        .join_from(t.asset, t.school)
        .where(inside(level))
        .group_by(a.school_id)
    )


@cache
def _without_record(level: Level) -> Select[Any]:
    a, m = t.asset.c, t.membership.c
    of_device = a.device_id == m.device_id
    return (
        select(m.school_id, func.count())
        .select_from(t.membership.join(t.school, m.school_id == t.school.c.id).outerjoin(t.asset, of_device))
        .where(inside(level), m.valid_to.is_(None), a.id.is_(None))
        .group_by(m.school_id)
    )


def uses(conn: Connection, scope: Scope, limits: Limits) -> dict[int, LabUse]:
    """The newest settled week of each school's labs, as far as it may be told."""
    found: dict[int, LabUse] = {}
    for school, labs in room_use.of_labs(conn, scope, limits.now, least=limits.room_devices).items():
        told = [each for each in labs if each.value is not None and each.device_days]
        found[school] = LabUse(
            len(labs),
            len(told),
            sum((each.value or 0.0) * (each.device_days or 0) for each in told),
            sum(each.device_days or 0 for each in told),
        )
    return found


def said(conn: Connection, scope: Scope) -> dict[int, dict[str, Said]]:
    """What each school declared and its manager accepted; a file or a text that was accepted is a yes.

    `Said.at` is the beginning of the day of which it is true.
    """
    return {
        school: {
            question: Said(
                1.0 if claim.value is None else claim.value,
                claim.state,
                (claim.as_of.toordinal() - _1970) * _DAY - _AHEAD,
            )
            for question, claim in each.items()
        }
        for school, each in claims.recognised(conn, scope, FEEDS).items()
    }


def _by_hand(conn: Connection, scope: Scope, limits: Limits) -> dict[int, int]:
    """Room → the working computers of the newest check, while that holds."""
    asked = place(scope) | {"after": limits.by_hand_after, "now": limits.now}
    return {row[0]: row[1] for row in conn.execute(_checks(scope.level), asked).all()}


@cache
def _checks(level: Level) -> Select[Any]:
    h = t.hand_check.c
    return (
        select(h.room_id, h.computers_working)
        .join_from(t.hand_check, t.room)
        .join(t.school)
        .where(inside(level), h.checked_at >= bindparam("after"), h.checked_at <= bindparam("now"))
        .order_by(h.checked_at)  # the newest is read last and stays
    )


def _lab(id_: int, declared: int | None, sums: Sums, checked: int | None) -> Lab:
    """Of the working computers that a person counted, those that no agent tells of.

    What agents tell comes first: a check adds what is beyond their working ones, and never more than the room
    has without an agent. Where its number is not declared, all that have one are taken to have been counted.
    """
    enrolled, working = sums.get("student_devices", 0), sums.get("student_devices_working", 0)
    by_hand = None
    if checked is not None:
        without = (checked if declared is None else declared) - enrolled
        by_hand = max(0, min(checked - working, without))
    return Lab(id_, working, sums.get("student_devices_known", 0), declared, by_hand)


def _projects(projection: str, projection_ok: bool | None) -> bool | None:
    if projection == _NOTHING or (projection and projection_ok is False):
        return False
    return True if projection in _PROJECTS and projection_ok else None


def _classrooms(each: list[tuple[bool, bool, bool | None]]) -> Classrooms:
    connected = [by_computer or by_hand for by_computer, by_hand, _ in each]
    equipped = [
        False if projects is False else True if projects and here else None
        for (_, _, projects), here in zip(each, connected, strict=True)
    ]
    return Classrooms(
        rooms=len(each),
        connected=sum(connected),
        connected_by_hand=sum(by_hand and not by_computer for by_computer, by_hand, _ in each),
        equipped=equipped.count(True),
        equipped_known=len(equipped) - equipped.count(None),
    )
