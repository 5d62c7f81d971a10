"""Share of computers that are older than their life, below what is needed, or about to fail."""

from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers


def compute(counts: Counts, _: Numbers) -> Fraction:
    """By the date of the BIOS, the memory, what disks predict and whether the system gets updates.

    One of them is enough; that none of them holds is known where age and memory are.
    """
    return Fraction(counts.due.yes, counts.due.known, counts.due.known, counts.devices_declared)


INDICATOR = Indicator(
    "due_for_replacement", "ratio", compute, code="I-24", group="devices", numbers=("years", "memory")
)
