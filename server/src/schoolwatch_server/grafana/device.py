"""A computer or gateway: everything that it measures and that may be shown of one computer."""

from schoolwatch_contract.catalogue import SUBJECTS, shown_alone
from schoolwatch_server.grafana.places import COMMUNE, DEVICE, PROVINCE, SCHOOL, measured
from schoolwatch_server.grafana.spec import Dashboard, Row, Words, said

_ROWS = (
    Row(
        Words(*subject.name),
        tuple(measured(metric.name) for metric in subject.metrics if shown_alone(metric.name)),
    )
    for subject in SUBJECTS
)

DASHBOARD = Dashboard(
    "schoolwatch-device",
    said("grafana.dashboard.device"),
    (PROVINCE, COMMUNE, SCHOOL, DEVICE),
    tuple(row for row in _ROWS if row.panels),
    days=2,
    up=("schoolwatch-school", "schoolwatch-commune", "schoolwatch-province"),
    console="/devices/${device:percentencode}",
)
