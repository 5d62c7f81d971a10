"""Hours a day that a computer of the labs is on, from the weekly sums of rooms; never of one computer.

What the timetable would allow is in no list, so there is no share of it and no target.
"""

from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers

_HOUR = 3600.0


def compute(counts: Counts, _: Numbers) -> Fraction:
    """Labs with too few computers to tell have no number; they are what is not covered."""
    use = counts.use
    if not use.labs:
        return Fraction(None, None, 0, None, "no_use")
    return Fraction(use.seconds_on / _HOUR, use.device_days, use.told, use.labs)


INDICATOR = Indicator("lab_use", "hours/day", compute, code="I-26", group="devices")
