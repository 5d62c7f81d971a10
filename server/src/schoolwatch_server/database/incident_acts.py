"""What people do about incidents, written down; what may be done and by whom is decided in `handling`."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select, update

from schoolwatch_server.access import ROLES, Place
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.in_parts import in_parts
from schoolwatch_server.database.incident_rows import seen
from schoolwatch_server.database.incidents import add_event as add_event
from schoolwatch_server.database.incidents import raise_to as raise_to
from schoolwatch_server.database.people import ACCOUNT, AccountRow, account_of
from schoolwatch_server.database.scopes import inside
from schoolwatch_server.scope import Scope

HANDLERS = tuple(role for role, permissions in ROLES.items() if "handle" in permissions)


@dataclass(frozen=True, slots=True)
class Held:
    """An incident as somebody finds it who is about to do something; nobody changes it meanwhile."""

    id: int
    fingerprint: str
    closed_at: float | None
    acknowledged_at: float | None
    acknowledged_by: str
    assignee: str
    verdict: str
    verdict_by: str
    place: Place


@dataclass(frozen=True, slots=True)
class Done:
    """The last event of a kind: who did it and when (UTC seconds)."""

    at: float
    detail: Mapping[str, Any]


def hold(conn: Connection, scope: Scope, ids: Collection[int]) -> dict[int, Held]:
    """Those of these incidents that the scope sees, kept from others until the transaction ends."""
    found: dict[int, Held] = {}
    i = t.incident.c
    for part in in_parts(set(ids)):
        # locked before they are read: what another transaction changes meanwhile is then seen
        conn.execute(select(i.id).where(i.id.in_(part)).order_by(i.id).with_for_update()).all()
        found.update({row.id: row for row in find(conn, scope, part)})
    return found


def set_columns(conn: Connection, incident_id: int, **values: Any) -> None:
    """Changes an incident that is held."""
    conn.execute(update(t.incident).where(t.incident.c.id == incident_id).values(**values))


def last(conn: Connection, incident_id: int, kind: str) -> Done | None:
    """The newest event of that kind."""
    e = t.incident_event.c
    query = select(e.at, e.detail).where(e.incident_id == incident_id, e.kind == kind)
    row = conn.execute(query.order_by(e.id.desc()).limit(1)).first()
    return None if row is None else Done(row.at, row.detail)


def newer(conn: Connection, held: Held) -> int | None:
    """The newest incident of the same fingerprint that opened after this one."""
    i = t.incident.c
    query = select(func.max(i.id)).where(i.fingerprint == held.fingerprint, i.id > held.id)
    found: int | None = conn.scalar(query)
    return found


def handlers(conn: Connection, scope: Scope, place: Place) -> tuple[AccountRow, ...]:
    """Accounts inside a scope that see the whole of that place and whose role sees to incidents."""
    c = t.account.c
    where = {"province": place.province_id, "commune": place.commune_id, "school": place.school_id}
    holds = or_(
        c.scope_level == "all",
        *(and_(c.scope_level == level, c.scope_id == id_) for level, id_ in where.items() if id_ is not None),
    )
    query = select(*ACCOUNT).where(
        c.disabled_at.is_(None), c.role.in_(HANDLERS), holds, inside(scope, c.scope_level, c.scope_id)
    )
    return tuple(map(account_of, conn.execute(query.order_by(c.name)).mappings()))


def find(conn: Connection, scope: Scope, ids: Collection[int]) -> Iterator[Held]:
    """Those of these incidents that the scope sees, as they are now."""
    i, commune = t.incident.c, t.commune.alias()
    commune_id = func.coalesce(t.school.c.commune_id, i.commune_id)
    query = (
        select(
            i.id,
            i.fingerprint,
            i.closed_at,
            i.acknowledged_at,
            i.acknowledged_by,
            i.assignee,
            i.verdict,
            i.verdict_by,
            func.coalesce(commune.c.province_id, i.province_id),
            commune_id,
            i.school_id,
        )
        .select_from(t.incident)
        .outerjoin(t.school, t.school.c.id == i.school_id)
        .outerjoin(commune, commune.c.id == commune_id)
        .where(i.id.in_(ids), seen(scope))
    )
    for row in conn.execute(query):
        yield Held(*row[:8], Place(*row[8:]))
