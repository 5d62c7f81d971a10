"""Share of wired computers whose fastest link is at least as fast as the pack's threshold.

Computers on Wi-Fi are covered but not counted; a wired one whose speed is unknown covers nothing.
"""

from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers


def at_least_100(counts: Counts, _: Numbers) -> Fraction:
    """Threshold of `wired_links_100`, 100 Mbit/s as shipped."""
    return Fraction(counts.wired_100, counts.wired, counts.link_known, counts.devices_declared)


def at_least_1000(counts: Counts, _: Numbers) -> Fraction:
    """Threshold of `wired_links_1000`, 1 Gbit/s as shipped."""
    return Fraction(counts.wired_1000, counts.wired, counts.link_known, counts.devices_declared)


LINKS_100 = Indicator(
    "wired_links_100", "ratio", at_least_100, with_threshold=True, code="I-10a", group="network"
)
LINKS_1000 = Indicator(
    "wired_links_1000", "ratio", at_least_1000, with_threshold=True, code="I-10b", group="network"
)
