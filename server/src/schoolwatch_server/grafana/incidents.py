"""Incidents: how many are open, where and of what, how many are new, and how fast they are seen to."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from schoolwatch_server.grafana.marks import TITLE
from schoolwatch_server.grafana.places import (
    COMMUNE,
    COMMUNE_CODE,
    FRESH,
    FRESH_BELOW,
    IN_COMMUNE,
    IN_PROVINCE,
    OF_COMMUNES,
    OF_SCHOOLS,
    PROVINCE,
    UNITS,
)
from schoolwatch_server.grafana.spec import Dashboard, Panel, Query, Row, said
from schoolwatch_server.store.names import (
    INCIDENT_TIMES,
    INCIDENTS,
    INCIDENTS_BY_RULE,
    INCIDENTS_BY_SEVERITY,
    INCIDENTS_NEW,
)

LIST: Final = "/incidents"
OF_COMMUNE: Final = "/incidents?commune=${commune_code:percentencode}"
OF_SCHOOL: Final = "/incidents?school=${school_code:percentencode}"
"""The console's list, narrowed down."""

Where = Mapping[str, str]

_COUNT: Final = UNITS["count"]
_SECONDS: Final = UNITS["s"]


def open_now(where: Where, console: str) -> Panel:
    """How many are open; a place that is judged and has none has a 0."""
    query = Query(INCIDENTS, where, is_over_time=False)
    title, what = said("grafana.incidents.open"), said("grafana.incidents.open_what")
    return Panel(
        "stat", title, what, _COUNT, query, 4, 5, newest=_newest(where), console=console, alarms_from=1
    )


def by_severity(where: Where, console: str) -> Panel:
    """How many were open, the severest apart."""
    title, what = said("grafana.incidents.by_severity"), said("grafana.incidents.by_severity_what")
    query = Query(INCIDENTS_BY_SEVERITY, where, ("severity",))
    return Panel(
        "timeseries", title, what, _COUNT, query, shape="stacked", console=console,
        no_data=said("grafana.incidents.none"),
    )  # fmt: skip


def new_by_day(where: Where, console: str) -> Panel:
    """How many people were told of each day."""
    title, what = said("grafana.incidents.new"), said("grafana.incidents.new_what")
    query = Query(INCIDENTS_NEW, where, function="sum")
    return Panel("timeseries", title, what, _COUNT, query, shape="bars", interval="1d", console=console)


def by_rule(where: Where, console: str) -> Panel:
    """What they are about."""
    title, what = said("grafana.incidents.by_rule"), said("grafana.incidents.by_rule_what")
    query = Query(INCIDENTS_BY_RULE, where, ("rule", TITLE.vi, TITLE.en), named_by=TITLE)
    return Panel(
        "timeseries", title, what, _COUNT, query, 24, 10, console=console,
        no_data=said("grafana.incidents.none"),
    )  # fmt: skip


def worst(where: Where, *by: str, console: str = "") -> Panel:
    """What is open, the most of one kind first."""
    query = Query(
        INCIDENTS_BY_RULE, where, (*by, "rule", TITLE.vi, TITLE.en), is_over_time=False, name="incidents"
    )
    return Panel(
        "table",
        said("grafana.incidents.worst"),
        said("grafana.incidents.by_rule_what"),
        _COUNT,
        query,
        newest=_newest(where),
        sort="incidents",
        is_descending=True,
        console=console,
        no_data=said("grafana.incidents.none"),
    )


def row(where: Where, console: str) -> Row:
    """What a place's own dashboard says of its incidents."""
    panels = (
        open_now(where, console),
        replace(new_by_day(where, f"{console}&state=all"), width=8),
        worst(where, console=console),
    )
    return Row(said("grafana.row.incidents"), panels)


def _time(until: str, where: Where) -> Panel:
    """Mean seconds until they were taken, or over."""
    query = Query(INCIDENT_TIMES, {"until": until, **where}, is_over_time=False)
    title, what = said(f"grafana.mean.{until}"), said(f"grafana.mean.{until}_what")
    return Panel("stat", title, what, _SECONDS, query, 4, 5, newest=FRESH_BELOW)


def _times(where: Where) -> Panel:
    query = Query(INCIDENT_TIMES, where, ("until",))
    title, what = said("grafana.mean.course"), said("grafana.mean.course_what")
    return Panel("timeseries", title, what, _SECONDS, query)


def _places(where: Where, by: str, console: str) -> Panel:
    """Open ones and new ones of each place, the most first."""
    query = Query(INCIDENTS, where, (by,), is_over_time=False, name="incidents")
    return Panel(
        "table",
        said("grafana.incidents.places"),
        said("grafana.incidents.open_what"),
        _COUNT,
        query,
        newest=FRESH_BELOW,
        sort="incidents",
        is_descending=True,
        console=console,
    )


def _new_of(where: Where, by: str) -> Panel:
    query = Query(INCIDENTS_NEW, where, (by,), "sum", is_over_time=False, name="new")
    title, what = said("grafana.incidents.new_of_places"), said("grafana.incidents.new_what")
    return Panel("table", title, what, _COUNT, query, sort="new", is_descending=True)


def _slowest(where: Where, by: str) -> Panel:
    """Mean times of each place, the slowest to act first."""
    queries = [
        Query(INCIDENT_TIMES, {"until": until, **where}, (by,), is_over_time=False, name=until)
        for until in ("acknowledged", "closed")
    ]
    return Panel(
        "table",
        said("grafana.mean.places"),
        said("grafana.mean.course_what"),
        _SECONDS,
        queries[0],
        also=(queries[1],),
        sort="acknowledged",
        is_descending=True,
        newest=FRESH_BELOW,
    )


def _newest(where: Where) -> str:
    return FRESH if where["level"] in ("province", "server") else FRESH_BELOW


DASHBOARD = Dashboard(
    "schoolwatch-incidents",
    said("grafana.dashboard.incidents"),
    (PROVINCE, COMMUNE, COMMUNE_CODE),
    (
        Row(
            said("grafana.row.province"),
            (
                open_now(IN_PROVINCE, LIST),
                _time("acknowledged", IN_PROVINCE),
                _time("closed", IN_PROVINCE),
                by_severity(IN_PROVINCE, LIST),
                new_by_day(IN_PROVINCE, f"{LIST}?state=all"),
                _times(IN_PROVINCE),
                replace(worst(IN_PROVINCE, console=LIST), width=24),
                by_rule(IN_PROVINCE, LIST),
            ),
        ),
        Row(
            said("grafana.row.communes"),
            (
                _places(OF_COMMUNES, "commune_name", LIST),
                _new_of(OF_COMMUNES, "commune_name"),
                _slowest(OF_COMMUNES, "commune_name"),
                worst(OF_COMMUNES, "commune_name", console=LIST),
            ),
        ),
        Row(
            said("grafana.row.in_commune"),
            (
                open_now(IN_COMMUNE, OF_COMMUNE),
                _time("acknowledged", IN_COMMUNE),
                _time("closed", IN_COMMUNE),
                by_severity(IN_COMMUNE, OF_COMMUNE),
                new_by_day(IN_COMMUNE, f"{OF_COMMUNE}&state=all"),
                _times(IN_COMMUNE),
                by_rule(IN_COMMUNE, OF_COMMUNE),
            ),
        ),
        Row(
            said("grafana.row.schools"),
            (
                _places(OF_SCHOOLS, "school_name", OF_COMMUNE),
                worst(OF_SCHOOLS, "school_name", console=OF_COMMUNE),
            ),
        ),
    ),
    up=("schoolwatch-commune", "schoolwatch-province"),
    console=LIST,
)
