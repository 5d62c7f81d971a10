"""What columns of tables are called, and what their values mean."""

from collections.abc import Mapping
from typing import Final, get_args

from schoolwatch_server.claims.states import STATES as CLAIM_STATES
from schoolwatch_server.database.roles import DEVICE_ROLES
from schoolwatch_server.database.rollout import STATES
from schoolwatch_server.grafana.spec import Words, said
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.severity import SEVERITIES
from schoolwatch_server.store.names import NAMED
from schoolwatch_server.strict_yaml import Confidence
from schoolwatch_server.texts import Language
from schoolwatch_server.workbooks.contracts import TECHNOLOGIES

COLUMNS: Final[Mapping[str, Words]] = {
    **{tag: said(f"grafana.{place}") for name, place in NAMED.items() for tag in (name, place)},
    "device": said("grafana.device"),
    "goal": said("grafana.column.goal"),
    "now": said("grafana.column.now"),
    "indicator": said("grafana.column.indicator"),
    "item": said("grafana.column.item"),
    "deadline": said("grafana.column.deadline"),
    "better": said("grafana.column.better"),
    "confidence": said("grafana.column.confidence"),
    "source": said("grafana.column.source"),
    "devices": said("grafana.column.devices"),
    "room": said("grafana.column.room"),
    "label": said("grafana.column.label"),
    "role": said("grafana.column.role"),
    "geohash": said("grafana.column.geohash"),
    "value": said("grafana.column.value"),
    "rule": said("grafana.column.rule"),
    "title": said("grafana.column.incident"),
    "title_en": said("grafana.column.incident"),
    "incidents": said("grafana.column.incidents"),
    "new": said("grafana.column.new"),
    "acknowledged": said("grafana.until.acknowledged"),
    "closed": said("grafana.until.closed"),
    "isp": said("grafana.isp"),
    "subscriber": said("grafana.column.subscriber"),
    "technology": said("grafana.column.technology"),
    "way": said("grafana.column.way"),
    **{
        name: said(f"grafana.column.{name}")
        for name in (
            *("lines", "schools", "down", "hours_down", "below", "tests_below", "share", "share_p10"),
            *("download", "download_p10", "upload", "upload_p10", "latency", "loss", "ipv6"),
            *("paid_download", "measured_download", "share_download"),
            *("paid_upload", "measured_upload", "share_upload"),
            *("newest", "taken", "tests"),
            *("segment", "watched", "stations", "new_stations", "dhcp_servers", "dhcp6_servers", "routers"),
        )
    },
    **{verdict: said(f"grafana.verdict.{verdict}") for verdict in ("good", "old", "bad", "unknown")},
    **{state: said(f"grafana.rollout.{state}") for state in STATES},
}
"""By the tag, or by the name of a query."""

VALUES: Final[Mapping[str, Mapping[str, Words]]] = {
    "indicator": {one.id: said(f"indicator.{one.id}") for one in INDICATORS},
    "better": {one: said(f"grafana.better.{one}") for one in ("higher", "lower")},
    "confidence": {one: said(f"confidence.{one}") for one in get_args(Confidence)},
    "role": {role: said(f"role.{role}") for role in DEVICE_ROLES},
    "severity": {one: said(f"grafana.severity.{one}") for one in SEVERITIES},
    "verdict": {one: COLUMNS[one] for one in ("good", "old", "bad", "unknown")},
    "state": {
        **{one: COLUMNS[one] for one in STATES},
        **{one: said(f"claim_state.{one}") for one in (*CLAIM_STATES, "none")},
    },
    "until": {one: COLUMNS[one] for one in ("acknowledged", "closed")},
    "technology": {one: said(f"grafana.technology.{one}") for one in TECHNOLOGIES},
    "speed": {one: said(f"grafana.speed.{one}") for one in ("slow", "100", "1000", "wireless", "unknown")},
    "way": {one: said(f"grafana.way.{one}") for one in ("download", "upload")},
}
"""What values of a tag are called."""

COLOURS: Final[Mapping[str, str]] = {
    "none": "gray", "returned": "red", "accepted": "green", "recognised": "dark-green",
    "critical": "dark-red", "high": "red", "medium": "orange", "low": "yellow",
    "good": "green", "old": "yellow", "bad": "red", "unknown": "gray",
    "slow": "red", "100": "yellow", "1000": "green", "wireless": "blue",
    "live": "green", "at_risk": "orange", "dropped": "red", "never": "gray",
}  # fmt: skip
"""Of values that mean the same everywhere."""

HIDDEN: Final[Mapping[Language, frozenset[str]]] = {
    "vi": frozenset({*NAMED.values(), "rule", "title_en"}),
    "en": frozenset({*NAMED.values(), "rule", "title"}),
}
"""Tags that links need, and texts of the other language: a table has them and shows them not."""
