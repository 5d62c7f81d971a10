"""Share of computers that stand on the top rung of the IPv6 ladder, of those whose rung is known."""

from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers, Parts
from schoolwatch_server.posture import RUNGS


def compute(counts: Counts, _: Numbers) -> Fraction:
    """Counts the highest rung that an agent tests by itself, a default route with all below it ok."""
    return Fraction(counts.ipv6_rung[RUNGS], counts.ipv6_known, counts.ipv6_known, counts.devices_declared)


def parts(counts: Counts, _: Numbers) -> Parts:
    """Devices by highest rung: `none` (rung 0 failed), then `0` to `4`."""
    names = ("none", *(str(rung) for rung in range(RUNGS)))
    return tuple(zip(names, counts.ipv6_rung, strict=True))


INDICATOR = Indicator("ipv6_ladder", "ratio", compute, parts, code="I-11a", group="network")
