"""Share of computers whose way to the server is good enough for teaching online: delay, jitter and loss.

No document gives a technical limit: the pack's are proposals. What pupils have at home is not measured.
"""

from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers, Parts

_MEGA = 1e6


def compute(counts: Counts, numbers: Numbers) -> Fraction:
    """A school whose tested upload is below the pack's least is not ready, however good its delays are."""
    pair = counts.quality
    upload = counts.line.upload
    slow = upload is not None and upload < numbers["upload"] * _MEGA
    return Fraction(pair.yes, pair.known, pair.known, counts.devices_declared, meets=False if slow else None)


def parts(counts: Counts, numbers: Numbers) -> Parts:
    """Schools whose upload is known to be too slow, whatever their computers measure."""
    upload = counts.line.upload
    return (("slow_upload", int(upload is not None and upload < numbers["upload"] * _MEGA)),)


INDICATOR = Indicator(
    "online_teaching",
    "ratio",
    compute,
    parts,
    code="I-16",
    group="network",
    basis="hybrid",
    numbers=("latency", "jitter", "loss", "upload"),
)
