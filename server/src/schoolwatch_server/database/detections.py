"""Detections of malware, as antivirus products told of them: from the history of facts, by their time."""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, Integer, and_, case, func, or_, select, text

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.registry import within
from schoolwatch_server.scope import Scope
from schoolwatch_server.serious.malware import Detection, Log, Place
from schoolwatch_server.state import parse_key

MOST = 50_000
"""Detections of one period that are counted; a province has far fewer, and a page that says less says so."""


def found(conn: Connection, scope: Scope, since: float, until: float) -> tuple[Detection, ...]:
    """In [since, until) (UTC seconds), where the computer stood then; at most `MOST`, the newest first."""
    f, m = t.fact_history.c, t.membership.c
    then = and_(
        m.device_id == f.device_id,
        m.valid_from <= f.valid_from,
        or_(m.valid_to.is_(None), m.valid_to > f.valid_from),
    )
    query = (
        select(*_PLACE, t.device.c.device, f.labels, f.value)
        .select_from(t.fact_history)
        .join(t.device, t.device.c.id == f.device_id)
        .join(t.membership, then)
        .join(t.school, t.school.c.id == m.school_id)
        .join(t.commune, t.commune.c.id == t.school.c.commune_id)
        .join(t.province, t.province.c.id == t.commune.c.province_id)
        .where(
            text("fact_history.name = 'antivirus.threat'"), within(scope)
        )  # its index asks for these words
        .where(f.value >= _written(since), f.value < _written(until))
        .order_by(f.value.desc(), f.id.desc())
        .limit(MOST)
    )
    rows = []
    for *place, device, labels, at in conn.execute(query):
        _, named = parse_key(f"antivirus.threat{labels}")
        rows.append(Detection(Place(*place), device, named.get("product", ""), named.get("threat", ""), at))
    return tuple(dict.fromkeys(rows))


def logs(conn: Connection, scope: Scope, heard_after: float) -> tuple[Log, ...]:
    """By school, of its computers heard since: who tells of detections, and of whom nobody knows."""
    s, m = t.state.c, t.membership.c
    known = func.sum(case((s.malware_log.is_(True), 1), else_=0), type_=Integer)
    query = (
        select(*_PLACE, known, func.count())
        .select_from(t.state)
        .join(t.membership, and_(m.device_id == s.device_id, m.valid_to.is_(None)))
        .join(t.device, t.device.c.id == s.device_id)
        .join(t.school, t.school.c.id == m.school_id)
        .join(t.commune, t.commune.c.id == t.school.c.commune_id)
        .join(t.province, t.province.c.id == t.commune.c.province_id)
        .where(within(scope), s.taken_at >= heard_after, t.device.c.retired_at.is_(None))
        .group_by(t.school.c.id, t.school.c.name, t.commune.c.name, t.province.c.name)
        .order_by(t.province.c.name, t.commune.c.name, t.school.c.name)
    )
    return tuple(Log(Place(*place), yes, every - yes) for *place, yes, every in conn.execute(query))


def _written(at: float) -> str:
    """As agents write it: such texts stand in the order of time."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_CODE: ColumnElement[str] = func.coalesce(
    select(func.max(t.school_code.c.code))
    .where(t.school_code.c.school_id == t.school.c.id, t.school_code.c.valid_to.is_(None))
    .correlate(t.school)
    .scalar_subquery(),
    "",
)
_PLACE = (_CODE, t.school.c.name, t.commune.c.name, t.province.c.name)
