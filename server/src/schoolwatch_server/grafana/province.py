"""The province: where it stands, and which communes are behind."""

from schoolwatch_server.grafana.places import (
    IN_PROVINCE,
    INDICATOR,
    OF_ALL_SCHOOLS,
    OF_COMMUNES,
    PROVINCE,
    PROVINCE_CODE,
    PROVINCE_PAGE,
    coverage,
    map_of_chosen,
    now,
    of_group,
    unplaced,
    worst,
    worst_of_chosen,
)
from schoolwatch_server.grafana.spec import Dashboard, Row, said
from schoolwatch_server.grafana.targets import against_deadlines, with_target

_GROUPS = ("assessment", "network", "security", "devices")

DASHBOARD = Dashboard(
    "schoolwatch-province",
    said("grafana.dashboard.province"),
    (PROVINCE, INDICATOR, PROVINCE_CODE),
    (
        Row(
            said("grafana.row.coverage"),
            (coverage(IN_PROVINCE), worst("telemetry_coverage", OF_COMMUNES, "commune_name")),
        ),
        Row(said("grafana.row.targets"), against_deadlines(IN_PROVINCE)),
        Row(
            said("grafana.row.schools"),
            (
                map_of_chosen(OF_ALL_SCHOOLS),
                unplaced(IN_PROVINCE),
                worst_of_chosen(OF_ALL_SCHOOLS, "commune_name", "school_name"),
            ),
        ),
        *(
            Row(said(f"grafana.row.{group}"), tuple(now(one, IN_PROVINCE) for one in of_group(group)))
            for group in _GROUPS
        ),
        *(
            Row(
                said("grafana.row.course", group=said(f"grafana.row.{group}")),
                tuple(with_target(one, IN_PROVINCE) for one in of_group(group)),
            )
            for group in _GROUPS
        ),
        *(
            Row(
                said("grafana.row.of_communes", group=said(f"grafana.row.{group}")),
                tuple(worst(one, OF_COMMUNES, "commune_name") for one in of_group(group)),
            )
            for group in _GROUPS
        ),
    ),
    console=PROVINCE_PAGE,
)
