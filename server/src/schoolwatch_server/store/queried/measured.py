"""What devices measured: raw from the journal, hours where only these are left or are all that is needed."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection

from schoolwatch_contract.catalogue import METRICS, shown_alone
from schoolwatch_contract.envelope import decode_stored
from schoolwatch_server.database import journal, registry, rollups
from schoolwatch_server.influxql.condition import Condition, allowed
from schoolwatch_server.influxql.errors import QueryError, in_time
from schoolwatch_server.influxql.instant import EARLIEST, LATEST, SECOND, nanoseconds
from schoolwatch_server.influxql.query import Buckets, Function, Span
from schoolwatch_server.influxql.source import Fold, Point, Series, folded, kept, merged
from schoolwatch_server.scope import Scope
from schoolwatch_server.state import key, parse_key
from schoolwatch_server.store.names import FIELD, measurement_of
from schoolwatch_server.store.rollup import HOUR

DEVICES_MAX: Final = 60
"""Devices in one query: a classroom, with a gateway."""

UNBOUNDED: Final = 2 * 86400.0
"""Seconds before now that are looked through where a query says no time, as when a list is filled."""

_REPORTS: Final = 4096
"""Reports that stay unpacked, some 20 MB: the 100 graphs of a computer are all made of the same 600."""

_HOUR_NS: Final = HOUR * SECOND
_METRICS: Final = {measurement_of(name): name for name in METRICS if shown_alone(name)}


@dataclass(slots=True)
class _Held:
    """One series: points, and hours by their beginning, nanoseconds."""

    points: list[tuple[int, float]] = field(default_factory=list)
    hours: dict[int, Fold] = field(default_factory=dict)


_Devices = dict[tuple[int, str], _Held]
"""By device and `key(metric, labels)`."""


class MeasuredSeries:
    """The series of devices that a scope sees; a query names the devices."""

    def __init__(self, conn: Connection, scope: Scope, now: float, until: float) -> None:
        self._conn, self._scope, self._now, self._until = conn, scope, now, until
        self._loaded: dict[tuple[str, tuple[int, ...], Span, bool], _Devices] = {}

    def measurements(self) -> Collection[str]:
        """Every metric that may be shown of one computer."""
        return _METRICS.keys()

    def fields(self, measurement: str) -> Sequence[str]:
        """One number."""
        del measurement
        return (FIELD,)

    def tag_keys(self, measurement: str) -> Sequence[str]:
        """The device, and the metric's own labels."""
        return sorted({"device", *METRICS[_METRICS[measurement]].labels})

    def series(self, measurement: str, where: Condition, span: Span) -> Sequence[Series]:
        """Those that have something in the span. Raises `QueryError` where no device is named."""
        names = allowed(where, "device")
        if names is None:
            raise QueryError(f"{measurement} is measured by devices: name some, WHERE device = '…'")
        if len(names) > DEVICES_MAX:
            raise QueryError(f"{len(names)} devices, at most {DEVICES_MAX} in one query")
        rows = (registry.device(self._conn, name, self._scope) for name in sorted(names))
        devices = {row.id: row.device for row in rows if row is not None}
        within = self._bounded(span)
        loaded = self._load(measurement, tuple(devices), within, by_hours=_is_long(within))
        found = (
            Series((id_, name), {"device": devices[id_], **parse_key(name)[1]})
            for id_, name in sorted(loaded)
        )
        return list(kept(where, found, self._until))

    def folds(
        self,
        measurement: str,
        field: str,
        series: Sequence[Series],
        span: Span,
        buckets: Buckets | None,
        need: frozenset[Function],
    ) -> Mapping[Any, Mapping[int, Fold]]:
        """Whole hours where buckets consist of them, else points."""
        del field, need
        is_of_hours = buckets is None or not (buckets.every % _HOUR_NS or buckets.offset % _HOUR_NS)
        held = self._of(measurement, series, span, by_hours=is_of_hours)
        found: dict[Hashable, Mapping[int, Fold]] = {}
        for id_, one in held.items():
            folds = folded(one.points, buckets)
            for begin, hour in one.hours.items():
                start = 0 if buckets is None else buckets.start(begin)
                folds[start] = merged(folds[start], hour) if start in folds else hour
            found[id_] = folds
        return found

    def points(
        self, measurement: str, fields: Sequence[str], series: Sequence[Series], span: Span
    ) -> Mapping[Any, Sequence[Point]]:
        """As measured; of hours whose points are gone the mean, at their beginning."""
        held = self._of(measurement, series, span, by_hours=False)
        found: dict[Hashable, Sequence[Point]] = {}
        for id_, one in held.items():
            means = [(begin, hour.sum / hour.count) for begin, hour in one.hours.items()]
            values = sorted([*means, *one.points])
            found[id_] = [Point(at, (value,) * len(fields)) for at, value in values]
        return found

    def _of(
        self, measurement: str, series: Sequence[Series], span: Span, *, by_hours: bool
    ) -> Mapping[Any, _Held]:
        ids = {one.id for one in series}
        devices = tuple(sorted({one.id[0] for one in series if isinstance(one.id, tuple)}))
        loaded = self._load(measurement, devices, self._bounded(span), by_hours=by_hours)
        return {id_: held for id_, held in loaded.items() if id_ in ids}

    def _bounded(self, span: Span) -> Span:
        end = nanoseconds(self._now) + 1 if span.end == LATEST else span.end
        start = nanoseconds(self._now - UNBOUNDED) if span.start == EARLIEST else span.start
        return Span(start, max(start, end))

    def _load(self, measurement: str, devices: tuple[int, ...], span: Span, *, by_hours: bool) -> _Devices:
        """What devices measured; with `by_hours` whole hours are not taken apart."""
        asked = (measurement, tuple(sorted(devices)), span, by_hours)
        if asked not in self._loaded:
            first, last = _whole_hours(
                span, nanoseconds(journal.pruned_before(self._conn)), by_hours=by_hours
            )
            loaded: _Devices = defaultdict(_Held)
            metric = _METRICS[measurement]
            for id_ in asked[1]:
                in_time(self._until)
                self._add_points(loaded, id_, metric, Span(span.start, min(first, span.end)))
                self._add_hours(loaded, id_, metric, first, last)
                self._add_points(loaded, id_, metric, Span(max(last, span.start), span.end))
            self._loaded[asked] = loaded
        return self._loaded[asked]

    def _add_points(self, loaded: _Devices, device_id: int, metric: str, span: Span) -> None:
        if span.start >= span.end:
            return
        # a second more on both sides: what is kept as a float is compared as whole microseconds
        rows = journal.of_device(self._conn, device_id, span.start / SECOND - 1, span.end / SECOND + 1)
        for row in rows:
            at = nanoseconds(row.taken_at)
            if span.start <= at < span.end:
                for name, value in _told(row.body).get(metric, ()):
                    loaded[device_id, name].points.append((at, value))

    def _add_hours(self, loaded: _Devices, device_id: int, metric: str, first: int, last: int) -> None:
        if first >= last:
            return
        found = rollups.read(self._conn, device_id, HOUR, first / SECOND, last / SECOND)
        for begin, folds in found.items():
            for name, fold in folds.items():
                if name.partition("{")[0] == metric:
                    loaded[device_id, name].hours[begin * SECOND] = Fold(
                        fold.count, fold.sum, fold.min, fold.max, fold.last, nanoseconds(fold.last_at)
                    )


@lru_cache(_REPORTS)
def _told(body: bytes) -> Mapping[str, Sequence[tuple[str, float]]]:
    """What a report says by metric, each with its series' key."""
    found: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    for one in decode_stored(body).readings:
        if one.value is not None:
            found[one.metric].append((key(one.metric, one.labels), one.value))
    return dict(found)


def _is_long(span: Span) -> bool:
    return span.end - span.start > 2 * 86400 * SECOND


def _whole_hours(span: Span, pruned: int, *, by_hours: bool) -> tuple[int, int]:
    """Between which instants hours stand for their points: where these are gone, or all of them may.

    Of an hour whose points are gone the whole is given, though the span may begin in its middle.
    """
    if by_hours:
        first = -(-span.start // _HOUR_NS) * _HOUR_NS
        last = span.end // _HOUR_NS * _HOUR_NS
    else:
        first = last = span.start
    if span.start < pruned:
        first = span.start // _HOUR_NS * _HOUR_NS
        last = max(last, min(-(-pruned // _HOUR_NS) * _HOUR_NS, -(-span.end // _HOUR_NS) * _HOUR_NS))
    return first, max(first, last)
