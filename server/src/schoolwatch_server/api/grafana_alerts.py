"""POST /api/v1/grafana/alerts: what a Grafana's alert rules found, for the one list of incidents.

The message is that of Grafana's contact point "webhook". What is held of each alert is looked at by the watch
`grafana_alert`, so its rule decides what becomes an incident.
"""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from fastapi import Query
from sqlalchemy import Connection

from schoolwatch_server.access import Principal, covers
from schoolwatch_server.alert_states import (
    SUMMARY_MAX,
    TITLE_MAX,
    UNKNOWN_NAMES,
    after,
    is_trial,
    key,
    plain,
    rule_name,
)
from schoolwatch_server.api.alert_shapes import Alert, AlertMessage, AlertsTaken
from schoolwatch_server.api.problems import Problem
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.database import grafana_alerts, scopes
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.database.grafana_alerts import GrafanaAlert
from schoolwatch_server.scope import Scope
from schoolwatch_server.severity import SEVERITIES, Severity

MOST: Final = 1000
"""Alerts that are held at once: more are no list that anybody reads."""

SILENT: Final = 2 * 86400.0
"""Seconds after which one that Grafana tells of no more makes room, once no incident is open about it:
a series that is gone is never said to be over."""

_LEVELS: Final[tuple[Literal["school", "commune", "province"], ...]] = ("school", "commune", "province")

Mark = Annotated[
    str, Query(alias="token", max_length=8, description="By which `grafana push` tells a new token; not read")
]


def tell(who: Who, server: Server, message: AlertMessage, mark: Mark = "") -> dict[str, int]:
    """Takes alerts in: one that fires is an incident, one that is over closes it, told twice is told once.

    Labels `school`, `commune` or `province` with an internal id, as our series have them, say where it is;
    else, or outside the token's places, it is about the token's own place. What Grafana's button *Test* sends
    is taken and opens nothing.
    """
    del mark
    now = time.time()
    with begin_write(server.engine) as conn:
        places = _places(conn, who, message)
        keys = {id(one): key(one.labels, _teller(who.scope)) for one in message.alerts}
        held = grafana_alerts.known(conn, set(keys.values()))
        before = dict(held)
        for one in message.alerts:
            if is_trial(one.labels):
                continue
            _take(held, one, keys[id(one)], _place(one, places, who), now)
        gone, more = before.keys() - held.keys(), len(held.keys() - before.keys())
        if more > _room(conn) + len(gone):
            grafana_alerts.forget_silent(conn, now - SILENT, before.keys())
        if more > _room(conn) + len(gone):
            text = f"{MOST} alerts are held at once: see to what fires, or let fewer rules of Grafana tell"
            raise Problem(429, text, headers={"Retry-After": "600"})
        grafana_alerts.end(conn, gone)
        grafana_alerts.put(conn, held.values())
    return {"firing": sum(not one.state.is_over for one in held.values()), "over": len(gone)}


def _room(conn: Connection) -> int:
    return MOST - grafana_alerts.count(conn)


def _take(held: dict[str, GrafanaAlert], alert: Alert, name: str, place: Scope, now: float) -> None:
    """One alert after the other, for the same may be told of twice in a message."""
    known, said = held.get(name), alert.annotations or {}
    called, reason = alert.labels.get("alertname", ""), said.get("grafana_state_reason", "")
    state = after(None if known is None else known.state, alert.status, called, reason, _since(alert, now))
    if state is None:
        held.pop(name, None)
        return
    if known is not None and called in UNKNOWN_NAMES:  # its texts are about the query, not the alert
        title, summary = known.title, known.summary
    else:
        title = plain(rule_name(alert.labels), TITLE_MAX) or "?"
        summary = plain(said.get("summary") or said.get("description") or "", SUMMARY_MAX)
    kind: Literal["server", "school", "commune", "province"] = (
        "server" if place.level == "all" else place.level
    )
    severity = _severity(alert.labels)
    held[name] = GrafanaAlert(name, kind, place.id or 0, title, summary, severity, state, now)


def _severity(labels: Mapping[str, str]) -> Severity | None:
    """What the label says; never critical, with which the law's 24 hours begin: a person decides that."""
    said = next((one for one in SEVERITIES if one == labels.get("severity")), None)
    return "high" if said == "critical" else said


def _since(alert: Alert, now: float) -> float:
    """When it began to fire; nothing begins in the future, and 30 days ago is long enough.

    Without its offset (RFC 3339 §5.6 demands one) it is UTC, as Prometheus tells times, and never the zone of
    this machine.
    """
    try:
        at = datetime.fromisoformat(alert.startsAt)
        told = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return now
    return min(now, max(told, now - 30 * 86400.0))


def _teller(scope: Scope) -> str:
    """Alerts of two Grafanas of one place are the same where their labels are."""
    return f"{scope.level}:{scope.id or 0}"


def _places(conn: Connection, who: Principal, message: AlertMessage) -> Mapping[Scope, scopes.Where]:
    wanted = {one for alert in message.alerts for one in _named(alert.labels)}
    found = scopes.where(conn, wanted)
    return {scope: where for scope, where in found.items() if covers(who.scope, where.place)}


def _place(alert: Alert, places: Mapping[Scope, scopes.Where], who: Principal) -> Scope:
    """The narrowest that is named, is there and may be told about; else the token's own."""
    return next((one for one in _named(alert.labels) if one in places), who.scope)


def _named(labels: Mapping[str, str]) -> Iterator[Scope]:
    for level in _LEVELS:
        text = labels.get(level, "")
        if text.isascii() and text.isdecimal() and len(text) < 16:
            yield Scope(level, int(text))


ROUTES = (
    Route(
        "POST",
        "/api/v1/grafana/alerts",
        tell,
        "alert",
        "Alerts of a Grafana (its contact point webhook)",
        answer=AlertsTaken,
        refusals=(422, 429),
    ),
)
