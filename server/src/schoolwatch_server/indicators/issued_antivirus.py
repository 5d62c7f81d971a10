"""Share of computers on which the province's antivirus runs, guards in real time and is up to date."""

from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers


def compute(counts: Counts, _: Numbers) -> Fraction:
    """Which product that is the settings say; without a name nothing is known, and nobody is to blame.

    A computer that reports is one with Internet. `fail` is the age from which signatures are out of date.
    """
    if not counts.issued_named:
        return Fraction(None, None, 0, counts.devices_declared, "no_product")
    return Fraction(counts.issued.yes, counts.issued.known, counts.issued.known, counts.devices_declared)


INDICATOR = Indicator(
    "issued_antivirus", "ratio", compute, code="I-17", group="security", numbers=("warn", "fail")
)
