"""Websites of schools: their addresses over time, when each is looked at next, and what looks found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from sqlalchemy import Connection, Select, and_, bindparam, case, func, insert, or_, select, update

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.reach import has_code, inside, place, within
from schoolwatch_server.indicators.facts import Site
from schoolwatch_server.scope import Level, Scope
from schoolwatch_server.sites.look import UNKNOWN, Look, TlsTrouble, Trouble


@dataclass(frozen=True, slots=True)
class LookRow:
    """What one look found (`sites.look.Look`) at an instant, UTC seconds."""

    at: float
    is_up: bool | None
    trouble: Trouble
    trouble_v4: Trouble
    status_v4: int | None
    seconds_v4: float | None
    https_v4: bool
    trouble_v6: Trouble
    status_v6: int | None
    seconds_v6: float | None
    https_v6: bool
    has_ipv6: bool | None
    is_trusted: bool | None
    tls_trouble: TlsTrouble
    tls_version: str
    issuer: str
    expires_at: float | None
    leads_to_https: bool | None


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A school's site as it is now. `since`: from when it has been up, or down, as far as looks tell."""

    id: int
    school_id: int
    code: str
    school: str
    commune: str
    address: str
    valid_from: float
    set_by: str
    is_up: bool | None
    since: float | None
    look: LookRow | None


@dataclass(frozen=True, slots=True)
class Availability:
    """Of how many looks it is known whether the site was up, and how often it was."""

    up: int
    known: int


def listed(conn: Connection, scope: Scope) -> tuple[SiteRow, ...]:
    """The sites of the schools that a scope sees, by school id."""
    query = _query().where(within(scope)).order_by(t.site.c.school_id)
    return tuple(_row(dict(row)) for row in conn.execute(query).mappings())


def of_school(conn: Connection, scope: Scope, school_id: int) -> SiteRow | None:
    """A school's site."""
    query = _query().where(within(scope), t.site.c.school_id == school_id)
    row = conn.execute(query).mappings().first()
    return None if row is None else _row(dict(row))


def looks(conn: Connection, scope: Scope, site_id: int, *, before: float, limit: int) -> tuple[LookRow, ...]:
    """Looks at a site before an instant, the newest first."""
    lk = t.site_look.c
    query = (
        select(t.site_look)
        .join_from(t.site_look, t.site)
        .join(t.school)
        .where(within(scope), lk.site_id == site_id, lk.at < before)
        .order_by(lk.at.desc())
        .limit(limit)
    )
    return tuple(_look(dict(row), "") for row in conn.execute(query).mappings())


def availability(conn: Connection, scope: Scope, site_id: int, after: float) -> Availability:
    """How a site did since an instant."""
    lk = t.site_look.c
    up = func.coalesce(func.sum(case((lk.is_up.is_(True), 1), else_=0)), 0)
    query = (
        select(up, func.count(lk.is_up))
        .join_from(t.site_look, t.site)
        .join(t.school)
        .where(within(scope), lk.site_id == site_id, lk.at >= after)
    )
    return Availability(*map(int, conn.execute(query).one()))


def addresses(conn: Connection, scope: Scope) -> dict[int, str]:
    """The address of each school's site."""
    s = t.site.c
    query = select(s.school_id, s.address).join_from(t.site, t.school)
    rows = conn.execute(query.where(within(scope), s.valid_to.is_(None)))
    return {row.school_id: row.address for row in rows}


def facts(conn: Connection, scope: Scope, after: float) -> dict[int, Site]:
    """By school, what the newest look found; a school whose site was not looked at since is not in it."""
    rows = conn.execute(_facts(scope.level), place(scope) | {"after": after})
    return {
        school: Site(is_up, is_trusted, has_ipv6, None if https is None else bool(https), *times)
        for school, is_up, is_trusted, has_ipv6, https, *times in rows
    }


@cache
def _facts(level: Level) -> Select[Any]:
    lk, s = t.site_look.c, t.site.c
    page = and_(lk.https_v6, lk.trouble_v6 == "")
    unknown = lk.trouble_v6.in_(UNKNOWN)  # it answers over IPv6, and refuses programs
    https = case((lk.has_ipv6.is_(True), case((unknown, None), else_=page)), else_=lk.has_ipv6)
    return (
        select(s.school_id, lk.is_up, lk.is_trusted, lk.has_ipv6, https, lk.expires_at, lk.at)
        .select_from(t.site.join(t.school).join(t.site_look, lk.id == _newest()))
        .where(inside(level), s.valid_to.is_(None), lk.at >= bindparam("after"))
    )


def change(conn: Connection, school_id: int, address: str, now: float, by: str) -> bool:
    """Sets a school's address from now on, or takes it away where it is empty; whether that changed anything.

    Another address is another site: what was found at the one before is not told of it.
    """
    s = t.site.c
    here = and_(s.school_id == school_id, s.valid_to.is_(None))
    if (conn.scalar(select(s.address).where(here)) or "") == address:
        return False
    conn.execute(update(t.site).where(here).values(valid_to=now))
    if address:
        row = {"school_id": school_id, "address": address, "set_by": by, "due_at": now}
        conn.execute(insert(t.site).values(valid_from=now, **row))
    return True


