"""Security: how computers are protected, and where they are not."""

from schoolwatch_server.grafana import posture
from schoolwatch_server.grafana.places import (
    IN_PROVINCE,
    OF_COMMUNES,
    OF_SCHOOLS,
    of_group,
    of_subject,
    over_time,
    worst,
)
from schoolwatch_server.grafana.spec import Row, said

_OF = of_group("security")

DASHBOARD = of_subject(
    "schoolwatch-security",
    said("grafana.dashboard.security"),
    Row(said("grafana.row.posture"), posture.over_time(IN_PROVINCE)),
    Row(said("grafana.row.province"), tuple(over_time(one, IN_PROVINCE) for one in _OF)),
    Row(said("grafana.row.posture_communes"), posture.worst(OF_COMMUNES, "commune_name")),
    Row(said("grafana.row.posture_schools"), posture.worst(OF_SCHOOLS, "school_name")),
    Row(said("grafana.row.communes"), tuple(worst(one, OF_COMMUNES, "commune_name") for one in _OF)),
    Row(said("grafana.row.schools"), tuple(worst(one, OF_SCHOOLS, "school_name") for one in _OF)),
)
