"""Whether a store that was started anew still has what it kept before: its folder may have been emptied.

A store with an empty folder answers as well as any other, and takes what is new; what is gone it never says.
"""

from typing import Final

from sqlalchemy import Engine

from schoolwatch_server.database import judged_log
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.store_writer import Progress
from schoolwatch_server.influxql.instant import SECOND, nanoseconds
from schoolwatch_server.store.influx.engine import StoreEngine
from schoolwatch_server.store.lines import judged_line
from schoolwatch_server.store.series import JUDGED_FIELDS, Judged

ASKED: Final = 3
"""Points that are asked for: one alone may be what the store never took."""


def is_emptied(database: Engine, store: StoreEngine, kept: Progress, since: float, until: float) -> bool:
    """Whether it has none of the newest judged values in [since, until] that it had kept.

    False where there are none by which that could be told. Raises `StoreDownError`.
    """
    with begin_read(database) as conn:
        noted = judged_log.last_between(conn, kept.filled, kept.settled.judged)
        rows = [] if noted is None else judged_log.page(conn, noted, None)[0]
    told = [one for one in rows if since <= one.at <= until and judged_line(one, one.tags, 0) is not None]
    told.sort(key=lambda one: -one.at)
    return bool(told) and not any(_has(store, one) for one in told[:ASKED])


def _has(store: StoreEngine, row: Judged) -> bool:
    at = nanoseconds(row.at)
    return any(True for _ in store.read(row.measurement, JUDGED_FIELDS, row.tags, at, at + SECOND))
