"""A gateway and the school's network: what it sees on the wire, the line that it tests, its own links."""

from dataclasses import replace
from typing import Final

from schoolwatch_contract.catalogue import SUBJECTS, shown_alone
from schoolwatch_server.database.roles import GATEWAY
from schoolwatch_server.grafana.places import (
    COMMUNE,
    DEVICE,
    IN_SCHOOL,
    PROVINCE,
    SCHOOL,
    measured,
    now,
    of_group,
)
from schoolwatch_server.grafana.spec import Dashboard, Row, Words, said

_PROBES: Final = (
    "sensors",
    "bandwidth",
    "bandwidth_ledger",
    "quality",
    "links",
    "wifi",
    "addresses",
    "resolvers",
    "",
)
"""What says something of a network or of a gateway's own service, in the order in which one looks; "" is the
agent itself."""

_SUBJECTS: Final = {subject.probe: subject for subject in SUBJECTS}

_ROWS = (
    Row(
        Words(*_SUBJECTS[probe].name),
        tuple(
            measured(metric.name, GATEWAY) for metric in _SUBJECTS[probe].metrics if shown_alone(metric.name)
        ),
    )
    for probe in _PROBES
)

_CHOSEN: Final = replace(
    DEVICE, name=GATEWAY, title=said("role.gateway"), where={**DEVICE.where, "role": GATEWAY}
)

DASHBOARD = Dashboard(
    "schoolwatch-gateway",
    said("grafana.dashboard.gateway"),
    (PROVINCE, COMMUNE, SCHOOL, _CHOSEN),
    (
        Row(said("grafana.row.network"), tuple(now(one, IN_SCHOOL) for one in of_group("network"))),
        *(row for row in _ROWS if row.panels),
    ),
    days=7,
    up=("schoolwatch-school", "schoolwatch-commune", "schoolwatch-province"),
    console="/devices/${gateway:percentencode}",
)
