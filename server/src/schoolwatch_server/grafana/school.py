"""A school: incidents, lines, its network inside, and each indicator, now and over time."""

from schoolwatch_server.grafana import claims, incidents, lan, line, posture
from schoolwatch_server.grafana.places import (
    COMMUNE,
    IN_SCHOOL,
    PROVINCE,
    SCHOOL,
    SCHOOL_CODE,
    coverage,
    devices,
    now,
    of_group,
    over_time,
)
from schoolwatch_server.grafana.spec import Dashboard, Row, said

_GROUPS = ("assessment", "network", "security", "devices")
"""What says more of the network stands behind the second."""


def _now(group: str) -> Row:
    return Row(said(f"grafana.row.{group}"), tuple(now(one, IN_SCHOOL) for one in of_group(group)))


DASHBOARD = Dashboard(
    "schoolwatch-school",
    said("grafana.dashboard.school"),
    (PROVINCE, COMMUNE, SCHOOL, SCHOOL_CODE),
    (
        Row(said("grafana.row.coverage"), (coverage(IN_SCHOOL), devices())),
        Row(
            said("grafana.row.claims"),
            (
                claims.accepted(IN_SCHOOL, "/schools/${school_code:percentencode}/claims"),
                claims.by_state(IN_SCHOOL),
            ),
        ),
        incidents.row(IN_SCHOOL, incidents.OF_SCHOOL),
        *(_now(group) for group in _GROUPS[:2]),
        line.OF_SCHOOL,
        lan.OF_SCHOOL,
        *(_now(group) for group in _GROUPS[2:]),
        *(
            Row(
                said("grafana.row.course", group=said(f"grafana.row.{group}")),
                tuple(over_time(one, IN_SCHOOL) for one in of_group(group)),
            )
            for group in _GROUPS
        ),
        Row(said("grafana.row.posture"), posture.over_time(IN_SCHOOL)),
    ),
    up=("schoolwatch-commune", "schoolwatch-province", "schoolwatch-gateway"),
    console="/schools/${school_code:percentencode}",
)
