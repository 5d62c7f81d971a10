"""The transition to IPv6: how far places are, and which rung of the ladder computers fail on."""

from schoolwatch_server.grafana.places import (
    IN_PROVINCE,
    OF_COMMUNES,
    OF_SCHOOLS,
    of_subject,
    over_time,
    worst,
)
from schoolwatch_server.grafana.spec import Panel, Query, Row, said
from schoolwatch_server.indicators.stored import PARTS

_OF = ("ipv6_transition", "ipv6_ladder", "website")

_RUNGS = Panel(
    "timeseries",
    said("grafana.rungs"),
    said("grafana.rungs_what"),
    "short",
    Query(PARTS, {"indicator": "ipv6_ladder", **IN_PROVINCE}, ("part",)),
    width=24,
)

DASHBOARD = of_subject(
    "schoolwatch-ipv6",
    said("grafana.dashboard.ipv6"),
    Row(said("grafana.row.province"), (_RUNGS, *(over_time(one, IN_PROVINCE) for one in _OF))),
    Row(said("grafana.row.communes"), tuple(worst(one, OF_COMMUNES, "commune_name") for one in _OF)),
    Row(said("grafana.row.schools"), tuple(worst(one, OF_SCHOOLS, "school_name") for one in _OF)),
)
