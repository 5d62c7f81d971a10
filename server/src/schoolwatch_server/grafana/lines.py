"""Lines: what contracts promise, what tests measured, by provider, and where lessons online have enough."""

from schoolwatch_server.grafana import providers
from schoolwatch_server.grafana.places import (
    OF_COMMUNES,
    OF_SCHOOLS,
    of_subject,
    over_time,
    worst,
)
from schoolwatch_server.grafana.spec import Row, said

_OF = (
    "line_of_contract",
    "bandwidth_per_student",
    "bandwidth_standard",
    "online_teaching",
    "fibre",
    "several_providers",
)

DASHBOARD = of_subject(
    "schoolwatch-lines",
    said("grafana.dashboard.lines"),
    providers.IN_ALL,
    providers.OF_CHOSEN,
    Row(said("grafana.row.communes"), tuple(over_time(one, OF_COMMUNES, ("commune_name",)) for one in _OF)),
    Row(said("grafana.row.schools"), tuple(worst(one, OF_SCHOOLS, "school_name") for one in _OF)),
    also=(providers.CHOSEN,),
)
