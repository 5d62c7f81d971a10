"""What is known of schools' lines beside contracts: speed tests, the way to the server, when they were cut.

Of all schools at once, for the series that the server writes.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Integer, case, func, or_, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.rules.subject import Subject, parse


@dataclass(frozen=True, slots=True)
class Tester:
    """What the device that tests a school's line told: its tests as they are kept, and its way to the server.

    Seconds and a share; None is unknown.
    """

    tests: bytes | None
    latency: float | None
    loss: float | None


@dataclass(frozen=True, slots=True)
class Cut:
    """An incident of a line that was down, or of lines that went together; UTC seconds, `end` None: goes on.

    `schools` are how many went, as it was told when it opened, and `communes` how many of each commune,
    by its id, where it is one of a whole province. `was_power`: it is known that it was no line.
    """

    about: Subject
    since: float
    end: float | None
    schools: float
    was_power: bool
    communes: Mapping[int, float] = field(default_factory=dict)


def testers(conn: Connection, after: float) -> dict[int, Tester]:
    """School → its tester; how its way is counts where that was heard since an instant."""
    lt, s = t.line_tester.c, t.state.c
    heard = s.taken_at >= after
    query = select(
        lt.school_id,
        s.line_tests,
        case((heard, s.server_latency)),
        case((heard, s.server_loss)),
    ).join_from(t.line_tester, t.state, s.device_id == lt.device_id)
    return {school: Tester(*values) for school, *values in map(tuple, conn.execute(query))}


def ipv6(conn: Connection, after: float) -> dict[int, bool]:
    """School → whether IPv6 works on a device of it that was heard since an instant; none of unknown ones."""
    m, s = t.membership.c, t.state.c
    works = func.max(case((s.ipv6_works.is_(True), 1), else_=0), type_=Integer)
    query = (
        select(m.school_id, works)
        .join_from(t.membership, t.state, s.device_id == m.device_id)
        .where(m.valid_to.is_(None), s.taken_at >= after, s.ipv6_works.is_not(None))
        .group_by(m.school_id)
    )
    return {school: bool(found) for school, found in map(tuple, conn.execute(query))}


def heard(conn: Connection) -> dict[int, float]:
    """School → when a device of it was last heard over the line (UTC seconds): not what came on a stick."""
    m, s, h = t.membership.c, t.state.c, t.hearing.c
    query = (
        select(m.school_id, func.max(s.heard_at))
        .select_from(
            t.membership.join(t.state, s.device_id == m.device_id).outerjoin(
                t.hearing, h.device_id == m.device_id
            )
        )
        .where(m.valid_to.is_(None), or_(h.carried_at.is_(None), s.heard_at > h.carried_at))
        .group_by(m.school_id)
    )
    return {school: float(at) for school, at in map(tuple, conn.execute(query))}


def cuts(conn: Connection, rules: Collection[str], after: float) -> tuple[Cut, ...]:
    """Incidents of these rules that went on at some time since an instant; exercises are none.

    What became part of a larger one is told by that: it began no later.
    """
    i, e = t.incident.c, t.incident_event.c
    here = (
        i.rule.in_(list(rules)),
        i.is_exercise.is_(False),
        i.verdict != "merged",
        or_(i.closed_at.is_(None), i.closed_at >= after),
    )
    ends = select(e.incident_id, e.detail).join_from(t.incident_event, t.incident, i.id == e.incident_id)
    ends = ends.where(*here, e.kind == "closed")
    power = {id_ for id_, detail in map(tuple, conn.execute(ends)) if _cause(detail) == "power"}
    query = select(i.id, i.subject, i.since, i.closed_at, i.evidence).where(*here).order_by(i.id)
    return tuple(
        Cut(parse(subject), since, end, _schools(evidence), id_ in power, _communes(evidence))
        for id_, subject, since, end, evidence in map(tuple, conn.execute(query))
    )


def _cause(detail: Any) -> object:
    return _part(_part(detail, "last"), "facts").get("finding.line_cause")


def _schools(evidence: Any) -> float:
    told = _part(_part(evidence, "last"), "readings").get("finding.outage_schools")
    return float(told) if isinstance(told, int | float) else 0.0


def _communes(evidence: Any) -> dict[int, float]:
    told = _part(_part(evidence, "last"), "facts").get("finding.outage_communes")
    found = re.findall(r"(\d+):(\d+)", told) if isinstance(told, str) else ()
    return {int(commune): float(count) for commune, count in found}


def _part(evidence: Any, which: str) -> Mapping[str, Any]:
    found = evidence.get(which) if isinstance(evidence, dict) else None
    return found if isinstance(found, dict) else {}
