"""Incidents that were opened, as lines across every graph: of the narrowest place that is chosen."""

from collections.abc import Mapping
from typing import Final

from schoolwatch_server.grafana.spec import Dashboard, Marks, Words, said
from schoolwatch_server.store.names import INCIDENT_OPENED

TITLE: Final = Words("title", "title_en")
"""The tags that say what an incident is about, one in each language."""

_BY_PLACE: Final[Mapping[str, Mapping[str, str]]] = {
    "school": {"school": "$school"},
    "commune": {"commune": "$commune"},
    "province": {"province": "$province", "severity": "critical"},
}
"""Of a whole province the critical ones alone: all would hide the graph."""


def of(dashboard: Dashboard) -> Marks:
    """Of the narrowest place that it chooses, or of whom it says."""
    names = {one.name for one in dashboard.variables}
    place = dashboard.marks or next(place for place in _BY_PLACE if place in names)
    where = _BY_PLACE.get(place, {"level": "server"})
    tags = ("severity", "school_name") if place in ("commune", "province") else ("severity",)
    return Marks(said(f"grafana.marks.{place}"), INCIDENT_OPENED, where, TITLE, tags)
