"""How far a school's IPv6 has come: V0 to V3 by its computers, V4 by its site, V5 by what it declares.

V4 is the school's website over IPv6, V5 a network that works without IPv4: tests outside of the computers.
What "hoàn thiện" means no document says; V3 with V4 is a proposal, and V5 is told apart from it.
"""

from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers, Parts
from schoolwatch_server.posture import RUNGS

_COMPLETE = 4.0
"""V4, with V3 below it."""

_DAY = 86400.0

STEPS = ("V0", "V1", "V2", "V3", "V4")


def step(counts: Counts, numbers: Numbers) -> int | None:
    """The highest step with all below it; None where no computer told of IPv6.

    V1: a computer has a global address and a route, so the line has a prefix. V2: so have enough of them.
    V3: over IPv6 names resolve and connections stand, on enough of them; one that did not try is none.
    V4: so does the school's website.
    """
    if not counts.ipv6_known:
        return None
    routed = counts.ipv6_rung[RUNGS]
    if not routed:
        return 0
    enough = numbers["share"] * counts.ipv6_known
    if routed < enough:
        return 1
    if counts.ipv6_works.yes < enough:
        return 2
    return 4 if website(counts, numbers) else 3


def compute(counts: Counts, numbers: Numbers) -> Fraction:
    """Not met below V3, nor with a website that fails; of what nobody tried nothing is said."""
    reached = step(counts, numbers)
    known, declared = counts.ipv6_known, counts.devices_declared
    if reached is None:
        return Fraction(None, None, known, declared, "" if declared is None else "nothing_to_count")
    enough = declared is not None and declared > 0 and known >= numbers["floor"] * declared
    meets: bool | None = None
    if enough and (reached == _COMPLETE or _fails(reached, counts, numbers)):
        meets = reached == _COMPLETE
    return Fraction(reached, 1, known, declared, meets=meets, target=_COMPLETE)


def website(counts: Counts, numbers: Numbers) -> bool | None:
    """V4: whether the school's website answers by HTTPS over IPv6, as the server saw, else as declared."""
    seen = None if counts.site is None else counts.site.has_https_over_ipv6
    if seen is not None:
        return seen
    return _tried(counts, "website_ipv6", numbers)


def parts(counts: Counts, numbers: Numbers) -> Parts:
    """Schools by the step that they stand on, and those that are ready to be without IPv4."""
    reached = step(counts, numbers)
    steps = tuple((name, int(reached == number)) for number, name in enumerate(STEPS))
    return (*steps, ("V5", int(bool(_tried(counts, "ipv6_only_tested", numbers)))))


def _fails(reached: int, counts: Counts, numbers: Numbers) -> bool:
    """Whether it is known that a step below the last is not reached, whatever is untried."""
    if reached < 2 or website(counts, numbers) is False:
        return True
    works = counts.ipv6_works
    at_most = works.yes + max(0, counts.ipv6_known - works.known)
    return reached == 2 and at_most < numbers["share"] * counts.ipv6_known


def _tried(counts: Counts, question: str, numbers: Numbers) -> bool | None:
    """What the school declared and its manager accepted, while that is young enough."""
    said = counts.said.get(question)
    if said is None or said.value is None or said.at < numbers["at"] - numbers["declared_days"] * _DAY:
        return None
    return said.value > 0


INDICATOR = Indicator(
    "ipv6_transition",
    "step",
    compute,
    parts,
    code="I-11",
    group="network",
    basis="hybrid",
    numbers=("share", "declared_days"),
    counts_schools=True,
    public_only=True,
)
