"""What series are called in every store: measurements in InfluxDB's words, metrics in Prometheus'. Pure."""

from typing import Final

FIELD: Final = "value"
"""The field of what devices measured: a series is one number."""


def measurement_of(metric: str) -> str:
    """`link_speed` of `link.speed`: the same word goes for InfluxDB and Prometheus, which take no dots."""
    return metric.replace(".", "_")


def prometheus_name(measurement: str, field: str = FIELD) -> str:
    """`link_speed_value`: what VictoriaMetrics makes of a line's measurement and field."""
    return f"{measurement}_{field}"
