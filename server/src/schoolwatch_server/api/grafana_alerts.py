"""POST /api/v1/grafana/alerts: what a Grafana's alert rules found, for the one list of incidents.

The message is that of Grafana's contact point "webhook". What is held of each alert is looked at by the watch
`grafana_alert`, so its rule decides what becomes an incident.
"""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Final, Literal

from fastapi import Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from schoolwatch_server.access import Principal, covers
from schoolwatch_server.alert_states import (
    SUMMARY_MAX,
    TITLE_MAX,
    UNKNOWN_NAMES,
    AlertState,
    after,
    is_trial,
    key,
    plain,
    rule_name,
)
from schoolwatch_server.api.alert_shapes import Alert, AlertMessage, AlertsTaken
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.database import grafana_alerts, scopes
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.database.grafana_alerts import GrafanaAlert
from schoolwatch_server.scope import Scope
from schoolwatch_server.severity import SEVERITIES, Severity
from schoolwatch_server.texts import Texts

MOST: Final = 5000
"""Alerts that are held at once: three rules that fire at each school of a province."""

SILENT: Final = 2 * 86400.0
"""Seconds after which one that Grafana tells of no more makes room, once no incident is open about it:
a series that is gone is never said to be over."""

_RANKS: Final = {severity: rank for rank, severity in enumerate(SEVERITIES)}

_LEVELS: Final[tuple[Literal["school", "commune", "province"], ...]] = ("school", "commune", "province")

Mark = Annotated[
    str, Query(alias="token", max_length=8, description="By which `grafana push` tells a new token; not read")
]


async def tell(request: Request, who: Who, server: Server, mark: Mark = "") -> dict[str, int]:
    """Takes alerts in: one that fires is an incident, one that is over closes it, told twice is told once.

    Labels `school`, `commune` or `province` with an internal id, as our series have them, say where it is;
    else, or outside the token's places, it is about the token's own place. What Grafana's button *Test* sends
    is taken and opens nothing. Of alerts that were cut off before, or for which there is no room here, an
    incident says how many they are.
    """
    del mark
    return await run_in_threadpool(_tell, who, server, await request.body())


def _tell(who: Principal, server: Context, body: bytes) -> dict[str, int]:
    message, now = _message(body), time.time()
    with begin_write(server.engine) as conn:
        places = _places(conn, who, message)
        keys = {id(one): key(one.labels, _teller(who.scope)) for one in message.alerts}
        cut = key({"schoolwatch_cut": message.groupKey}, _teller(who.scope))
        full = key({"schoolwatch_full": ""}, _teller(who.scope))
        held = grafana_alerts.known(conn, {cut, full, *keys.values()})
        before = dict(held)
        for one in message.alerts:
            if is_trial(one.labels):
                continue
            _take(held, one, keys[id(one)], _place(one, places, who), now)
        gone = before.keys() - held.keys()
        freed = len(gone) + (full in before)  # what says that some are missing takes no room
        left = _without_room(conn, held, before, freed, now)
        for name in left:
            del held[name]
        has_room = _room(conn) + freed > len(held.keys() - before.keys())
        firing = sum(not one.state.is_over for name, one in held.items() if name not in (cut, full))
        missing = partial(_missing, server.texts, place=who.scope, now=now)
        if message.truncatedAlerts and (cut in held or has_room):
            held[cut] = missing(cut, "truncated", message.truncatedAlerts, held.get(cut))
        elif not message.truncatedAlerts:
            held.pop(cut, None)
        if left:  # one for all groups: a message may be of one alert
            held[full] = missing(full, "full", len(left), held.get(full))
        elif has_room:
            held.pop(full, None)
        grafana_alerts.end(conn, before.keys() - held.keys())
        grafana_alerts.put(conn, held.values())
    return {"firing": firing, "over": len(gone), "left": len(left)}


def _message(body: bytes) -> AlertMessage:
    try:
        return AlertMessage.model_validate_json(body)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in wrong[:20]]) from None


def _without_room(
    conn: Connection,
    held: Mapping[str, GrafanaAlert],
    before: Mapping[str, GrafanaAlert],
    freed: int,
    now: float,
) -> list[str]:
    """Keys of the new ones that are too many: of those, not the severest."""
    new = sorted(held.keys() - before.keys(), key=lambda name: _RANKS[held[name].severity or "medium"])
    if len(new) > _room(conn) + freed:
        grafana_alerts.forget_silent(conn, now - SILENT, before.keys())
    return new[max(0, _room(conn) + freed) :]


def _room(conn: Connection) -> int:
    return MOST - grafana_alerts.count(conn)


def _missing(
    words: Texts, name: str, why: str, count: int, before: GrafanaAlert | None, *, place: Scope, now: float
) -> GrafanaAlert:
    """That alerts are not held: the sender left them out, or its last message had more than there is room."""
    title = words.get("vi", "grafana_cut.title")
    said = words.get("vi", f"grafana_cut.{why}", count=count, most=MOST)
    return _alert(name, place, title, said, None, before.state if before else AlertState(now), now)


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
    held[name] = _alert(name, place, title, summary, _severity(alert.labels), state, now)


def _alert(
    name: str,
    place: Scope,
    title: str,
    summary: str,
    severity: Severity | None,
    state: AlertState,
    now: float,
) -> GrafanaAlert:
    kind: Literal["server", "school", "commune", "province"] = (
        "server" if place.level == "all" else place.level
    )
    return GrafanaAlert(name, kind, place.id or 0, title, summary, severity, state, now)


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
        refusals=(422,),
        body=AlertMessage,
    ),
)
