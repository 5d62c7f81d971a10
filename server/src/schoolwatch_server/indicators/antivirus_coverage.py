"""Share of computers on which some antivirus runs, of those where that is known."""

from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers


def compute(counts: Counts, _: Numbers) -> Fraction:
    """A computer whose antivirus can't be read is neither protected nor unprotected."""
    return Fraction(
        counts.protected_yes, counts.protected_known, counts.protected_known, counts.devices_declared
    )


INDICATOR = Indicator("antivirus_coverage", "ratio", compute, code="I-17a", group="security")
