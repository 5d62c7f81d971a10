"""Alerts that a Grafana tells of and that are not over: they are few, and gone when they are."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select

from schoolwatch_server.alert_states import AlertState
from schoolwatch_server.database.in_parts import in_parts
from schoolwatch_server.database.tables import grafana_alert as table
from schoolwatch_server.database.tables import incident
from schoolwatch_server.database.upsert import upsert
from schoolwatch_server.rules.subject import Kind
from schoolwatch_server.severity import Severity


@dataclass(frozen=True, slots=True)
class GrafanaAlert:
    """One of them: `kind` and `place` are what it is about (`server`, 0: no place that is known here).

    `told_at` is when Grafana said so last, UTC seconds; `severity` None: it says none.
    """

    key: str
    kind: Kind
    place: int
    title: str
    summary: str
    severity: Severity | None
    state: AlertState
    told_at: float


_c = table.c


def current(conn: Connection) -> tuple[GrafanaAlert, ...]:
    """All of them."""
    return tuple(_read(row) for row in conn.execute(select(table).order_by(_c.key)))


def known(conn: Connection, keys: Collection[str]) -> dict[str, GrafanaAlert]:
    """Those with these keys."""
    parts = (conn.execute(select(table).where(_c.key.in_(part))) for part in in_parts(keys))
    return {one.key: one for found in parts for one in map(_read, found)}


def count(conn: Connection) -> int:
    """How many there are."""
    return conn.scalar(select(func.count()).select_from(table)) or 0


def put(conn: Connection, alerts: Iterable[GrafanaAlert]) -> None:
    """Keeps them, in the place of what was held of each."""
    rows = [
        {
            "key": one.key,
            "kind": one.kind,
            "place": one.place,
            "title": one.title,
            "summary": one.summary,
            "severity": one.severity or "",
            "since": one.state.since,
            "is_over": one.state.is_over,
            "is_unknown": one.state.is_unknown,
            "told_at": one.told_at,
        }
        for one in alerts
    ]
    upsert(conn, table, rows)


def end(conn: Connection, keys: Collection[str]) -> None:
    """Forgets those that are over."""
    for part in in_parts(keys):
        conn.execute(delete(table).where(_c.key.in_(part)))


def forget_silent(conn: Connection, before: float, keep: Collection[str]) -> None:
    """Forgets those not told of since an instant (UTC seconds) that no open incident is about."""
    silent = conn.scalars(select(_c.key).where(_c.told_at < before)).all()
    i = incident.c
    subjects = conn.scalars(select(i.subject).where(i.closed_at.is_(None), i.subject != "")).all()
    waited_for = {subject.rpartition(":")[2] for subject in subjects}
    gone = [key for key in silent if key not in keep and key not in waited_for]
    end(conn, gone)


def _read(row: Any) -> GrafanaAlert:
    key, kind, place, title, summary, severity, since, is_over, is_unknown, told_at = row
    state = AlertState(since, is_over, is_unknown)
    return GrafanaAlert(key, kind, place, title, summary, severity or None, state, told_at)
