"""Computers by the verdict of each safeguard, as panels: nobody who is unknown counts as protected."""

from collections.abc import Mapping
from typing import Final

from schoolwatch_server.grafana.places import FRESH_BELOW, UNITS
from schoolwatch_server.grafana.spec import Panel, Query, said
from schoolwatch_server.store.names import POSTURE

KINDS: Final = ("antivirus", "firewall", "updates", "system")


def over_time(where: Mapping[str, str]) -> tuple[Panel, ...]:
    """Of each kind all computers in use, by verdict."""
    return tuple(
        Panel(
            "timeseries",
            said(f"grafana.posture.{kind}"),
            said(f"grafana.posture.{kind}_what"),
            UNITS["count"],
            Query(POSTURE, {"kind": kind, **where}, ("verdict",)),
            shape="stacked",
        )
        for kind in KINDS
    )


def worst(where: Mapping[str, str], by: str) -> tuple[Panel, ...]:
    """Of each kind the places, those with the most computers in a bad verdict first."""
    return tuple(_table(kind, where, by) for kind in KINDS)


def _table(kind: str, where: Mapping[str, str], by: str) -> Panel:
    verdicts = ("bad", "old", "unknown", "good") if kind == "antivirus" else ("bad", "unknown", "good")
    first, *others = (
        Query(POSTURE, {"kind": kind, "verdict": one, **where}, (by,), is_over_time=False, name=one)
        for one in verdicts
    )
    return Panel(
        "table",
        said(f"grafana.posture.{kind}"),
        said(f"grafana.posture.{kind}_what"),
        UNITS["count"],
        first,
        also=tuple(others),
        newest=FRESH_BELOW,
        sort="bad",
        is_descending=True,
    )