def look_soon(conn: Connection, school_id: int, now: float, rest: float) -> bool:
    """Has a school's site looked at next, unless that was done less than `rest` seconds ago; whether so."""
    s, lk = t.site.c, t.site_look.c
    lately = select(lk.id).where(lk.site_id == s.id, lk.at > now - rest).exists()
    soon = update(t.site).where(s.school_id == school_id, s.valid_to.is_(None), ~lately)
    return conn.execute(soon.values(due_at=now)).rowcount > 0


def due(conn: Connection, now: float, limit: int) -> dict[str, tuple[int, ...]]:
    """Addresses whose time has come, the longest waiting first, each with the sites that have it."""
    s = t.site.c
    query = (
        select(s.address, func.min(s.due_at))
        .join_from(t.site, t.school)
        .where(s.valid_to.is_(None), s.due_at <= now, has_code())
        .group_by(s.address)
        .order_by(func.min(s.due_at))
        .limit(limit)
    )
    found: dict[str, tuple[int, ...]] = {row[0]: () for row in conn.execute(query)}
    same = select(s.address, s.id).join_from(t.site, t.school).order_by(s.id)
    for address, id_ in conn.execute(same.where(s.valid_to.is_(None), s.address.in_(found), has_code())):
        found[address] = (*found[address], id_)
    return found


def put(
    conn: Connection, site_ids: Sequence[int], found: Look, at: float, next_at: Mapping[int, float]
) -> int:
    """Keeps what a look found of these sites; gives how many looks were kept.

    That our own line is down is kept once, not again and again while it lasts.
    """
    lk, s = t.site_look.c, t.site.c
    kept = 0
    for id_ in site_ids:
        conn.execute(update(t.site).where(s.id == id_).values(due_at=next_at[id_]))
        last = conn.execute(
            select(lk.at, lk.trouble).where(lk.site_id == id_).order_by(lk.at.desc()).limit(1)
        ).first()
        if last is not None and (last.at >= at or found.trouble == last.trouble == "our_line"):
            continue
        conn.execute(insert(t.site_look).values(site_id=id_, at=at, **_columns(found)))
        kept += 1
        if found.is_up is not None:
            turned = or_(s.is_up.is_(None), s.is_up.is_(not found.is_up))
            conn.execute(update(t.site).where(s.id == id_, turned).values(is_up=found.is_up, since=at))
    return kept


def had_ipv6(conn: Connection, after: float) -> frozenset[int]:
    """The sites that a look since an instant found to have IPv6."""
    lk = t.site_look.c
    query = select(lk.site_id).where(lk.at >= after, lk.has_ipv6.is_(True)).distinct()
    return frozenset(conn.scalars(query))


def put_off(conn: Connection, site_ids: Sequence[int], until: float) -> None:
    """Looks at these sites no sooner than then."""
    conn.execute(update(t.site).where(t.site.c.id.in_(site_ids)).values(due_at=until))


def _columns(found: Look) -> dict[str, object]:
    return {
        "is_up": found.is_up,
        "trouble": found.trouble,
        "trouble_v4": found.v4.trouble,
        "status_v4": found.v4.status,
        "seconds_v4": found.v4.seconds,
        "https_v4": found.v4.is_https,
        "trouble_v6": found.v6.trouble,
        "status_v6": found.v6.status,
        "seconds_v6": found.v6.seconds,
        "https_v6": found.v6.is_https,
        "has_ipv6": found.has_ipv6,
        "is_trusted": found.tls.is_trusted,
        "tls_trouble": found.tls.trouble,
        "tls_version": found.tls.version,
        "issuer": found.tls.issuer,
        "expires_at": found.tls.expires_at,
        "leads_to_https": found.leads_to_https,
    }


def _newest() -> Any:
    """The number of the newest look at a site: one step into the index."""
    lk = t.site_look.alias()
    return (
        select(lk.c.id)
        .where(lk.c.site_id == t.site.c.id)
        .order_by(lk.c.at.desc())
        .limit(1)
        .correlate(t.site)
        .scalar_subquery()
    )


def _query() -> Select[Any]:
    s, lk = t.site.c, t.site_look.c
    present = and_(t.school_code.c.school_id == s.school_id, t.school_code.c.valid_to.is_(None))
    return (
        select(
            s.id,
            s.school_id,
            t.school_code.c.code,
            t.school.c.name.label("school"),
            t.commune.c.name.label("commune"),
            s.address,
            s.valid_from,
            s.set_by,
            s.is_up,
            s.since,
            *(column.label(f"look_{column.name}") for column in lk if column.name not in {"id", "site_id"}),
        )
        .select_from(
            t.site.join(t.school)
            .join(t.commune)
            .join(t.school_code, present)
            .outerjoin(t.site_look, lk.id == _newest())
        )
        .where(s.valid_to.is_(None))
    )


def _row(found: dict[str, Any]) -> SiteRow:
    own = {name: value for name, value in found.items() if not name.startswith("look_")}
    look = None if found["look_at"] is None else _look(found, "look_")
    return SiteRow(**own, look=look)


def _look(found: Mapping[str, Any], prefix: str) -> LookRow:
    values = {name: found[f"{prefix}{name}"] for name in LookRow.__slots__}
    for name, known in (("trouble", Trouble), ("trouble_v4", Trouble), ("trouble_v6", Trouble)):
        if values[name] not in get_args(known):  # a newer version wrote it
            values[name] = "not_run"
    return LookRow(**values)
