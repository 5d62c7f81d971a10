"""SchoolWatch itself: what comes in, how far behind it is, what waits, and how far the rollout has come."""

from dataclasses import replace
from typing import Final

from schoolwatch_server.grafana import incidents
from schoolwatch_server.grafana.places import FRESH_BELOW, IN_PROVINCE, OF_COMMUNES, PROVINCE, UNITS
from schoolwatch_server.grafana.spec import Dashboard, Panel, Query, Row, Shape, said
from schoolwatch_server.store.names import ROLLOUT, SERVER

_HERE: Final = {"level": "server"}
_STATES: Final = ("dropped", "at_risk", "never", "live")


def _of(what: str, unit: str, *by: str, shape: Shape = "lines") -> Panel:
    query = Query(SERVER, {"what": what}, by, "mean" if what == "intake" else "last")
    title, description = said(f"grafana.server.{what}"), said(f"grafana.server.{what}_what")
    return Panel("timeseries", title, description, UNITS[unit], query, shape=shape)


def _now(state: str) -> Panel:
    query = Query(ROLLOUT, {"state": state, **IN_PROVINCE}, is_over_time=False)
    title, what = said(f"grafana.rollout.{state}"), said(f"grafana.rollout.{state}_what")
    return Panel("stat", title, what, UNITS["count"], query, 6, 5, newest=FRESH_BELOW)


def _whole() -> Panel:
    query = Query(SERVER, {"what": "whole"}, is_over_time=False)
    return Panel(
        "stat",
        said("grafana.server.whole"),
        said("grafana.server.whole_what"),
        UNITS["instant"],
        query,
        newest="1h",
        no_data=said("grafana.server.whole_none"),
    )


def _communes() -> Panel:
    first, *others = (
        Query(ROLLOUT, {"state": one, **OF_COMMUNES}, ("commune_name",), is_over_time=False, name=one)
        for one in _STATES
    )
    return Panel(
        "table",
        said("grafana.rollout.communes"),
        said("grafana.rollout.what"),
        UNITS["count"],
        first,
        24,
        also=tuple(others),
        newest=FRESH_BELOW,
        sort="dropped",
        is_descending=True,
    )


DASHBOARD = Dashboard(
    "schoolwatch-server",
    said("grafana.dashboard.server"),
    (PROVINCE,),
    (
        Row(
            said("grafana.row.intake"),
            (
                _of("intake", "count"),
                _of("spool", "s", "part"),
                _of("lag", "s", "part"),
                _of("behind", "count", "part"),
            ),
        ),
        Row(
            said("grafana.row.waiting"),
            (
                _of("quarantine", "count"),
                _of("undelivered", "count"),
                _of("database", "B"),
                _whole(),
                replace(incidents.by_severity(_HERE, incidents.LIST), width=24),
                incidents.by_rule(_HERE, incidents.LIST),
            ),
        ),
        Row(
            said("grafana.row.rollout"),
            (
                *(_now(state) for state in reversed(_STATES)),
                Panel(
                    "timeseries",
                    said("grafana.rollout.course"),
                    said("grafana.rollout.what"),
                    UNITS["count"],
                    Query(ROLLOUT, IN_PROVINCE, ("state",)),
                    shape="stacked",
                ),
                _of("version", "count", "part", shape="stacked"),
                _communes(),
            ),
        ),
    ),
    days=7,
    up=("schoolwatch-province",),
    console="/system",
    marks="server",
)
