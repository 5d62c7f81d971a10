"""Panels of what schools declare: how much of it is accepted, and how far the rest has come."""

from collections.abc import Mapping
from typing import Final, get_args

from schoolwatch_server.claims.questions import Subject
from schoolwatch_server.grafana.places import FRESH, FRESH_BELOW, UNITS
from schoolwatch_server.grafana.spec import Panel, Query, said
from schoolwatch_server.store.names import CLAIMS, CLAIMS_BY_STATE

Where = Mapping[str, str]

_ALL: Final = {"subject": "all"}
_SHARE: Final = UNITS["ratio"]


def accepted(where: Where, console: str = "") -> Panel:
    """The share of what is asked that is declared and accepted, now."""
    query = Query(CLAIMS, {**_ALL, **where}, is_over_time=False)
    title, what = said("grafana.claims.accepted"), said("grafana.claims.accepted_what")
    newest = FRESH if where["level"] == "province" else FRESH_BELOW
    return Panel("stat", title, what, _SHARE, query, 4, 8, newest=newest, console=console)


def by_state(where: Where) -> Panel:
    """All that is asked, by how far its newest answer has come."""
    query = Query(CLAIMS_BY_STATE, where, ("state",))
    title, what = said("grafana.claims.by_state"), said("grafana.claims.by_state_what")
    return Panel("timeseries", title, what, UNITS["count"], query, 20, shape="stacked")


def by_subject(where: Where) -> tuple[Panel, ...]:
    """The course of the share of each subject."""
    return tuple(
        Panel(
            "timeseries",
            said(f"claim_subject.{subject}"),
            said("grafana.claims.accepted_what"),
            _SHARE,
            Query(CLAIMS, {"subject": subject, **where}),
        )
        for subject in get_args(Subject)
    )


def worst(where: Where, *by: str) -> Panel:
    """The places with the smallest share first."""
    query = Query(CLAIMS, {**_ALL, **where}, by, is_over_time=False, name="value")
    title, what = said("grafana.claims.accepted"), said("grafana.claims.accepted_what")
    return Panel("table", title, what, _SHARE, query, 24, 12, newest=FRESH_BELOW)
