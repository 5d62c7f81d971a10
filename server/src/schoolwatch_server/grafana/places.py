"""Variables and panels that several dashboards have."""

from collections.abc import Mapping
from typing import Final

from schoolwatch_contract.catalogue import METRICS
from schoolwatch_server import texts
from schoolwatch_server.grafana.spec import GIVEN, Dashboard, Panel, Query, Row, Variable, Words, said
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import Indicator
from schoolwatch_server.indicators.stored import MEASUREMENT
from schoolwatch_server.store.names import UNPLACED, measurement_of

IN_PROVINCE: Final = {"level": "province", "province": "$province"}
IN_COMMUNE: Final = {"level": "commune", "commune": "$commune"}
OF_COMMUNES: Final = {"level": "commune", "province": "$province"}
IN_SCHOOL: Final = {"level": "school", "school": "$school"}
OF_SCHOOLS: Final = {"level": "school", "commune": "$commune"}
OF_ALL_SCHOOLS: Final = {"level": "school", "province": "$province"}

_HERE: Final = {"school": "$school"}


def _chosen(name: str, measurement: str, where: Mapping[str, str]) -> Variable:
    """A list that shows names and holds ids: places of one name are two."""
    return Variable(name, said(f"grafana.{name}"), measurement, f"{name}_choice", where, is_choice=True)


PROVINCE: Final = _chosen("province", "school_info", {})
COMMUNE: Final = _chosen("commune", "school_info", {"province": "$province"})
SCHOOL: Final = _chosen("school", "school_info", {"commune": "$commune"})
DEVICE: Final = _chosen("device", "device_info", _HERE)


def _code(of: Variable, tag: str) -> Variable:
    return Variable(f"{of.name}_code", of.title, "school_info", tag, {of.name: f"${of.name}"}, is_hidden=True)


PROVINCE_CODE: Final = _code(PROVINCE, "province_code")
COMMUNE_CODE: Final = _code(COMMUNE, "commune_code")
SCHOOL_CODE: Final = _code(SCHOOL, "code")
"""What pages of the console are called by."""

PROVINCE_PAGE: Final = "/provinces/${province_code:percentencode}"
"""Of the console."""


def of_subject(uid: str, title: Words, *rows: Row, also: tuple[Variable, ...] = ()) -> Dashboard:
    """A dashboard of one subject in a province and its communes; `also` are its own variables."""
    up = ("schoolwatch-commune", "schoolwatch-province")
    return Dashboard(
        uid, title, (PROVINCE, COMMUNE, PROVINCE_CODE, *also), rows, up=up, console=PROVINCE_PAGE
    )


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
    "instant": "dateTimeFromNow",
}
"""Grafana's id of each unit."""

FRESH: Final = "2h"
FRESH_BELOW: Final = "26h"
"""How far back what holds now may have been written: of a province each hour, below it each day."""

LOWER_IS_BETTER: Final = frozenset(
    {"students_per_computer_in_lesson", "students_per_computer", "due_for_replacement"}
)
"""As the shipped packs have it."""

_BY_ID: Final = {indicator.id: indicator for indicator in INDICATORS}

INDICATOR: Final = Variable(
    "indicator",
    said("grafana.indicator"),
    choices={
        one.id: said(f"indicator.{one.id}")
        for one in sorted(INDICATORS, key=lambda one: one.id != "telemetry_coverage")
        if one.unit == "ratio" and one.id not in LOWER_IS_BETTER
    },
)
"""Those that are shares, of which more is better: one map and one table can show whichever is chosen."""


def of_group(group: str) -> tuple[str, ...]:
    """The ids of an assessment's indicators of one group."""
    return tuple(indicator.id for indicator in INDICATORS if indicator.group == group)


def over_time(indicator: str, where: Mapping[str, str], by: tuple[str, ...] = ()) -> Panel:
    """An indicator's course at places, one line each."""
    title, description, unit = _said_of(indicator)
    query = Query(MEASUREMENT, {"indicator": indicator, **where}, by)
    return Panel("timeseries", title, description, unit, query)


