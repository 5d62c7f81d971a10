"""What was seen of devices."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.in_parts import in_parts
from schoolwatch_server.rules.sighted import Seen


@dataclass(frozen=True, slots=True)
class SightingRow:
    """One sighting; `seen_at` is UTC seconds on the server's clock."""

    kind: str
    subject: str
    detail: dict[str, str]
    seen_at: float


def seen_at_school(conn: Connection, school_id: int, kind: str, since: float) -> frozenset[int]:
    """The devices that are in the school now and of which this was seen since then."""
    s, m = t.sighting.c, t.membership.c
    query = (
        select(s.device_id)
        .join(t.membership, m.device_id == s.device_id)
        .where(m.school_id == school_id, m.valid_to.is_(None), s.kind == kind, s.seen_at >= since)
    )
    return frozenset(int(device_id) for device_id in conn.scalars(query))


def of_device(
    conn: Connection, device_id: int, kinds: tuple[str, ...], limit: int
) -> tuple[SightingRow, ...]:
    """The newest sightings of these kinds."""
    s = t.sighting.c
    query = (
        select(s.kind, s.subject, s.detail, s.seen_at)
        .where(s.device_id == device_id, s.kind.in_(kinds))
        .order_by(s.seen_at.desc(), s.id.desc())
        .limit(limit)
    )
    return tuple(SightingRow(*row) for row in conn.execute(query))


def seen_by(
    conn: Connection, incident_id: int, kind: str, subject: str, since: float, until: float
) -> dict[int, int]:
    """How often each device of an incident's school saw this of a machine, in order of who saw it first."""
    s, m, i = t.sighting.c, t.membership.c, t.incident.c
    school = select(i.school_id).where(i.id == incident_id).scalar_subquery()
    query = select(s.device_id, func.count()).where(
        s.device_id.in_(select(m.device_id).where(m.school_id == school)),
        s.kind == kind,
        s.subject == subject,
        s.seen_at.between(since, until),
    )
    rows = conn.execute(query.group_by(s.device_id).order_by(func.min(s.seen_at), s.device_id))
    return dict(map(tuple, rows))


def of_rows(conn: Connection, first: int, last: int) -> dict[int, list[Seen]]:
    """What was committed with the journal's rows from `first` to `last`, by row."""
    return _seen(conn, t.sighting.c.journal_id.between(first, last))


def of_reports(conn: Connection, device_id: int, rows: Collection[int]) -> dict[int, list[Seen]]:
    """What was committed with these of a device's journal rows, by row."""
    return {
        id_: seen for id_, seen in _seen(conn, t.sighting.c.device_id == device_id).items() if id_ in rows
    }


def seers(conn: Connection, device_ids: Collection[int], kinds: Collection[str]) -> frozenset[int]:
    """Those of these devices that ever saw such a thing."""
    s, found = t.sighting.c, set[int]()
    for part in in_parts(device_ids):
        query = select(s.device_id).where(s.device_id.in_(part), s.kind.in_(list(kinds))).distinct()
        found.update(conn.scalars(query))
    return frozenset(found)


def _seen(conn: Connection, where: ColumnElement[bool]) -> dict[int, list[Seen]]:
    s = t.sighting.c
    query = select(s.journal_id, s.kind, s.subject, s.detail, s.seen_at, s.received_at, s.late, s.device_id)
    rows = conn.execute(query.where(where).order_by(s.id)).all()
    homes = _homes(conn, {row.device_id for row in rows})
    found: dict[int, list[Seen]] = {}
    for row in rows:
        found.setdefault(row.journal_id, []).append(Seen(*row, *_home(homes[row.device_id], row.seen_at)))
    return found


def _homes(conn: Connection, device_ids: Collection[int]) -> dict[int, list[tuple[float, int]]]:
    """Of each device since when it was in which school, in order."""
    m = t.membership.c
    found: dict[int, list[tuple[float, int]]] = {device_id: [] for device_id in device_ids}
    for part in in_parts(device_ids):
        query = select(m.device_id, m.valid_from, m.school_id).where(m.device_id.in_(part))
        for device_id, since, school_id in conn.execute(query.order_by(m.valid_from, m.id)):
            found[device_id].append((since, school_id))
    return found


def _home(homes: list[tuple[float, int]], at: float) -> tuple[int, float]:
    """The school of then, and since when it is there: in its first one always."""
    if not homes:
        return 0, 0.0
    first = homes[0][1]
    school = next((school for since, school in reversed(homes) if since <= at), first)
    return school, 0.0 if school == first else min(since for since, its in homes if its == school)
