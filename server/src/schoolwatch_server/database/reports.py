"""Frozen reports: kept once and never changed, found by who may see their place, and what became of them."""

import hashlib
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.reach import within
from schoolwatch_server.scope import Scope

_r, _e = t.report.c, t.report_event.c


class AlteredReportError(Exception):
    """What is kept is not what was frozen: the database was changed behind the program's back."""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A frozen report without its bytes; instants are UTC seconds, `due_on` is ISO 8601 or empty."""

    id: int
    kind: str
    level: str
    place_id: int
    period: str
    revision: int
    sha256: str
    size: int
    code: str
    name: str
    note: str
    simulated: bool
    due_on: str
    frozen_at: float
    frozen_by: str
    state: str
    handed_in_at: float | None
    handed_in_by: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """What became of a report, and who did it."""

    at: float
    kind: str
    by: str
    remark: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What anybody may know who holds a digest: no name, no number.

    `is_newest`: no later revision has taken its place. A draft takes the place of drafts alone: what was
    handed in holds until a later one was handed in too.
    """

    kind: str
    level: str
    period: str
    revision: int
    frozen_at: float
    simulated: bool
    is_newest: bool
    is_whole: bool = True
    state: str = "frozen"
    handed_in_at: float | None = None


# --- written ------------------------------------------------------------------------------------------


def newest_revision(conn: Connection, kind: str, level: str, place_id: int, period: str) -> int:
    """The last one that was frozen; 0 when there is none."""
    return int(conn.scalar(select(func.max(_r.revision)).where(_same(kind, level, place_id, period))) or 0)


def packed(body: bytes) -> dict[str, Any]:
    """The columns of a report's bytes; made before anybody waits for the transaction that keeps them."""
    digest = hashlib.sha256(body).hexdigest()
    return {"sha256": digest, "body": zlib.compress(body), "size": len(body)}


def add(conn: Connection, packed: Mapping[str, Any], *, now: float, by: str, **values: Any) -> int:
    """Keeps the bytes with what is said of them (columns of the table); gives the report's id.

    Raises SQLAlchemy's `IntegrityError` where this revision is there already.
    """
    row = {
        **values,
        **packed,
        "frozen_at": now,
        "frozen_by": by,
        "state": "frozen",
    }
    key = conn.execute(insert(t.report).values(**row)).inserted_primary_key
    report_id = int(key[0]) if key else 0
    add_event(conn, report_id, "freeze", by, "", now)
    return report_id


def add_event(conn: Connection, report_id: int, kind: str, by: str, remark: str, now: float) -> None:
    """One line of what became of it."""
    row = {"report_id": report_id, "at": now, "kind": kind, "by": by, "remark": remark}
    conn.execute(insert(t.report_event).values(**row))


def advance(conn: Connection, report_id: int, known: str, state: str, **values: Any) -> bool:
    """Puts it into a state from the one that was seen; False when somebody else was first."""
    mine = and_(_r.id == report_id, _r.state == known)
    return conn.execute(update(t.report).where(mine).values(state=state, **values)).rowcount == 1


# --- read ---------------------------------------------------------------------------------------------


def found(conn: Connection, sha256: str, scope: Scope) -> ReportRow | None:
    """The report of that digest."""
    row = conn.execute(_rows().where(_r.sha256 == sha256, seen(scope))).first()
    return None if row is None else ReportRow(*row)


def listed(
    conn: Connection,
    scope: Scope,
    *,
    kind: str | None = None,
    period: str | None = None,
    level: str | None = None,
    place_id: int | None = None,
    state: str | None = None,
    only: ColumnElement[bool] | None = None,
    below: int | None = None,
    limit: int = 100,
) -> tuple[ReportRow, ...]:
    """Reports that a scope sees, the newest first; `below` is the id of the last one of the page before."""
    query = _rows().where(seen(scope), true() if only is None else only).order_by(_r.id.desc()).limit(limit)
    for column, wanted in (
        (_r.kind, kind), (_r.period, period), (_r.level, level), (_r.place_id, place_id), (_r.state, state)
    ):  # fmt: skip
        if wanted is not None:
            query = query.where(column == wanted)
    if below is not None:
        query = query.where(_r.id < below)
    return tuple(ReportRow(*row) for row in conn.execute(query))


def revisions(conn: Connection, row: ReportRow) -> tuple[ReportRow, ...]:
    """Every revision of the same report, the newest first."""
    same = _same(row.kind, row.level, row.place_id, row.period)
    return tuple(ReportRow(*one) for one in conn.execute(_rows().where(same).order_by(_r.revision.desc())))


def body(conn: Connection, report_id: int) -> bytes:
    """The very bytes that were frozen. Raises `AlteredReportError` when they are not those any more."""
    packed, size, sha256 = conn.execute(select(_r.body, _r.size, _r.sha256).where(_r.id == report_id)).one()
    try:
        bytes_ = zlib.decompressobj().decompress(packed, size + 1)
    except zlib.error as error:
        raise AlteredReportError(_ALTERED.format(sha256=sha256)) from error
    if hashlib.sha256(bytes_).hexdigest() != sha256:
        raise AlteredReportError(_ALTERED.format(sha256=sha256))
    return bytes_


