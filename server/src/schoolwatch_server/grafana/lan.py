"""Panels of a school's network inside: what holds of it now, each link that is listened on, how it went."""

from dataclasses import replace
from typing import Final

from schoolwatch_server.grafana.incidents import OF_SCHOOL as INCIDENTS
from schoolwatch_server.grafana.places import FRESH_BELOW, IN_SCHOOL, UNITS
from schoolwatch_server.grafana.spec import Panel, Query, Row, said
from schoolwatch_server.store.names import LAN, LAN_LINKS, LAN_SEGMENT

_COUNT: Final = UNITS["count"]


def _part(what: str, label: str, field: str = "value") -> Query:
    return Query(
        LAN, {"what": what, **IN_SCHOOL}, field=field, is_over_time=False, label=said(f"grafana.lan.{label}")
    )


def _now(what: str, *queries: Query, width: int = 4, console: str = "") -> Panel:
    return Panel(
        "stat",
        said(f"grafana.lan.{what}"),
        said(f"grafana.lan.{what}_what"),
        _COUNT,
        queries[0],
        width,
        6,
        also=queries[1:],
        newest=FRESH_BELOW,
        console=console,
        no_data=said(f"grafana.lan.{what}_none"),
    )


def _of_all(what: str) -> Panel:
    """How many, and of how many."""
    return _now(what, _part(what, f"{what}_part"), _part(what, f"{what}_all", "denominator"))


_HEARD: Final = Query(
    LAN_SEGMENT,
    {"what": "heard", **IN_SCHOOL},
    ("segment",),
    field="denominator",
    is_over_time=False,
    name="watched",
    unit=UNITS["boolean"],
)
_MACHINES: Final = replace(_HEARD, where={"what": "machines", **IN_SCHOOL}, unit="")

_SEGMENTS: Final = Panel(
    "table",
    said("grafana.lan.by_segment"),
    said("grafana.lan.by_segment_what"),
    _COUNT,
    _HEARD,
    24,
    also=(
        replace(_HEARD, field="value", name="stations", unit=""),
        replace(_HEARD, field="numerator", name="new_stations", unit=""),
        replace(_MACHINES, field="numerator", name="dhcp_servers"),
        replace(_MACHINES, field="denominator", name="dhcp6_servers"),
        replace(_MACHINES, field="value", name="routers"),
    ),
    newest=FRESH_BELOW,
    sort="segment",
    console="/schools/${school_code:percentencode}",
    no_data=said("grafana.lan.segments_none"),
)

_LINKS: Final = Panel(
    "timeseries",
    said("grafana.lan.links"),
    said("grafana.lan.links_what"),
    _COUNT,
    Query(LAN_LINKS, IN_SCHOOL, ("speed",)),
    shape="stacked",
    no_data=said("grafana.lan.links_none"),
)

_STATIONS: Final = Panel(
    "timeseries",
    said("grafana.lan.stations"),
    said("grafana.lan.stations_what"),
    _COUNT,
    Query(LAN_SEGMENT, {"what": "heard", **IN_SCHOOL}, ("segment",)),
    no_data=said("grafana.lan.segments_none"),
)

_FAULTS: Final = ("half_duplex", "slow_link", "link_errors")

OF_SCHOOL: Final = Row(
    said("grafana.row.lan"),
    (
        _of_all("gateways"),
        _of_all("segments"),
        _now("strange", _part("strange", "strange_part"), console=INCIDENTS),
        _of_all("ipv6"),
        _now("faults", *(_part(one, one) for one in _FAULTS), width=8, console=INCIDENTS),
        _SEGMENTS,
        _LINKS,
        _STATIONS,
    ),
)
