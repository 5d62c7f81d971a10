"""Whether the school's website is there and browsers trust it, as this server's own probe last found it.

Where nobody has looked, because the probe is off or no address is known, what the school declared counts and
stands as that. That a site is met when it answers with a certificate that browsers take is a proposal.
"""

from schoolwatch_server.indicators.declared import answered
from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers, Parts

_QUESTION = "website"
_DECLARED = answered(_QUESTION)


def compute(counts: Counts, numbers: Numbers) -> Fraction:
    """A site of whose certificate nothing is known is as unknown as one that refuses programs."""
    site = counts.site
    if site is None:
        return _DECLARED(counts, numbers)
    said = counts.said.get(_QUESTION)
    good = site.is_trusted if site.is_up else site.is_up
    if good is None:
        return Fraction(None, None, 0, 1, "site_unknown", target=1.0, said=said)
    return Fraction(float(good), 1, 1, 1, meets=good, target=1.0, said=said)


def parts(counts: Counts, _: Numbers) -> Parts:
    """Schools whose site was looked at, is up, is trusted, and answers over IPv6."""
    site = counts.site
    if site is None:
        return (("looked", 0), ("up", 0), ("trusted", 0), ("ipv6", 0))
    known = (site.is_up, site.is_trusted, site.has_ipv6)
    up, trusted, ipv6 = (int(value is True) for value in known)
    return (("looked", 1), ("up", up), ("trusted", trusted), ("ipv6", ipv6))


INDICATOR = Indicator(
    "website",
    "boolean",
    compute,
    parts,
    code="I-28",
    group="network",
    basis="hybrid",
    counts_schools=True,
)
