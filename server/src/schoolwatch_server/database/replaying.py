"""What a rule is replayed over: places and computers, how much is stored of them, what really happened."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, or_, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.in_parts import in_parts
from schoolwatch_server.database.registry import within
from schoolwatch_server.line_history import KEPT, growing
from schoolwatch_server.rules.subject import Subject, parse
from schoolwatch_server.scope import Scope

_SAMPLE = 40
"""Computers whose reports are counted for an estimate."""


@dataclass(frozen=True, slots=True)
class School:
    """A school with its code and its place in the tree, by ids."""

    id: int
    code: str
    commune_id: int
    province_id: int


@dataclass(frozen=True, slots=True)
class Named:
    """What a subject is called, where it is, and its page; as it is now."""

    title: str
    link: str = ""
    where: str = ""
    where_link: str = ""


@dataclass(frozen=True, slots=True)
class Real:
    """An incident that really was: of what, from when to when (UTC seconds; None: it still is)."""

    rule: str
    subject: Subject
    opened_at: float
    closed_at: float | None


def schools(conn: Connection, scope: Scope, place: str = "") -> tuple[School, ...]:
    """The schools that the scope sees; of `place`, a school's or a commune's code, alone."""
    code, s, c = t.school_code.c, t.school.c, t.commune.c
    query = (
        select(s.id, code.code, s.commune_id, c.province_id)
        .join(t.school_code, (code.school_id == s.id) & code.valid_to.is_(None))
        .join(t.commune, c.id == s.commune_id)
        .where(within(scope))
        .order_by(s.id)
    )
    if place:
        query = query.where(or_(code.code == place, c.code == place))
    return tuple(School(*row) for row in conn.execute(query))


def devices(conn: Connection, school_ids: Collection[int]) -> tuple[int, ...]:
    """The computers that are in these schools now."""
    m = t.membership.c
    query = select(m.device_id).where(m.valid_to.is_(None)).order_by(m.device_id)
    found: list[int] = []
    for some in in_parts(school_ids):
        found += conn.scalars(query.where(m.school_id.in_(some)))
    return tuple(found)


def school_of(conn: Connection, device_ids: Collection[int]) -> dict[int, int]:
    """Device → the school in which it is now."""
    m, found = t.membership.c, dict[int, int]()
    for some in in_parts(device_ids):
        query = select(m.device_id, m.school_id).where(m.device_id.in_(some), m.valid_to.is_(None))
        found |= {row.device_id: row.school_id for row in conn.execute(query)}
    return found


def reports(conn: Connection, device_ids: Collection[int], start: float, end: float) -> int:
    """About how many reports of these were taken in [start, end): by those of some of them."""
    ids = list(device_ids)
    some = ids[:: max(1, len(ids) // _SAMPLE)]
    j = t.journal.c
    query = select(func.count()).where(j.taken_at >= start, j.taken_at < end).select_from(t.journal)
    counted = sum(conn.scalar(query.where(j.device_id == id_)) or 0 for id_ in some)
    return round(counted * len(ids) / len(some)) if some else 0


def real(conn: Connection, rules: Collection[str], start: float, end: float) -> tuple[Real, ...]:
    """The incidents of these rules that were open at some time in [start, end); exercises are none."""
    i = t.incident.c
    query = select(i.rule, i.subject, i.opened_at, i.closed_at).where(
        i.rule.in_(list(rules)),
        i.opened_at < end,
        or_(i.closed_at.is_(None), i.closed_at > start),
        i.is_exercise.is_(False),
    )
    return tuple(
        Real(row.rule, parse(row.subject), row.opened_at, row.closed_at)
        for row in conn.execute(query.order_by(i.opened_at, i.id))
        if row.subject
    )


# --- from when on there is a history --------------------------------------------------------------


def looked_since(conn: Connection) -> float | None:
    """When the oldest look at a site was that is still kept."""
    lk = t.site_look.c  # of each site one step into the index: there are millions of looks
    first = select(func.min(lk.at)).where(lk.site_id == t.site.c.id).correlate(t.site).scalar_subquery()
    return min((at for at in conn.scalars(select(first).select_from(t.site)) if at is not None), default=None)


def judged_since(conn: Connection) -> float | None:
    """When the oldest value of indicators was written that is still kept, by a few of their series."""
    few = select(t.judged_series.c.id).order_by(t.judged_series.c.id).limit(50)
    oldest: float | None = conn.scalar(
        select(func.min(t.judged.c.at)).where(t.judged.c.series_id.in_(list(conn.scalars(few))))
    )
    return oldest


def tested_since(conn: Connection) -> float | None:
    """From when on all speed tests of every line are kept: of each the newest so many are."""
    s, testers = t.state.c, t.line_tester.c
    query = select(s.line_tests).join(t.line_tester, testers.device_id == s.device_id)
    kept = [list(growing(body)) for body in conn.scalars(query.where(s.line_tests.is_not(None)))]
    full = [tests[0][0] for tests in kept if len(tests) >= KEPT]
    return max(full) if full else min((tests[0][0] for tests in kept if tests), default=None)


def refused_since(conn: Connection, most: int) -> float | None:
    """From when on every refused frame is kept, where they are as many as may be; None: they are fewer."""
    q = t.quarantine.c
    count, oldest = conn.execute(select(func.count(), func.min(q.received_at))).one()
    return oldest if count >= most else None


# --- names ---------------------------------------------------------------------------------------


def named(conn: Connection, subjects: Iterable[str]) -> dict[str, Named]:
    """What is shown of subjects (as `str(Subject)`): of each the page that is about it."""
    every = {text: parse(text) for text in subjects}
    ids = {kind: {one.id for one in every.values() if one.kind == kind} for kind in ("device", "school")}
    found: dict[tuple[str, int], Named] = {}
    d, m, s, r, code, c = t.device.c, t.membership.c, t.school.c, t.room.c, t.school_code.c, t.commune.c
    of_device = (
        select(d.id, d.device, d.label, r.name.label("room"), code.code, s.name)
        .select_from(t.device)
        .outerjoin(t.membership, (m.device_id == d.id) & m.valid_to.is_(None))
        .outerjoin(t.school, s.id == m.school_id)
        .outerjoin(t.school_code, (code.school_id == s.id) & code.valid_to.is_(None))
        .outerjoin(t.room, r.id == m.room_id)
    )
    for some in in_parts(ids["device"]):
        for row in conn.execute(of_device.where(d.id.in_(some))):
            where = " · ".join(part for part in (row.room, row.name) if part)
            link = f"/schools/{row.code}" if row.code else ""
            found["device", row.id] = Named(row.label or row.device, f"/devices/{row.device}", where, link)
    of_school = (
        select(s.id, s.name, code.code, c.name.label("commune"))
        .join(t.commune, c.id == s.commune_id)
        .outerjoin(t.school_code, (code.school_id == s.id) & code.valid_to.is_(None))
    )
    for some in in_parts(ids["school"]):
        for id_, name, school_code, commune in conn.execute(of_school.where(s.id.in_(some))):
            link = f"/schools/{school_code}" if school_code else ""
            found["school", id_] = Named(name, link, commune)
    for kind, table in (("commune", t.commune), ("province", t.province)):
        for id_, name in conn.execute(select(table.c.id, table.c.name)):
            found[kind, id_] = Named(name)
    nobody = Named("")
    return {text: found.get((one.kind, one.id), nobody) for text, one in every.items()}
