"""What columns of tables are called, and what their values mean."""

from collections.abc import Mapping
from typing import Final

from schoolwatch_server.database.roles import DEVICE_ROLES
from schoolwatch_server.grafana.spec import Words, said

COLUMNS: Final[Mapping[str, Words]] = {
    "commune_name": said("grafana.commune"),
    "school_name": said("grafana.school"),
    "device": said("grafana.device"),
    "devices": said("grafana.column.devices"),
    "room": said("grafana.column.room"),
    "label": said("grafana.column.label"),
    "role": said("grafana.column.role"),
    "geohash": said("grafana.column.geohash"),
    "value": said("grafana.column.value"),
}
"""By the tag, or by the name of a query."""

VALUES: Final[Mapping[str, Mapping[str, Words]]] = {
    "role": {role: said(f"role.{role}") for role in DEVICE_ROLES},
}
"""What values of a tag are called."""
