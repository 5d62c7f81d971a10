"""GET /api/v1/devices, /facts, /series: what was measured, device by device."""

import json
import math
import time
from collections.abc import Sequence
from typing import Annotated

from fastapi import Query

from schoolwatch_contract import ladder as words
from schoolwatch_contract.catalogue import METRICS
from schoolwatch_server import ladder
from schoolwatch_server.api import device_shapes
from schoolwatch_server.api.problems import bad_field, not_found
from schoolwatch_server.api.query import INSTANT, NAME, Cursor, DeviceName, Limit, SchoolCode, instant
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.api.times import rfc3339
from schoolwatch_server.database import fact_rows, pages, registry, states
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.indicators.current import limits
from schoolwatch_server.posture import issued
from schoolwatch_server.shown import may_show, visible
from schoolwatch_server.state import State, parse_key
from schoolwatch_server.store import Series
from schoolwatch_server.texts import LANGUAGES
from schoolwatch_server.working import Working, working

Json = dict[str, object]

LONGEST = 5 * 366 * 86400.0
"""Seconds of the longest series: what daily rollups are kept for."""


def devices(
    who: Who, server: Server, school: SchoolCode = None, limit: Limit = 100, cursor: Cursor = 0
) -> Json:
    """Devices in use with their facts, newest sizes and posture; null is unknown, and never good or bad."""
    now = time.time()
    with begin_read(server.engine) as conn:
        school_id = None
        if school is not None:
            row = registry.school_by_code(conn, school, who.scope)
            if row is None:
                raise not_found("school", school)
            school_id = row.id
        page = pages.devices_after(conn, who.scope, after=cursor, limit=limit + 1, school_id=school_id)
        known = states.known(conn, [id_ for id_, _ in page[:limit]])
        found = [
            device
            for _, name in page[:limit]
            if (device := registry.device(conn, name, who.scope)) is not None
        ]
        beside = {
            of: registry.devices(conn, who.scope, school_id=of)
            for of in {device.school_id for device in found}
        }
    after = limits(server.packs, now).working_after
    rows = []
    for device in found:
        state = known.get(device.id, State())
        order = working(device, beside[device.school_id], now=now, after=after, state=state)
        steps = ladder.ladder(state, server.packs.ipv6_slow)
        told = {"working": _working_json(order), "ipv6": _ipv6_json(steps)}
        seen = visible(state, who.scope)
        rows.append(device_json(device, seen, server.config.antivirus.issued) | told)
    return {
        "devices": rows,
        "next": page[limit - 1][0] if len(page) > limit else None,
    }


def device_json(device: registry.DeviceRow, state: State | None, issued_names: Sequence[str]) -> Json:
    """One device as JSON: where it is, when it was heard, its posture, facts and newest readings.

    `issued_names` are those of the antivirus products that the province issues.
    """
    return {
        "device": device.device,
        "label": device.label,
        "role": device.role,
        "room": device.room,
        "school": {"code": device.school_code, "name": device.school},
        "heard_at": rfc3339(device.heard_at),
        "taken_at": rfc3339(device.taken_at),
        "agent": device.agent,
        "broken": device.broken,
        "posture": {
            "protected": device.protected,
            "issued_antivirus": issued(device.antivirus, issued_names),
            "ipv6_rung": device.ipv6_rung,
            "link_speed": device.link_speed,
            "link_medium": device.link_medium,
        },
        "facts": _facts(state) if state else [],
        "readings": _readings(state) if state else [],
    }


def _working_json(order: Working) -> Json:
    facts = order.facts
    return {
        "verdict": order.verdict,
        "reasons": order.reasons,
        "rests_on": {
            "broken": facts.broken,
            "taken_at": rfc3339(facts.taken_at),
            "counts_since": rfc3339(facts.counts_since),
            "room_taken_at": rfc3339(facts.room_taken_at),
            "failing_disks": [
                {
                    "disk": disk.disk,
                    "failure_predicted": disk.failure_predicted,
                    "at": rfc3339(disk.taken_at),
                }
                for disk in facts.failing_disks
            ],
        },
    }


def _ipv6_json(steps: tuple[ladder.Step, ...]) -> Json:
    """Each rung's standing from 0, and the first to see to with its remedy; null when none is."""
    step = ladder.first(steps)
    return {"rungs": [each.standing for each in steps], "first": None if step is None else _rung_json(step)}


