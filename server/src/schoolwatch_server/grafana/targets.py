"""Panels of targets: what is asked by when, beside what is reached."""

from collections.abc import Mapping
from dataclasses import replace

from schoolwatch_server.grafana.places import FRESH, FRESH_BELOW, UNITS, over_time
from schoolwatch_server.grafana.spec import Panel, Query, said
from schoolwatch_server.store.names import TARGET, TARGET_NUMBER, TARGET_SHARE

_BY = ("indicator", "item", "deadline", "better", "confidence", "source")


def with_target(indicator: str, where: Mapping[str, str]) -> Panel:
    """An indicator's course, with what is asked of it as dashed lines, one a deadline."""
    panel = over_time(indicator, where)
    asked = Query(
        TARGET,
        {"indicator": indicator, **where},
        ("deadline",),
        field="numerator",
        label=said("grafana.target"),
    )
    return replace(panel, query=replace(panel.query, label=panel.title), also=(asked,), dashed=True)


def against_deadlines(where: Mapping[str, str]) -> tuple[Panel, ...]:
    """All targets of a place in a table, the first deadline first: shares, then other numbers."""
    return tuple(_table(kind, where) for kind in (TARGET_SHARE, TARGET_NUMBER))


def _table(kind: str, where: Mapping[str, str]) -> Panel:
    here = {"kind": kind, **where}
    goal = Query(TARGET, here, _BY, field="numerator", is_over_time=False, name="goal", is_plain=True)
    return Panel(
        "table",
        said(f"grafana.targets.{kind}"),
        said("grafana.targets_what"),
        UNITS["ratio" if kind == TARGET_SHARE else "count"],
        goal,
        24,
        12 if kind == TARGET_SHARE else 8,
        also=(replace(goal, field="value", name="now"),),
        newest=FRESH if where["level"] == "province" else FRESH_BELOW,
        sort="deadline",
    )
