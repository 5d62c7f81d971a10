"""How many computers of each place are in which verdict of their safeguards; unknown is one of them."""

from collections import Counter
from collections.abc import Iterator

from schoolwatch_server.indicators.current import Everywhere
from schoolwatch_server.indicators.facts import Pair
from schoolwatch_server.indicators.indicator import Counts
from schoolwatch_server.indicators.series import place
from schoolwatch_server.store.names import POSTURE
from schoolwatch_server.store.series import Judged

Verdicts = Counter[tuple[str, str]]
"""By kind (`antivirus`) and verdict (`good`)."""


def verdicts(counts: Counts) -> Verdicts:
    """Of one school. What a computer that is not heard any more said long ago is not known today.

    The limits are those of the packs, as the indicators have them. `old` is antivirus with old signatures.
    """
    protected = Pair(counts.protected_yes, counts.protected_known)
    found: Verdicts = Counter()
    for kind, pair in (
        ("antivirus", protected),
        ("firewall", counts.firewall),
        ("updates", counts.patched),
        ("system", counts.supported),
    ):
        found[kind, "good"] = pair.yes
        found[kind, "bad"] = pair.known - pair.yes
        found[kind, "unknown"] = counts.devices_enrolled - pair.known
    found["antivirus", "good"] -= counts.signatures_old
    found["antivirus", "old"] = counts.signatures_old
    return found


def rows(every: Everywhere, at: float) -> Iterator[Judged]:
    """The points of all places: schools, and what they add up to."""
    for level, places in (("commune", every.communes), ("province", every.provinces)):
        for members in places.values():
            total: Verdicts = Counter()
            for each in members:
                own = verdicts(each.school.counts)
                total.update(own)
                if level == "province":
                    yield from _points(place(each.school, "school"), own, at)
            yield from _points(place(members[0].school, level), total, at)


def _points(tags: dict[str, str], found: Verdicts, at: float) -> Iterator[Judged]:
    for (kind, verdict), count in found.items():
        yield Judged(POSTURE, tags | {"kind": kind, "verdict": verdict}, at, float(count))