def _rung_json(step: ladder.Step) -> Json:
    slow = step.standing == "slow"
    return {
        "rung": step.rung,
        "standing": step.standing,
        "reason": step.reason,
        "name": {language: words.RUNGS[step.rung].told(language) for language in LANGUAGES},
        "remedy": {
            language: words.SLOW.told(language) if slow else words.remedy(step.reason, language)
            for language in LANGUAGES
        },
    }


def facts(
    who: Who,
    server: Server,
    device: DeviceName = None,
    name: Annotated[str | None, Query(pattern=NAME, max_length=64)] = None,
    history: Annotated[bool, Query(description="Also what held earlier")] = False,
    limit: Limit = 100,
    cursor: Cursor = 0,
) -> Json:
    """Facts and since when they hold; with `history` also earlier values and until when they held."""
    with begin_read(server.engine) as conn:
        if device is not None and registry.device(conn, device, who.scope) is None:
            raise not_found("device", device)
        rows = fact_rows.facts(
            conn, who.scope, device=device, name=name, history=history, after=cursor, limit=limit + 1
        )
    return {
        "facts": [
            {
                "device": row.device,
                "name": row.name,
                "labels": json.loads(row.labels or "{}"),
                "value": row.value,
                "reason": row.reason,
                "valid_from": rfc3339(row.valid_from),
                "valid_to": rfc3339(row.valid_to),
            }
            for row in rows[:limit]
            if may_show(row.name, who.scope)
        ],
        "next": rows[limit - 1].id if len(rows) > limit else None,
    }


def series(
    who: Who,
    server: Server,
    device: Annotated[str, Query(pattern=r"^[0-9a-f]{32}$", description="32 hex digits")],
    metric: Annotated[str, Query(pattern=NAME, max_length=64)],
    begin: Annotated[str | None, Query(alias="from", max_length=40, description=INSTANT)] = None,
    end: Annotated[str | None, Query(alias="to", max_length=40, description=INSTANT)] = None,
) -> Json:
    """A metric of a device over time, one series for each set of labels; without times, the last 24 hours."""
    if metric not in METRICS or not may_show(metric, who.scope):
        raise not_found("metric", metric)
    upto = instant("to", end)
    upto = time.time() if upto is None else upto
    since = instant("from", begin)
    since = upto - 86400.0 if since is None else since
    if since >= upto:
        raise bad_field("from", "is not before `to`")
    if upto - since > LONGEST:
        raise bad_field("from", "a series is at most 5 years long")
    with begin_read(server.engine) as conn:
        row = registry.device(conn, device, who.scope)
        here = 0.0 if row is None else pages.elsewhere_until(conn, row.id, who.scope)
    if row is None:
        raise not_found("device", device)
    found = server.store.series(row.id, metric, max(since, here), upto) if here < upto else ()
    return {
        "device": device,
        "metric": metric,
        "unit": METRICS[metric].unit,
        "from": rfc3339(since),
        "to": rfc3339(upto),
        "series": [_series_json(one) for one in found],
    }


def _series_json(series: Series) -> Json:
    return {
        "labels": series.labels,
        "points": [
            {
                "at": rfc3339(p.at),
                "mean": p.mean if math.isfinite(p.mean) else None,  # a sum of huge numbers overflows
                "min": p.min,
                "max": p.max,
                "count": p.count,
            }
            for p in series.points
        ],
    }


def _facts(state: State) -> list[Json]:
    rows: list[Json] = []
    for key, text in sorted(state.facts.items()):
        name, labels = parse_key(key)
        at = rfc3339(text.taken_at)
        rows.append({"name": name, "labels": labels, "value": text.value, "reason": text.reason, "at": at})
    return rows


def _readings(state: State) -> list[Json]:
    rows: list[Json] = []
    for key, number in sorted(state.readings.items()):
        metric, labels = parse_key(key)
        unit = METRICS[metric].unit if metric in METRICS else ""
        at = rfc3339(number.taken_at)
        rows.append({"metric": metric, "labels": labels, "value": number.value, "unit": unit, "at": at})
    return rows


ROUTES = (
    Route(
        "GET",
        "/api/v1/devices",
        devices,
        "read",
        "Devices with facts, readings and posture",
        answer=device_shapes.Devices,
    ),
    Route("GET", "/api/v1/facts", facts, "read", "Facts and their history", answer=device_shapes.Facts),
    Route(
        "GET", "/api/v1/series", series, "read", "A metric of a device over time", answer=device_shapes.Series
    ),
)
