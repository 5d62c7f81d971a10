"""Indicators: what a school's devices and declared numbers say about its IT, each in one file."""

from schoolwatch_server.indicators import (
    antivirus_coverage,
    ipv6_ladder,
    students_per_computer,
    telemetry_coverage,
    wired_links,
)
from schoolwatch_server.indicators.indicator import Indicator

INDICATORS: tuple[Indicator, ...] = (
    students_per_computer.INDICATOR,
    antivirus_coverage.INDICATOR,
    ipv6_ladder.INDICATOR,
    wired_links.LINKS_100,
    wired_links.LINKS_1000,
    telemetry_coverage.INDICATOR,
)
"""In the order in which pages and exports show them."""
