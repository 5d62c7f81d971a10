"""Panels of lines by provider: who fails its contracts most, how that goes, and where."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from schoolwatch_server.grafana.places import (
    FRESH,
    FRESH_BELOW,
    IN_COMMUNE,
    IN_PROVINCE,
    OF_COMMUNES,
    OF_SCHOOLS,
    UNITS,
)
from schoolwatch_server.grafana.spec import Panel, Query, Row, Shape, Variable, said
from schoolwatch_server.store.names import ISP, LINE

_RATIO, _COUNT, _SPEED = UNITS["ratio"], UNITS["count"], UNITS["Mbit/s"]

CHOSEN: Final = Variable("isp", said("grafana.isp"), ISP, "isp", {"province": "$province"})

_UNITS: Final = {
    "lines": _COUNT,
    "schools": _COUNT,
    "down": _COUNT,
    "hours_down": UNITS["hours/day"],
    "below": _RATIO,
    "tests_below": _RATIO,
    "share": _RATIO,
    "share_p10": _RATIO,
    "download": _SPEED,
    "download_p10": _SPEED,
    "upload": _SPEED,
    "upload_p10": _SPEED,
    "latency": UNITS["s"],
    "loss": _RATIO,
    "ipv6": _RATIO,
}
"""By `what` of the series, with Grafana's id of its unit."""

_BAD: Final = frozenset({"below", "tests_below", "loss"})

_CONTRACTS: Final = ("below", "tests_below", "share", "share_p10", "down", "hours_down", "lines", "schools")
_SPEEDS: Final = ("download", "download_p10", "upload", "upload_p10", "latency", "loss", "ipv6")


def _column(what: str, where: Mapping[str, str], by: str) -> Query:
    return Query(
        ISP, {"what": what, **where}, (by,), is_over_time=False, name=what,
        unit=_UNITS[what], is_bad=what in _BAD,
    )  # fmt: skip


def _table(title: str, columns: tuple[str, ...], where: Mapping[str, str], by: str) -> Panel:
    first, *others = (_column(what, where, by) for what in columns)
    return Panel(
        "table",
        said(f"grafana.by_isp.{title}"),
        said(f"grafana.by_isp.{title}_what"),
        _UNITS[columns[0]],
        first,
        24,
        newest=FRESH if where["level"] == "province" else FRESH_BELOW,
        also=tuple(others),
        sort=columns[0],
        is_descending=columns[0] in _BAD,
        no_data=said("grafana.by_isp.none"),
    )


def _course(what: str, shape: Shape = "lines") -> Panel:
    return Panel(
        "timeseries",
        said(f"grafana.by_isp.{what}_course"),
        said(f"grafana.by_isp.{what}_course_what"),
        _UNITS[what],
        Query(ISP, {"what": what, **IN_PROVINCE}, ("isp",)),
        8,
        shape=shape,
        no_data=said("grafana.by_isp.none"),
    )


def _schools() -> Panel:
    """Tested schools of the chosen commune and provider, those that get the least of their contract first.

    What a contract says is no column: with it those that were not tested would stand above all others.
    """
    where = {"isp": "$isp", **OF_SCHOOLS}
    by = ("school_name", "subscriber")
    share = Query(LINE, {"way": "download", **where}, by, is_over_time=False, name="share_download")
    seen = replace(share, field="numerator", name="measured_download", unit=_SPEED)
    up = {"way": "upload", **where}
    return Panel(
        "table",
        said("grafana.by_isp.schools"),
        said("grafana.by_isp.schools_what"),
        _RATIO,
        share,
        24,
        12,
        also=(
            seen,
            replace(share, where=up, name="share_upload"),
            replace(seen, where=up, name="measured_upload"),
        ),
        newest=FRESH_BELOW,
        sort="share_download",
        no_data=said("grafana.by_isp.none"),
    )


IN_ALL: Final = Row(
    said("grafana.row.isps"),
    (
        _table("contracts", _CONTRACTS, IN_PROVINCE, "isp"),
        _table("speeds", _SPEEDS, IN_PROVINCE, "isp"),
        _course("below"),
        _course("share"),
        _course("down", "stacked"),
    ),
)

IN_CHOSEN_COMMUNE: Final = Row(
    said("grafana.row.isps"),
    (
        _table("contracts", _CONTRACTS, IN_COMMUNE, "isp"),
        _table("speeds", _SPEEDS, IN_COMMUNE, "isp"),
    ),
)

OF_CHOSEN: Final = Row(
    said("grafana.row.isp"),
    (_table("communes", _CONTRACTS, {"isp": "$isp", **OF_COMMUNES}, "commune_name"), _schools()),
)
