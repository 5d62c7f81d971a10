"""Incidents as a Prometheus Alertmanager takes them, and the address of one. Pure.

Its API v2, `POST /api/v2/alerts`: labels say which alert it is, so they hold what does not change by itself;
what people read is in annotations. An alert lives until `endsAt`, and is sent again well before that.
https://prometheus.io/docs/alerting/latest/alerts_api/
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

SCHEMES = {"alertmanager": "http", "alertmanagers": "https"}
KIND = "alertmanager"

PORT = 9093
"""Where an Alertmanager listens when its address names no port."""

RESEND = 60.0
"""Seconds after which all is sent again, changed or not: one that was started anew knows nothing."""

LASTS = 300.0
"""Seconds that an open one holds without being sent again, as its own `resolve_timeout` has it."""

RESOLVED_FOR = 900.0
"""Seconds in which one that ended is still sent, as Prometheus does."""

TOGETHER = 500
"""Alerts of one request."""

TEXT_MAX = 1000
"""Characters of an annotation."""

Alert = dict[str, object]


@dataclass(frozen=True, slots=True)
class Target:
    """Where alerts go, and what is said to be let in (the header `Authorization`; empty: nothing)."""

    url: str
    authorization: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """An incident as it goes out; times are UTC seconds, `closed_at` None is open, codes empty where none."""

    id: int
    rule: str
    severity: str
    since: float
    closed_at: float | None
    is_exercise: bool
    province: str
    commune: str
    school: str
    where: str
    evidence: object


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of it in one language."""

    title: str
    why: str
    what_to_do: str


def target(address: str) -> Target:
    """The place that `alertmanager(s)://[user:password@]host[:port][/prefix][?bearer=…]` names.

    Raises `ValueError`, which never quotes the address.
    """
    try:
        parts = urlsplit(address)
        port = parts.port or PORT
        said = parse_qs(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise ValueError("not an address") from error
    bearer = said.pop("bearer", [])
    if parts.scheme not in SCHEMES or not parts.hostname or parts.fragment or said or bearer[1:]:
        raise ValueError("not an address")
    is_two = bool(bearer) and parts.username is not None
    if is_two or bearer == [""] or not address.isascii():
        raise ValueError("not an address")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    url = f"{SCHEMES[parts.scheme]}://{host}:{port}{parts.path.rstrip('/')}/api/v2/alerts"
    if bearer:
        return Target(url, f"Bearer {bearer[0]}")
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return Target(url, f"Basic {base64.b64encode(login.encode()).decode()}")
    return Target(url)


def alert(
    told: Told,
    vi: Said,
    en: Said,
    *,
    summary: str,
    public_url: str,
    until: float,
    is_simulated: bool = False,
) -> Alert:
    """One incident: firing until an instant, unless it is told again before; or ended when it was closed."""
    ends = until if told.closed_at is None else max(told.closed_at, told.since)
    return {
        "labels": _labels(told, is_simulated=is_simulated),
        "annotations": _filled(
            summary=summary,
            title_vi=vi.title,
            title_en=en.title,
            where=told.where,
            why_vi=vi.why,
            why_en=en.why,
            what_to_do_vi=vi.what_to_do,
            what_to_do_en=en.what_to_do,
            runbook_url=f"{public_url}/rules/{told.rule}",
        ),
        "startsAt": _instant(min(told.since, ends)),  # a batch with one that ends before it begins is refused
        "endsAt": _instant(ends),
        "generatorURL": f"{public_url}/incidents/{told.id}",
    }


def trial(title: str, now: float) -> Alert:
    """One that is for trying out, over after a minute."""
    return {
        "labels": {"alertname": "schoolwatch_test", "source": "schoolwatch", "severity": "low"},
        "annotations": {"summary": title},
        "startsAt": _instant(now),
        "endsAt": _instant(now + 60),
    }


def short(one: Alert) -> bytes:
    """What has to be known of it to say later that it is over: of 30,000, whole ones took 70 MB."""
    annotations = one["annotations"]
    assert isinstance(annotations, dict)
    return json.dumps({**one, "annotations": {"summary": annotations.get("summary", "")}}).encode()


def ended(kept: bytes, now: float) -> Alert:
    """The same as over: what it was known by is known by other labels now, or not to be told any more."""
    one: Alert = json.loads(kept)
    return {**one, "endsAt": _instant(now)}


def key(one: Alert) -> bytes:
    """By which an Alertmanager knows it: its labels, digested."""
    return _digested(one["labels"])


def digest(one: Alert, *, is_open: bool) -> bytes:
    """Changes when there is something new to tell; that an open one holds for longer is nothing new."""
    held = {name: value for name, value in one.items() if not (is_open and name == "endsAt")}
    return _digested(held)


def _digested(value: object) -> bytes:
    return hashlib.blake2s(json.dumps(value, sort_keys=True).encode(), digest_size=16).digest()


def pause(failures: int) -> float:
    """Seconds until it is tried again after that many failures: 5, 10, 20, 40, then each minute."""
    return float(min(RESEND, 5 * 2 ** min(failures - 1, 20)))


def _labels(told: Told, *, is_simulated: bool) -> Mapping[str, str]:
    marked: dict[Literal["exercise", "simulated"], bool] = {
        "exercise": told.is_exercise, "simulated": is_simulated,
    }  # fmt: skip
    return _filled(
        alertname=told.rule,
        source="schoolwatch",
        severity=told.severity,
        incident=str(told.id),
        province=told.province,
        commune=told.commune,
        school=told.school,
        **{name: "true" for name, so in marked.items() if so},
    )


def _filled(**texts: str) -> dict[str, str]:
    """Without empty ones, which are none to an Alertmanager."""
    return {name: text[:TEXT_MAX] for name, text in texts.items() if text}


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
