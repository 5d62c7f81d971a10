"""A simulated past of what was judged: half a year of values that wander, drawn from a seeded generator."""

import random

from sqlalchemy import Connection

from schoolwatch_server.database import judged
from schoolwatch_server.store.series import Judged

WEEKS = 26
DAY = 86400.0


def past(conn: Connection, now: float, *, every: float = 3600.0) -> int:
    """Points of the province and of its third commune, before those that are there; gives how many.

    Each series begins lower (or higher) and wanders to what holds now.
    """
    chance = random.Random(11)
    rows: list[Judged] = []
    for tags in ({"level": "province"}, {"level": "commune", "commune": "3"}):
        for newest in judged.latest(conn, "indicator", tags):
            rows += _wandering(newest, now, every, chance)
    judged.write(conn, rows)
    return len(rows)


def _wandering(newest: Judged, now: float, every: float, chance: random.Random) -> list[Judged]:
    value = newest.value if newest.value is not None else 0.5
    slope = chance.choice([-0.0004, 0.0, 0.0006, 0.0015]) * every / DAY
    found, at = [], now // every * every - every
    while at > now - WEEKS * 7 * DAY:
        value = min(1.0, max(0.0, value - slope + chance.gauss(0, 0.0006)))
        found.append(Judged(newest.measurement, newest.tags, at, value, None, None, 0.9, newest.pack))
        at -= every
    return found
