"""A commune: where it stands, and which of its schools are behind."""

from schoolwatch_server.grafana import incidents, providers
from schoolwatch_server.grafana.places import (
    COMMUNE,
    COMMUNE_CODE,
    IN_COMMUNE,
    OF_SCHOOLS,
    PROVINCE,
    coverage,
    now,
    of_group,
    worst,
)
from schoolwatch_server.grafana.spec import Dashboard, Row, said
from schoolwatch_server.grafana.targets import against_deadlines

_GROUPS = ("assessment", "network", "security", "devices")

DASHBOARD = Dashboard(
    "schoolwatch-commune",
    said("grafana.dashboard.commune"),
    (PROVINCE, COMMUNE, COMMUNE_CODE),
    (
        Row(
            said("grafana.row.coverage"),
            (coverage(IN_COMMUNE, ("commune_name",)), worst("telemetry_coverage", OF_SCHOOLS, "school_name")),
        ),
        Row(said("grafana.row.targets"), against_deadlines(IN_COMMUNE)),
        incidents.row(IN_COMMUNE, incidents.OF_COMMUNE),
        *(
            Row(said(f"grafana.row.{group}"), tuple(now(one, IN_COMMUNE) for one in of_group(group)))
            for group in _GROUPS
        ),
        providers.IN_CHOSEN_COMMUNE,
        *(
            Row(
                said("grafana.row.of_schools", group=said(f"grafana.row.{group}")),
                tuple(worst(one, OF_SCHOOLS, "school_name") for one in of_group(group)),
            )
            for group in _GROUPS
        ),
    ),
    up=("schoolwatch-province",),
    console="/communes/${commune_code:percentencode}",
)
