"""Labs of Informatics that a school has; a number is asked of lower secondary schools alone.

What is asked of primary and upper secondary schools was not found, so nothing is said of them.
"""

from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers


def compute(counts: Counts, numbers: Numbers) -> Fraction:
    """From the list of rooms; a school without any room has no list."""
    if not counts.labs and not counts.classrooms.rooms:
        return Fraction(None, None, 0, None, "no_rooms", is_asked="THCS" in counts.stages)
    labs = len(counts.labs)
    least = numbers["thcs"] if "THCS" in counts.stages else None
    meets = None if least is None else labs >= least
    return Fraction(labs, 1, 1, 1, meets=meets, target=least, is_asked=least is not None)


INDICATOR = Indicator(
    "informatics_rooms",
    "count",
    compute,
    code="I-05",
    group="assessment",
    basis="hybrid",
    numbers=("thcs",),
    counts_schools=True,
)
