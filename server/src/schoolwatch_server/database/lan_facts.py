"""What is known of schools' networks inside: who listens there, what was heard, how computers are connected.

Of all schools at once, for the series that the server writes.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, or_, select

from schoolwatch_server.database import states
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.in_parts import in_parts
from schoolwatch_server.hearing import ALWAYS_ON
from schoolwatch_server.state import State


@dataclass(frozen=True, slots=True)
class Listener:
    """A gateway or server of a school, when it was heard last (UTC seconds; None: never) and what it told."""

    device_id: int
    device: str
    school_id: int
    role: str
    label: str
    heard_at: float | None
    state: State


@dataclass(frozen=True, slots=True)
class Connected:
    """How a computer is connected: medium, bit/s, whether IPv6 works there. None is unknown."""

    school_id: int
    medium: str | None
    speed: float | None
    ipv6: bool | None


Heard = Mapping[int, Mapping[tuple[str, str], int]]
"""Device → kind of sighting and link → how many machines."""


def listeners(conn: Connection) -> tuple[Listener, ...]:
    """Those in use, of every school."""
    m, d, s = t.membership.c, t.device.c, t.state.c
    role = func.coalesce(d.role, t.room.c.role, "")
    query = (
        select(d.id, d.device, m.school_id, role, func.coalesce(d.label, ""), s.heard_at)
        .select_from(
            t.membership.join(t.device, d.id == m.device_id)
            .outerjoin(t.room, t.room.c.id == m.room_id)
            .outerjoin(t.state, s.device_id == d.id)
        )
        .where(m.valid_to.is_(None), d.retired_at.is_(None), d.broken.is_(False), role.in_(sorted(ALWAYS_ON)))
        .order_by(d.id)
    )
    rows = conn.execute(query).all()
    told: dict[int, State] = {}
    for part in in_parts([row[0] for row in rows]):
        told |= states.known(conn, part)
    return tuple(Listener(*row, told.get(row[0], State())) for row in rows)


def machines(conn: Connection, device_ids: Iterable[int], kinds: Collection[str], since: float) -> Heard:
    """How many different machines gave sign of themselves since an instant, as each of these heard it."""
    s = t.sighting.c
    nic = s.detail["nic"].as_string()
    found: defaultdict[int, dict[tuple[str, str], int]] = defaultdict(dict)
    for part in in_parts(device_ids):
        query = (
            select(s.device_id, s.kind, nic, func.count(s.subject.distinct()))
            .where(s.device_id.in_(part), s.seen_at >= since, s.kind.in_(list(kinds)))
            .group_by(s.device_id, s.kind, nic)
        )
        for device, kind, link, count in map(tuple, conn.execute(query)):
            found[device][kind, link or ""] = int(count)
    return found


def connected(conn: Connection, after: float) -> Counter[Connected]:
    """How many computers of each school are connected how; of those not heard since then nothing is known."""
    m, d, s = t.membership.c, t.device.c, t.state.c
    heard = and_(s.device_id == d.id, s.taken_at >= after)
    of = (m.school_id, s.link_medium, s.link_speed, s.ipv6_works)
    query = (
        select(*of, func.count())
        .select_from(t.membership.join(t.device, d.id == m.device_id).outerjoin(t.state, heard))
        .where(m.valid_to.is_(None), d.retired_at.is_(None), d.broken.is_(False))
        .group_by(*of)
    )
    rows = map(tuple, conn.execute(query))
    return Counter({Connected(*how): int(count) for *how, count in rows})


def faulty(conn: Connection, rules: Collection[str]) -> dict[int, int]:
    """School → its computers with an open incident of these rules, or such a fault on the work list."""
    m, i, f = t.membership.c, t.incident.c, t.standing_fault.c
    is_open = (i.rule.in_(list(rules)), i.closed_at.is_(None), i.is_exercise.is_(False))
    of_incidents = select(i.device_id).where(*is_open, i.device_id.is_not(None))
    stands = (f.rule.in_(list(rules)), f.ended_at.is_(None), f.withdrawn.is_(False))
    of_list = select(f.device_id).where(*stands)
    query = (
        select(m.school_id, func.count(m.device_id.distinct()))
        .where(m.valid_to.is_(None), or_(m.device_id.in_(of_incidents), m.device_id.in_(of_list)))
        .group_by(m.school_id)
    )
    return {school: int(count) for school, count in map(tuple, conn.execute(query))}


def open_at_schools(conn: Connection, rules: Collection[str]) -> dict[int, int]:
    """School → open incidents of these rules there; exercises are none."""
    i = t.incident.c
    query = (
        select(i.school_id, func.count())
        .where(i.rule.in_(list(rules)), i.closed_at.is_(None), i.is_exercise.is_(False))
        .group_by(i.school_id)
    )
    return {school: int(count) for school, count in map(tuple, conn.execute(query)) if school is not None}
