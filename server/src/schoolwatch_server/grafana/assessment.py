"""Progress of the assessment: what schools declare and who has accepted it, and where levels stand."""

from schoolwatch_server.grafana import claims
from schoolwatch_server.grafana.places import (
    IN_PROVINCE,
    OF_COMMUNES,
    OF_SCHOOLS,
    of_group,
    of_subject,
    worst,
)
from schoolwatch_server.grafana.spec import Row, said
from schoolwatch_server.grafana.targets import with_target

_OF = of_group("assessment")

DASHBOARD = of_subject(
    "schoolwatch-assessment",
    said("grafana.dashboard.assessment"),
    Row(
        said("grafana.row.province"),
        (claims.accepted(IN_PROVINCE, "/claims"), claims.by_state(IN_PROVINCE)),
    ),
    Row(said("grafana.row.claims"), claims.by_subject(IN_PROVINCE)),
    Row(said("grafana.row.communes"), (claims.worst(OF_COMMUNES, "commune_name"),)),
    Row(said("grafana.row.schools"), (claims.worst(OF_SCHOOLS, "school_name"),)),
    Row(said("grafana.row.assessment"), tuple(with_target(one, IN_PROVINCE) for one in _OF)),
    Row(
        said("grafana.row.of_communes", group=said("grafana.row.assessment")),
        tuple(worst(one, OF_COMMUNES, "commune_name") for one in _OF),
    ),
    Row(
        said("grafana.row.of_schools", group=said("grafana.row.assessment")),
        tuple(worst(one, OF_SCHOOLS, "school_name") for one in _OF),
    ),
)
