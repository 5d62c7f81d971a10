"""Variables and panels that several dashboards have."""

from typing import Final

from schoolwatch_contract.catalogue import METRICS
from schoolwatch_server.grafana.spec import Panel, Query, Variable, Words, said
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import Indicator
from schoolwatch_server.indicators.stored import MEASUREMENT
from schoolwatch_server.store.names import measurement_of

PROVINCE: Final = Variable("province", said("grafana.province"), "school_info", "province_name")
COMMUNE: Final = Variable(
    "commune", said("grafana.commune"), "school_info", "commune_name", {"province_name": "$province"}
)
SCHOOL: Final = Variable(
    "school",
    said("grafana.school"),
    "school_info",
    "school_name",
    {"commune_name": "$commune"},
)
DEVICE: Final = Variable(
    "device", said("grafana.device"), "device_info", "device", {"school_name": "$school"}
)

IN_PROVINCE: Final = {"level": "province", "province_name": "$province"}
IN_COMMUNE: Final = {"level": "commune", "commune_name": "$commune"}
OF_COMMUNES: Final = {"level": "commune", "province_name": "$province"}
IN_SCHOOL: Final = {"level": "school", "commune_name": "$commune", "school_name": "$school"}
OF_SCHOOLS: Final = {"level": "school", "commune_name": "$commune"}

UNITS: Final = {
    "ratio": "percentunit",
    "boolean": "bool_yes_no",
    "count": "short",
    "level": "short",
    "step": "short",
    "Mbit/s": "Mbits",
    "kbit/s/student": "Kbits",
    "students/computer": "short",
    "hours/day": "h",
    "s": "s",
    "B": "bytes",
    "bit/s": "bps",
    "load": "short",
    "Hz": "hertz",
    "dBm": "dBm",
}
"""Grafana's id of each unit."""

_BY_ID: Final = {indicator.id: indicator for indicator in INDICATORS}


def of_group(group: str) -> tuple[str, ...]:
    """The ids of an assessment's indicators of one group."""
    return tuple(indicator.id for indicator in INDICATORS if indicator.group == group)


def over_time(indicator: str, where: dict[str, str], by: tuple[str, ...] = ()) -> Panel:
    """An indicator's course at places, one line each."""
    return _panel("timeseries", indicator, Query(MEASUREMENT, {"indicator": indicator, **where}, by))


def now(indicator: str, where: dict[str, str]) -> Panel:
    """An indicator's newest value."""
    query = Query(MEASUREMENT, {"indicator": indicator, **where}, is_over_time=False)
    panel = _panel("stat", indicator, query)
    return Panel(panel.kind, panel.title, panel.description, panel.unit, panel.query, width=4, height=5)


def worst(indicator: str, where: dict[str, str], by: str) -> Panel:
    """An indicator's newest value of each place, to be sorted."""
    query = Query(MEASUREMENT, {"indicator": indicator, **where}, (by,), is_over_time=False)
    return _panel("bargauge", indicator, query)


def coverage(where: dict[str, str], by: tuple[str, ...] = ()) -> Panel:
    """Which share of declared computers tells something."""
    return over_time("telemetry_coverage", where, by)


def _panel(kind: str, indicator: str, query: Query) -> Panel:
    known: Indicator = _BY_ID[indicator]
    return Panel(
        kind,  # type: ignore[arg-type]
        said(f"indicator.{indicator}"),
        said(
            "grafana.of_indicator",
            formula=said(f"file.formula.{indicator}"),
            code=Words(known.code, known.code),
        ),
        UNITS[known.unit],
        query,
    )


def measured(metric: str) -> Panel:
    """What one device measured, a line for each of the metric's labels."""
    known = METRICS[metric]
    query = Query(measurement_of(metric), {"device": "$device"}, known.labels, "mean")
    return Panel(
        "timeseries",
        Words(known.vi, known.en),
        said("grafana.of_metric", metric=Words(metric, metric)),
        "bool_yes_no" if known.unit == "boolean" else UNITS[known.unit],
        query,
    )
