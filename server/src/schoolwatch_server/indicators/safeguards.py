"""Safeguards that a computer tells of itself: shares of the computers where each is known."""

from collections.abc import Callable

from schoolwatch_server.indicators.facts import Pair
from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers


def share(of: Callable[[Counts], Pair]) -> Callable[[Counts, Numbers], Fraction]:
    """Devices of which it is so, of those of which that is known; covered are the latter."""

    def compute(counts: Counts, _: Numbers) -> Fraction:
        pair = of(counts)
        return Fraction(pair.yes, pair.known, pair.known, counts.devices_declared)

    return compute


FIREWALL = Indicator(
    "host_firewall", "ratio", share(lambda counts: counts.firewall), code="I-19a", group="security"
)
PATCHED = Indicator(
    "patched", "ratio", share(lambda counts: counts.patched), code="I-20", group="security", numbers=("age",)
)
SUPPORTED = Indicator(
    "supported_system", "ratio", share(lambda counts: counts.supported), code="I-20a", group="security"
)
AUTORUN = Indicator(
    "usb_autorun_off", "ratio", share(lambda counts: counts.autorun_off), code="I-22a", group="security"
)
ATTACHMENTS = Indicator(
    "attachments_marked",
    "ratio",
    share(lambda counts: counts.attachments_marked),
    code="I-22b",
    group="security",
)
ACCOUNTS = Indicator(
    "account_rules",
    "ratio",
    share(lambda counts: counts.accounts),
    code="I-27",
    group="security",
    numbers=("least_length", "lock_after"),
)
