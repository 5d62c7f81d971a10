"""Incidents that were opened, as lines across every graph: of the narrowest place that is chosen."""

from collections.abc import Mapping, Sequence
from typing import Final

from schoolwatch_server.grafana.spec import Marks, Variable, Words, said
from schoolwatch_server.store.names import INCIDENT_OPENED

TITLE: Final = Words("title", "title_en")
"""The tags that say what an incident is about, one in each language."""

_BY_PLACE: Final[Mapping[str, Mapping[str, str]]] = {
    "school": {"commune_name": "$commune", "school_name": "$school"},
    "commune": {"commune_name": "$commune"},
    "province": {"province_name": "$province", "severity": "critical"},
}
"""Of a whole province the critical ones alone: all would hide the graph."""


def of(variables: Sequence[Variable]) -> Marks:
    """Of the place that these variables choose; of the server itself where they choose none."""
    names = {one.name for one in variables}
    place = next((place for place in _BY_PLACE if place in names), "server")
    where = _BY_PLACE.get(place, {"level": "server"})
    tags = ("severity", "school_name") if place in ("commune", "province") else ("severity",)
    return Marks(said(f"grafana.marks.{place}"), INCIDENT_OPENED, where, TITLE, tags)
