"""Share of servers whose last backup is young enough; restoring one is something that only people try."""

from schoolwatch_server.indicators.indicator import Counts, Fraction, Indicator, Numbers


def compute(counts: Counts, _: Numbers) -> Fraction:
    """A school without a server has none to back up. The age of one that no agent can read is unknown."""
    if not counts.servers:
        return Fraction(None, None, 0, None, "nothing_to_count", said=counts.said.get("backup_restore_test"))
    return Fraction(
        counts.backed_up.yes,
        counts.backed_up.known,
        counts.backed_up.known,
        counts.servers,
        said=counts.said.get("backup_restore_test"),
    )


INDICATOR = Indicator(
    "backup", "ratio", compute, code="I-23", group="security", basis="hybrid", numbers=("age",)
)
