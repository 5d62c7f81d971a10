"""Share of servers whose last backup is young enough; restoring one is something that only people try."""

from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers, Parts

_DAY = 86400.0


def compute(counts: Counts, _: Numbers) -> Fraction:
    """A school without a server has none to back up. The age of one that no agent can read is unknown."""
    if not counts.servers:
        return Fraction(None, None, 0, None, "nothing_to_count")
    return Fraction(counts.backed_up.yes, counts.backed_up.known, counts.backed_up.known, counts.servers)


def parts(counts: Counts, numbers: Numbers) -> Parts:
    """Schools that tried to restore not too long ago, as they declared it."""
    said = counts.said.get("backup_restore_test")
    tried = said is not None and bool(said.value) and said.at >= numbers["at"] - numbers["tested"] * _DAY
    return (("restore_tested", int(tried)),)


INDICATOR = Indicator(
    "backup",
    "ratio",
    compute,
    parts,
    code="I-23",
    group="security",
    basis="hybrid",
    numbers=("age", "tested"),
)
