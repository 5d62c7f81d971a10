"""The year before a report: the place's own values, as they were judged, at the end of each week."""

from datetime import timedelta

from sqlalchemy import Connection

from schoolwatch_server.database import history as kept
from schoolwatch_server.reports.content import History
from schoolwatch_server.scope import Scope

_YEAR = timedelta(days=365)


def history(conn: Connection, scope: Scope, now: float) -> tuple[History, ...]:
    """By indicator, in the order of their names; the last value of each week, and the newest one.

    A week's last value is enough for a chart, and a seventh of the days for whoever keeps the report.
    """
    if scope.level == "all" or scope.id is None:
        return ()
    last = kept.day_of(now)
    level = scope.level
    series = {
        one.id: one.indicator for one in kept.series(conn, scope, level=level, inside=(level, scope.id))
    }
    found: dict[str, dict[tuple[int, int], tuple[str, float | None]]] = {}
    for row in kept.daily(conn, list(series), last - _YEAR, last):
        if row.at <= now:
            week = row.day.isocalendar()[:2]
            found.setdefault(series[row.series_id], {})[week] = (row.day.isoformat(), row.value)
    return tuple(History(indicator=name, days=tuple(of.values())) for name, of in sorted(found.items()))