def now(indicator: str, where: Mapping[str, str]) -> Panel:
    """An indicator's newest value."""
    title, description, unit = _said_of(indicator)
    query = Query(MEASUREMENT, {"indicator": indicator, **where}, is_over_time=False)
    return Panel("stat", title, description, unit, query, 6, 5, newest=_newest(where))


def worst(indicator: str, where: Mapping[str, str], *by: str) -> Panel:
    """An indicator's newest value of each place, those that are worst off first."""
    title, description, unit = _said_of(indicator)
    is_high = indicator in LOWER_IS_BETTER
    here = {"indicator": indicator, **where}
    query = Query(MEASUREMENT, here, by, is_over_time=False, name="value", is_bad=is_high)
    return Panel("table", title, description, unit, query, newest=_newest(where), is_descending=is_high)


def worst_of_chosen(where: Mapping[str, str], *by: str) -> Panel:
    """The same of the indicator that is chosen."""
    query = Query(MEASUREMENT, {"indicator": "$indicator", **where}, by, is_over_time=False, name="value")
    return Panel(
        "table",
        said("grafana.worst_schools"),
        said("grafana.worst_schools_what"),
        UNITS["ratio"],
        query,
        10,
        14,
        newest=_newest(where),
    )


def map_of_chosen(where: Mapping[str, str]) -> Panel:
    """Schools on a map, by the indicator that is chosen; those whose position is not known are not on it."""
    query = Query(
        MEASUREMENT,
        {"indicator": "$indicator", **where, "geohash": GIVEN},
        ("commune_name", "school_name", "geohash"),
        is_over_time=False,
        name="value",
    )
    return Panel(
        "geomap",
        said("grafana.map"),
        said("grafana.map_what"),
        UNITS["ratio"],
        query,
        10,
        14,
        newest=_newest(where),
    )


def unplaced(where: Mapping[str, str]) -> Panel:
    """How many schools are on no map, as nobody told where they are."""
    query = Query(UNPLACED, where, is_over_time=False)
    title, what = said("grafana.unplaced"), said("grafana.unplaced_what")
    return Panel("stat", title, what, UNITS["count"], query, 4, 14, newest=_newest(where))


def coverage(where: Mapping[str, str], by: tuple[str, ...] = ()) -> Panel:
    """Which share of declared computers tells something."""
    return over_time("telemetry_coverage", where, by)


def devices() -> Panel:
    """The computers and gateways of a school, each with the way to its own dashboard."""
    query = Query(
        "device_info", _HERE, ("room", "label", "role", "device"), is_over_time=False, name="devices"
    )
    title, what = said("grafana.devices"), said("grafana.devices_what")
    return Panel("table", title, what, UNITS["count"], query, newest=FRESH, sort="room")


def measured(metric: str, device: str = "device") -> Panel:
    """What one device measured, a line for each of the metric's labels; `device` is the variable with it."""
    known = METRICS[metric]
    meaning = Words(known.vi, known.en)
    query = Query(measurement_of(metric), {"device": f"${device}"}, known.labels, "mean")
    return Panel(
        "timeseries",
        Words(*known.short) if all(known.short) else meaning,
        said("grafana.of_metric", meaning=meaning, metric=Words(metric, metric)),
        "bool_yes_no" if known.unit == "boolean" else UNITS[known.unit],
        query,
    )


def _said_of(indicator: str) -> tuple[Words, Words, str]:
    """Title, description and unit."""
    known: Indicator = _BY_ID[indicator]
    name = said(f"indicator.{indicator}")
    description = said(
        "grafana.of_indicator",
        name=name,
        formula=said(f"file.formula.{indicator}"),
        code=Words(known.code, known.code),
    )
    either = texts.load().either
    vi, en = (either(one, f"grafana.short.{indicator}", name.of(one)) for one in texts.LANGUAGES)
    return Words(vi, en), description, UNITS[known.unit]


def _newest(where: Mapping[str, str]) -> str:
    return FRESH if where["level"] == "province" else FRESH_BELOW
