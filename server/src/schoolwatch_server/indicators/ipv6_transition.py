"""How far a school's IPv6 has come, step by step, as far as it is measured: V0 to V3 by its computers.

V4, the school's website over IPv6, needs a probe of the server's own, and V5, a network without IPv4, a test
at the school's gateway; neither is there. What "hoàn thiện" means no document says, V3 with V4 is a proposal.
"""

from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers, Parts
from schoolwatch_server.posture import RUNGS

_COMPLETE = 4.0
"""V4, with V3 below it."""

STEPS = ("V0", "V1", "V2", "V3")


def step(counts: Counts, numbers: Numbers) -> int | None:
    """The highest step with all below it; None where no computer told of IPv6.

    V1: a computer has a global address and a route, so the line has a prefix. V2: so have enough of them.
    V3: over IPv6 names resolve and connections stand, on enough of them.
    """
    if not counts.ipv6_known:
        return None
    routed = counts.ipv6_rung[RUNGS]
    if not routed:
        return 0
    if routed / counts.ipv6_known < numbers["share"]:
        return 1
    works = counts.ipv6_works
    return 3 if works.known and works.yes / works.known >= numbers["share"] else 2


def compute(counts: Counts, numbers: Numbers) -> Fraction:
    """Not met below V3; whether a school on V3 has met it hangs on its website, which nobody has tried."""
    reached = step(counts, numbers)
    known, declared = counts.ipv6_known, counts.devices_declared
    if reached is None:
        return Fraction(None, None, known, declared, "" if declared is None else "nothing_to_count")
    enough = declared is not None and declared > 0 and known >= numbers["floor"] * declared
    untested = reached == 2 and counts.ipv6_works.known < counts.ipv6_known
    meets = False if enough and reached < 3 and not untested else None
    return Fraction(reached, 1, known, declared, meets=meets, target=_COMPLETE)


def parts(counts: Counts, numbers: Numbers) -> Parts:
    """Schools by the step that they stand on."""
    reached = step(counts, numbers)
    return tuple((name, int(reached == number)) for number, name in enumerate(STEPS))


INDICATOR = Indicator(
    "ipv6_transition",
    "level",
    compute,
    parts,
    code="I-11",
    group="network",
    numbers=("share",),
    counts_schools=True,
)
