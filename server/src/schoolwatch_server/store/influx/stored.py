"""The store beside the server's database as a `Store`: it answers as the embedded one does."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import Engine

from schoolwatch_contract.catalogue import shown_alone
from schoolwatch_server.database import journal, store_writer
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.influxql.instant import SECOND, nanoseconds
from schoolwatch_server.store.influx.engine import StoreEngine
from schoolwatch_server.store.influx.naming import Naming
from schoolwatch_server.store.influx.sending import send
from schoolwatch_server.store.lines import judged_line
from schoolwatch_server.store.names import FIELD, measurement_of
from schoolwatch_server.store.queried.beside import BESIDE
from schoolwatch_server.store.rollup import DAY, HOUR, bucket, fold_points
from schoolwatch_server.store.series import JUDGED_FIELDS, Judged, Point, Resolution, Series
from schoolwatch_server.store.sqlite import resolution_of

_SECONDS: Final = {"1h": HOUR, "1d": DAY}


class InfluxStore:
    """A `Store` of which every point is still there: hours and days are made of them as they are read.

    VictoriaMetrics keeps whole milliseconds. A judged value without any number is not kept, and no pack.
    """

    def __init__(self, database: Engine, engine: StoreEngine) -> None:
        self._database, self._engine = database, engine
        self._naming = Naming(database)

    def series(
        self, device_id: int, metric: str, start: float, end: float, resolution: Resolution | None = None
    ) -> tuple[Series, ...]:
        """As `Store.series`. Raises `StoreDownError`."""
        if not shown_alone(metric):
            return ()
        with begin_read(self._database) as conn:
            device = store_writer.devices(conn, [device_id]).get(device_id)
            picked = resolution or resolution_of(start, end, journal.pruned_before(conn))
        if device is None:
            return ()
        first, last = start, end
        if picked != "raw":
            seconds = _SECONDS[picked]
            first, last = bucket(start, seconds), bucket(end - 1e-6, seconds) + seconds
        found = self._engine.read(
            measurement_of(metric), [FIELD], {"device": device}, nanoseconds(first), nanoseconds(last)
        )
        made = (
            Series(
                metric,
                {key: text for key, text in one.tags.items() if key != "device"},
                picked,
                tuple(_points([(at / SECOND, values[FIELD]) for at, values in one.points], picked)),
            )
            for one in found
        )
        return tuple(sorted(made, key=lambda one: sorted(one.labels.items())))

    def write_judged(self, rows: Sequence[Judged]) -> None:
        """As `Store.write_judged`. Raises `StoreDownError`."""
        names = self._naming.names()
        lines = (judged_line(row, names.beside(row.tags), nanoseconds(row.at)) for row in rows)
        send(self._engine, [line for line in lines if line is not None])

    def judged(
        self, measurement: str, tags: Mapping[str, str], start: float, end: float
    ) -> tuple[Judged, ...]:
        """As `Store.judged`. Raises `StoreDownError`."""
        found = self._engine.read(measurement, JUDGED_FIELDS, tags, nanoseconds(start), nanoseconds(end))
        made = [
            Judged(
                measurement,
                _without_names(one.tags),
                at / SECOND,
                values.get("value"),
                values.get("numerator"),
                values.get("denominator"),
                values.get("coverage"),
            )
            for one in found
            for at, values in one.points
        ]
        return tuple(sorted(made, key=lambda row: (row.at, sorted(row.tags.items()))))


def _points(points: Iterable[tuple[float, float]], resolution: Resolution) -> Iterable[Point]:
    if resolution == "raw":
        return (Point(at, value, value, value, 1, value, at) for at, value in points)
    buckets: dict[int, list[tuple[float, float]]] = {}
    for at, value in points:
        buckets.setdefault(bucket(at, _SECONDS[resolution]), []).append((at, value))
    folded = ((begin, fold_points(its)) for begin, its in sorted(buckets.items()))
    return (
        Point(float(begin), f.sum / f.count, f.min, f.max, f.count, f.last, f.last_at) for begin, f in folded
    )


def _without_names(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: text for key, text in tags.items() if key not in BESIDE}
