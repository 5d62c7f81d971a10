"""One look of all watches, from the database to incidents; the instant is given, so that it can be any."""

import time
from collections.abc import Collection, MutableMapping, Sequence

from sqlalchemy import Engine

from schoolwatch_server import incidents, watches
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import hearings, open_incidents
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.packs import Packs
from schoolwatch_server.rules import Rule
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.watches.sight import Sight


def look(
    engine: Engine,
    config: ServerConfig,
    rules: Sequence[Rule],
    packs: Packs,
    channels: Collection[str],
    looked: MutableMapping[str, float],
    now: float | None = None,
) -> int:
    """Looks at `now` (UTC seconds), writes what opened or closed, and gives how many incidents that were.

    `looked` is kept from one look to the next: see `watches.look`.
    """
    now = time.time() if now is None else now
    watched = {rule.id: rule.condition.watch for rule in rules if rule.condition.watch is not None}
    with begin_write(engine) as conn:
        deaf_at = hearings.listen(conn, now)
    with begin_read(engine) as conn:
        open_now: dict[str, dict[Subject, float]] = {}
        for rule, subjects in open_incidents.of_rules(conn, watched).items():
            open_now.setdefault(watched[rule], {}).update(subjects)
        fallen = [one for watch in watches.OF_INDICATORS for one in open_now.get(watch, ())]
        opened_on = open_incidents.evidence(conn, fallen)
        sight = Sight(conn, config, now, packs, open_now, deaf_at, opened_on)
        found = watches.look(sight, rules, looked)
    return incidents.judge_found(engine, rules, found, channels, now)


def note(engine: Engine, now: float) -> int:
    """Remembers which devices were heard today; gives how many are new."""
    with begin_write(engine) as conn:
        return hearings.note(conn, now)
