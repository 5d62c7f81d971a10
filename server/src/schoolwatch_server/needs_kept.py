"""What all schools of a large province lack, added up when its indicators are judged and kept as series.

Adding up 1,500 schools takes a second: the chore that judges them all has them at hand.
"""

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import Connection

from schoolwatch_server import needs
from schoolwatch_server.database import judged
from schoolwatch_server.indicators.current import LARGE, Everywhere
from schoolwatch_server.indicators.series import place
from schoolwatch_server.indicators.stored import FRESH
from schoolwatch_server.needs import Rules, Sum
from schoolwatch_server.store.series import Judged

MEASUREMENT = "need"
"""The series of what a province lacks of each item; `part` is the field of `needs.Sum`."""

_PARTS = ("least", "most", "schools", "unknown")


def rows(every: Everywhere, at: float) -> Iterator[Judged]:
    """The points of all large provinces; the others are added up when somebody asks."""
    by = needs.rules(every.packs, every.now)
    packs = {item.id: prepared.pack for item, prepared, _ in by}
    for members in every.provinces.values():
        if len(members) < LARGE:
            continue
        tags = place(members[0].school, "province")
        for one in needs.add_up((needs.of_school(each.school.counts, by) for each in members), by):
            for part in _PARTS:
                yield Judged(
                    MEASUREMENT,
                    tags | {"item": one.item, "part": part},
                    at,
                    float(getattr(one, part)),
                    pack=packs[one.item],
                )


def sums(conn: Connection, province_id: int, by: Rules, now: float) -> tuple[tuple[Sum, ...], float] | None:
    """The sums of a large province with the instant that they are of (UTC seconds).

    None when they are too old, were made with other packs, or were never made.
    """
    here = {"level": "province", "province": str(province_id)}
    tags = [here | {"item": item.id, "part": part} for item, _, _ in by for part in _PARTS]
    found: defaultdict[str, dict[str, Judged]] = defaultdict(dict)
    for row in judged.latest_of(conn, MEASUREMENT, tags):
        found[row.tags["item"]][row.tags["part"]] = row
    made, oldest = [], now
    for item, prepared, _ in by:
        parts = found[item.id]
        if len(parts) < len(_PARTS) or any(
            row.at < now - FRESH or row.pack != prepared.pack for row in parts.values()
        ):
            return None
        counted = {part: int(row.value or 0) for part, row in parts.items()}
        made.append(Sum(item.id, item.unit, item.indicator, prepared.source, **counted))
        oldest = min(oldest, *(row.at for row in parts.values()))
    return tuple(made), oldest
