"""Share of the declared devices that have reported lately: how far the other indicators can be trusted."""

from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers


def compute(counts: Counts, _: Numbers) -> Fraction:
    """A school with more devices than it declared is fully covered, not more than fully."""
    declared = counts.devices_declared
    heard = counts.devices_heard if declared is None else min(counts.devices_heard, declared)
    # That a declared device is silent is known, so this one covers itself: it is shown however low it is.
    return Fraction(heard, declared, declared or 0, declared)


INDICATOR = Indicator(
    "telemetry_coverage", "ratio", compute, window="heard", code="I-31", group="observation"
)