_ALTERED = (
    "report {sha256}: what is kept does not have this digest any more: somebody changed the database; "
    "restore a backup from before and compare"
)


def events(conn: Connection, report_id: int) -> tuple[EventRow, ...]:
    """What became of a report, the oldest first."""
    query = select(_e.at, _e.kind, _e.by, _e.remark).where(_e.report_id == report_id).order_by(_e.id)
    return tuple(EventRow(*row) for row in conn.execute(query))


_STANDS = ("handed_in", "accepted")


def kept(conn: Connection, sha256: str) -> Kept | None:
    """Whether a report of that digest was kept, for anybody who has it from a paper."""
    found = conn.execute(_rows().where(_r.sha256 == sha256)).first()
    if found is None:
        return None
    row = ReportRow(*found)
    later = [one for one in revisions(conn, row) if one.revision > row.revision]
    if row.state in _STANDS:
        later = [one for one in later if one.state in _STANDS]
    try:
        body(conn, row.id)
    except AlteredReportError:
        is_whole = False
    else:
        is_whole = True
    return Kept(
        row.kind, row.level, row.period, row.revision, row.frozen_at, row.simulated, not later, is_whole,
        row.state, row.handed_in_at,
    )  # fmt: skip


def standing(
    conn: Connection, scope: Scope, level: str, kinds: Collection[str], periods: Collection[str]
) -> dict[tuple[int, str, str], ReportRow]:
    """The newest revision of each place's reports of these kinds and periods, by place, kind and period."""
    query = _rows().where(
        seen(scope), _r.level == level, _r.kind.in_(list(kinds)), _r.period.in_(list(periods))
    )
    rows = (ReportRow(*row) for row in conn.execute(query.order_by(_r.revision)))
    return {(row.place_id, row.kind, row.period): row for row in rows}


def first_handed_in(
    conn: Connection, scope: Scope, level: str, since: float = 0.0
) -> dict[int, dict[tuple[str, str], tuple[float, str]]]:
    """When each place first handed in which report (UTC seconds), and the last day of it that held then.

    By place, then by kind and period.
    """
    query = (
        select(_r.place_id, _r.kind, _r.period, _e.at, _r.due_on)
        .join_from(t.report, t.report_event, _e.report_id == _r.id)
        .where(seen(scope), _r.level == level, _e.kind == "hand_in", _e.at >= since)
        .order_by(_e.at, _e.id)
    )
    handed: dict[int, dict[tuple[str, str], tuple[float, str]]] = {}
    for place_id, kind, period, at, due_on in conn.execute(query):
        handed.setdefault(place_id, {}).setdefault((kind, period), (at, due_on))
    return handed


def schools_since(conn: Connection, scope: Scope) -> dict[int, float]:
    """When each school that a scope sees came into the register (UTC seconds)."""
    s = t.school.c
    return {row.id: row.created_at for row in conn.execute(select(s.id, s.created_at).where(within(scope)))}


def first_school(conn: Connection) -> float:
    """When the first school came into the register (UTC seconds); 0 where there is none."""
    return float(conn.scalar(select(func.min(t.school.c.created_at))) or 0.0)


def all_ids(conn: Connection) -> tuple[tuple[int, str], ...]:
    """Number and digest of every report that is kept, the oldest first: for going through all of them."""
    return tuple((row.id, row.sha256) for row in conn.execute(select(_r.id, _r.sha256).order_by(_r.id)))


def seen(scope: Scope) -> ColumnElement[bool]:
    """Reports of places inside a scope as the register has them today: a school's go with the school."""
    if scope.level == "all":
        return true()
    schools = and_(_r.level == "school", _r.place_id.in_(select(t.school.c.id).where(within(scope))))
    if scope.level == "school":
        return schools
    if scope.level == "commune":
        return or_(schools, and_(_r.level == "commune", _r.place_id == scope.id))
    communes = select(t.commune.c.id).where(t.commune.c.province_id == scope.id)
    return or_(
        schools,
        and_(_r.level == "commune", _r.place_id.in_(communes)),
        and_(_r.level == "province", _r.place_id == scope.id),
    )


def _same(kind: str, level: str, place_id: int, period: str) -> ColumnElement[bool]:
    return and_(_r.kind == kind, _r.level == level, _r.place_id == place_id, _r.period == period)


def _rows() -> Select[Any]:
    return select(
        _r.id, _r.kind, _r.level, _r.place_id, _r.period, _r.revision, _r.sha256, _r.size, _r.code, _r.name,
        _r.note, _r.simulated, _r.due_on, _r.frozen_at, _r.frozen_by, _r.state, _r.handed_in_at,
        _r.handed_in_by,
    )  # fmt: skip
