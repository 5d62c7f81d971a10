"""The store that needs nothing beside the database: the journal is the raw data, rollups are made from it."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Engine

from schoolwatch_contract.catalogue import shown_alone
from schoolwatch_server.database import journal, rollups
from schoolwatch_server.database import judged as rows
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.state import key, parse_key
from schoolwatch_server.store.rollup import DAY, HOUR, Fold
from schoolwatch_server.store.series import Judged, Point, Resolution, Series

RAW_RANGE = 2 * DAY
"""Seconds of a range that is still answered with raw points: two days of a report each 5 minutes are 576."""

HOUR_RANGE = 62 * DAY
"""Seconds of a range that is answered by the hour; longer ones by the day."""

_SECONDS = {"1h": HOUR, "1d": DAY}


def resolution_of(start: float, end: float, journal_start: float = 0.0) -> Resolution:
    """What a range is answered with: at most about 1,500 points; raw only where the journal is whole."""
    if end - start <= RAW_RANGE and start >= journal_start:
        return "raw"
    return "1h" if end - start <= HOUR_RANGE else "1d"


class SqliteStore:
    """A `Store` over the server's own database (SQLite or PostgreSQL alike)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def series(
        self, device_id: int, metric: str, start: float, end: float, resolution: Resolution | None = None
    ) -> tuple[Series, ...]:
        """A device's metric in [start, end), one series a label set; the range picks the resolution.

        Hours and days are given by the bucket that they begin with, the first one that overlaps included.
        What is shown of rooms alone has no series of a device.
        """
        if not shown_alone(metric):
            return ()
        with begin_read(self._engine) as conn:
            picked = resolution or resolution_of(start, end, journal.pruned_before(conn))
            if picked == "raw":
                points = _raw(journal.of_device(conn, device_id, start, end), metric)
            else:
                seconds = _SECONDS[picked]
                folded = rollups.read(conn, device_id, seconds, start - seconds + 1, end)
                points = _folded(folded, metric)
        return tuple(
            Series(metric, parse_key(name)[1], picked, tuple(points[name])) for name in sorted(points)
        )

    def write_judged(self, rows_: Sequence[Judged]) -> None:
        """Writes judged values; the same series and moment again replaces."""
        with begin_write(self._engine) as conn:
            rows.write(conn, rows_)

    def judged(
        self, measurement: str, tags: Mapping[str, str], start: float, end: float
    ) -> tuple[Judged, ...]:
        """Judged values in [start, end) whose tags include these, oldest first."""
        with begin_read(self._engine) as conn:
            return rows.read(conn, measurement, tags, start, end)


def _raw(found: Iterable[journal.JournalRow], metric: str) -> dict[str, list[Point]]:
    points: dict[str, list[Point]] = {}
    for row in found:
        for r in row.envelope.readings:
            if r.metric == metric and r.value is not None:
                point = Point(row.taken_at, r.value, r.value, r.value, 1, r.value, row.taken_at)
                points.setdefault(key(metric, r.labels), []).append(point)
    return points


def _folded(found: Mapping[int, Mapping[str, Fold]], metric: str) -> dict[str, list[Point]]:
    points: dict[str, list[Point]] = {}
    for begin, folds in found.items():
        for name, f in folds.items():
            if name.partition("{")[0] == metric:
                point = Point(float(begin), f.sum / f.count, f.min, f.max, f.count, f.last, f.last_at)
                points.setdefault(name, []).append(point)
    return points
