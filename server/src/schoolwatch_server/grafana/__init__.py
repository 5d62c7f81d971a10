"""Dashboards of Grafana as data: what each panel asks, shows and says.

A dashboard is one file with `DASHBOARD` and one line in `DASHBOARDS`; docs/generate.py writes their JSON.
"""

from typing import Final

from schoolwatch_server.grafana import (
    assessment,
    commune,
    device,
    gateway,
    incidents,
    ipv6,
    lines,
    province,
    school,
    security,
    server,
)
from schoolwatch_server.grafana.spec import Dashboard

DASHBOARDS: Final[tuple[Dashboard, ...]] = (
    province.DASHBOARD,
    commune.DASHBOARD,
    school.DASHBOARD,
    device.DASHBOARD,
    gateway.DASHBOARD,
    lines.DASHBOARD,
    ipv6.DASHBOARD,
    security.DASHBOARD,
    assessment.DASHBOARD,
    incidents.DASHBOARD,
    server.DASHBOARD,
)
"""In the order in which people go through them."""
