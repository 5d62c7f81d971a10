"""Security: how computers are protected, and where they are not."""

from schoolwatch_server.grafana import posture
from schoolwatch_server.grafana.places import (
    COMMUNE,
    IN_PROVINCE,
    OF_COMMUNES,
    OF_SCHOOLS,
    PROVINCE,
    PROVINCE_CODE,
    of_group,
    over_time,
    worst,
)
from schoolwatch_server.grafana.spec import Dashboard, Row, said

_OF = of_group("security")

DASHBOARD = Dashboard(
    "schoolwatch-security",
    said("grafana.dashboard.security"),
    (PROVINCE, COMMUNE, PROVINCE_CODE),
    (
        Row(said("grafana.row.posture"), posture.over_time(IN_PROVINCE)),
        Row(said("grafana.row.province"), tuple(over_time(one, IN_PROVINCE) for one in _OF)),
        Row(said("grafana.row.posture_communes"), posture.worst(OF_COMMUNES, "commune_name")),
        Row(said("grafana.row.posture_schools"), posture.worst(OF_SCHOOLS, "school_name")),
        Row(said("grafana.row.communes"), tuple(worst(one, OF_COMMUNES, "commune_name") for one in _OF)),
        Row(said("grafana.row.schools"), tuple(worst(one, OF_SCHOOLS, "school_name") for one in _OF)),
    ),
    up=("schoolwatch-commune", "schoolwatch-province"),
    console="/provinces/${province_code:percentencode}",
)
