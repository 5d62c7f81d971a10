"""What columns of tables are called, and what their values mean."""

from collections.abc import Mapping
from typing import Final, get_args

from schoolwatch_server.database.roles import DEVICE_ROLES
from schoolwatch_server.grafana.spec import Words, said
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.strict_yaml import Confidence

COLUMNS: Final[Mapping[str, Words]] = {
    "commune_name": said("grafana.commune"),
    "school_name": said("grafana.school"),
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
}
"""By the tag, or by the name of a query."""

VALUES: Final[Mapping[str, Mapping[str, Words]]] = {
    "indicator": {one.id: said(f"indicator.{one.id}") for one in INDICATORS},
    "better": {one: said(f"grafana.better.{one}") for one in ("higher", "lower")},
    "confidence": {one: said(f"confidence.{one}") for one in get_args(Confidence)},
    "role": {role: said(f"role.{role}") for role in DEVICE_ROLES},
}
"""What values of a tag are called."""
