"""Panels of one school's lines: each by its contract, beside what was measured."""

from dataclasses import replace
from typing import Final

from schoolwatch_server.grafana.places import FRESH_BELOW, IN_SCHOOL, UNITS
from schoolwatch_server.grafana.spec import Panel, Query, Row, said
from schoolwatch_server.store.names import LINE, LINE_TEST

_SPEED: Final = UNITS["Mbit/s"]
_DOWN: Final = {"way": "download", **IN_SCHOOL}
_UP: Final = {"way": "upload", **IN_SCHOOL}
_LISTS: Final = "/schools/${school_code:percentencode}/lists"


def _contracts() -> Panel:
    by = ("isp", "subscriber", "technology")
    paid = Query(LINE, _DOWN, by, field="denominator", is_over_time=False, name="paid_download")
    seen = replace(paid, field="numerator", name="measured_download")
    share = replace(paid, field="value", name="share_download", unit=UNITS["ratio"])
    return Panel(
        "table",
        said("grafana.line.contracts"),
        said("grafana.line.contracts_what"),
        _SPEED,
        paid,
        16,
        8,
        also=(
            seen,
            share,
            replace(paid, where=_UP, name="paid_upload"),
            replace(seen, where=_UP, name="measured_upload"),
            replace(share, where=_UP, name="share_upload"),
        ),
        newest=FRESH_BELOW,
        sort="paid_download",
        is_descending=True,
        console=_LISTS,
        no_data=said("grafana.line.none"),
    )


def _newest() -> Panel:
    speed = Query(LINE_TEST, IN_SCHOOL, ("way",), is_over_time=False, name="newest")
    return Panel(
        "table",
        said("grafana.line.newest"),
        said("grafana.line.newest_what"),
        _SPEED,
        speed,
        8,
        8,
        also=(
            replace(speed, field="numerator", name="taken", unit=UNITS["instant"]),
            replace(speed, field="denominator", name="tests", unit=UNITS["count"]),
        ),
        newest=FRESH_BELOW,
        sort="newest",
        no_data=said("grafana.line.untested"),
    )


def _course() -> Panel:
    paid = Query(LINE, IN_SCHOOL, ("way",), "max", field="denominator", label=said("grafana.line.paid"))
    tested = Query(LINE_TEST, IN_SCHOOL, ("way",), label=said("grafana.line.measured"))
    return Panel(
        "timeseries",
        said("grafana.line.course"),
        said("grafana.line.course_what"),
        _SPEED,
        tested,
        24,
        also=(paid,),
        dashed=True,
        no_data=said("grafana.line.untested"),
    )


OF_SCHOOL: Final = Row(said("grafana.row.lines"), (_contracts(), _newest(), _course()))
