"""What devices measured: raw from the journal, hours where only these are left or are all that is needed."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection

from schoolwatch_contract.catalogue import METRICS, shown_alone
from schoolwatch_server.database import called, journal, rollups
from schoolwatch_server.influxql.condition import Condition, allowed
from schoolwatch_server.influxql.errors import QueryError, UnnamedError
from schoolwatch_server.influxql.instant import EARLIEST, LATEST, SECOND, nanoseconds
from schoolwatch_server.influxql.patience import Patience
from schoolwatch_server.influxql.query import Buckets, Call, Function, Span
from schoolwatch_server.influxql.source import (
    Fold,
    Line,
    Point,
    Series,
    kept,
    labels,
    line,
    lines,
    merged,
    newest,
)
from schoolwatch_server.scope import Scope
from schoolwatch_server.state import parse_key
from schoolwatch_server.store.names import FIELD, measurement_of
from schoolwatch_server.store.queried.reports import Column, Device, Reports
from schoolwatch_server.store.rollup import HOUR, pack, unpack

DEVICES_MAX: Final = 60
"""Devices in one query: a classroom, with a gateway."""

UNBOUNDED: Final = 2 * 86400.0
"""Seconds before now that are looked through where a query says no time, as when a list is filled."""

_HOURS: Final = 1024
"""Hours that stay unpacked, some 20 MB: the 60 graphs of a gateway's week are all made of the same 168."""

_HOUR_NS: Final = HOUR * SECOND
_METRICS: Final = {measurement_of(name): name for name in METRICS if shown_alone(name)}


@dataclass(slots=True)
class _Held:
    """One series: points, in parts, and hours by their beginning, nanoseconds."""

    parts: list[Column] = field(default_factory=list)
    hours: dict[int, Fold] = field(default_factory=dict)

    def folds(self, buckets: Buckets | None) -> dict[int, Fold]:
        """They in buckets by their beginning; without any, all under 0."""
        folds: dict[int, Fold] = {}
        for part in self.parts:
            for start, fold in part.folds(buckets).items():
                folds[start] = merged(folds[start], fold) if start in folds else fold
        for begin, hour in self.hours.items():
            start = 0 if buckets is None else buckets.start(begin)
            folds[start] = merged(folds[start], hour) if start in folds else hour
        return folds


_Devices = dict[tuple[int, str], _Held]
"""By device and `key(metric, labels)`."""


class MeasuredSeries:
    """The series of devices that a scope sees; a query names the devices."""

    def __init__(
        self, conn: Connection, reports: Reports, scope: Scope, now: float, patience: Patience
    ) -> None:
        self._conn, self._scope, self._now, self._patience = conn, scope, now, patience
        self._reports = reports
        self._held: dict[int, Device] = {}
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
            raise UnnamedError(f"{measurement} is measured by devices: name some, WHERE device = '…'")
        if len(names) > DEVICES_MAX:
            raise QueryError(f"{len(names)} devices, at most {DEVICES_MAX} in one query")
        devices = called.devices(self._conn, names, self._scope)
        within = self._bounded(span)
        # whose reports are held, of those hours need not be unpacked to see what there is
        is_held = all(self._reports.holds(id_, within.start / SECOND - 1) for id_ in devices)
        by_hours = _is_long(within) and not is_held
        loaded = self._load(measurement, tuple(devices), within, by_hours=by_hours)
        found = (
            Series((id_, name), {"device": devices[id_], **parse_key(name)[1]})
            for id_, name in sorted(loaded)
        )
        return kept(where, found, self._patience)

    def labels(
        self, measurement: str, series: Sequence[Series], keys: Sequence[str]
    ) -> Sequence[tuple[str, ...]]:
        """All that they have."""
        del measurement
        return labels(series, keys)

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
        held = self._of(measurement, series, span, by_hours=buckets is None or _are_of_hours(buckets))
        return {id_: one.folds(buckets) for id_, one in held.items()}

    def lines(
        self, measurement: str, call: Call, series: Sequence[Series], span: Span, buckets: Buckets | None
    ) -> Mapping[Any, Line]:
        """Of points alone without a fold between."""
        if buckets is None or _are_of_hours(buckets):
            folds = self.folds(measurement, call.field, series, span, buckets, frozenset({call.function}))
            return lines(folds, call, buckets)
        held = self._of(measurement, series, span, by_hours=False)
        return {
            id_: one.parts[0].line(call.function, buckets)
            if len(one.parts) == 1 and not one.hours
            else line(one.folds(buckets), call)
            for id_, one in held.items()
        }

    def points(
        self, measurement: str, fields: Sequence[str], series: Sequence[Series], span: Span
    ) -> Mapping[Any, Sequence[Point]]:
        """As measured; of hours whose points are gone the mean, at their beginning."""
        held = self._of(measurement, series, span, by_hours=False)
        found: dict[Hashable, Sequence[Point]] = {}
        for id_, one in held.items():
            means = [(begin, hour.sum / hour.count) for begin, hour in one.hours.items()]
            told = (pair for part in one.parts for pair in zip(part.at, part.values, strict=True))
            values = sorted([*means, *told])
            found[id_] = [Point(at, (value,) * len(fields)) for at, value in values]
        return found

    def newest(
        self, measurement: str, fields: Sequence[str], series: Sequence[Series], span: Span
    ) -> Mapping[Any, Sequence[Point]]:
        """The last of its points."""
        return newest(self.points(measurement, fields, series, span))

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
            pruned = nanoseconds(journal.pruned_before(self._conn))
            first, last = _whole_hours(span, pruned, by_hours=by_hours)
            loaded: _Devices = defaultdict(_Held)
            metric = _METRICS[measurement]
            for id_ in asked[1]:
                self._patience.check()
                self._add_points(loaded, id_, metric, Span(span.start, min(first, span.end)))
                self._add_hours(loaded, id_, metric, first, last, pruned)
                self._add_points(loaded, id_, metric, Span(max(last, span.start), span.end))
            self._loaded[asked] = loaded
        return self._loaded[asked]

    def _add_points(self, loaded: _Devices, device_id: int, metric: str, span: Span) -> None:
        if span.start >= span.end:
            return
        # a second more: what is kept as a float is compared as whole microseconds
        for name, column in self._columns(device_id, metric, span.start / SECOND - 1).items():
            part = column.part(span)
            if part.at:
                self._patience.check(len(part.at))
                loaded[device_id, name].parts.append(part)

    def _columns(self, device_id: int, metric: str, since: float) -> Mapping[str, Column]:
        """Whether there are other reports is looked once: in one transaction there are none."""
        held = self._held.get(device_id)
        if held is None or since < held.since:
            held = self._held[device_id] = self._reports.of(self._conn, device_id, since)
        return held.columns.get(metric, {})

    def _add_hours(
        self, loaded: _Devices, device_id: int, metric: str, first: int, last: int, pruned: int
    ) -> None:
        if first >= last:
            return
        bounds = device_id, HOUR, first / SECOND, last / SECOND
        bodies, dirty = rollups.kept(self._conn, *bounds)
        for begin in dirty:
            bodies.pop(begin, None)
            at = begin * SECOND
            if at >= pruned:
                self._add_points(loaded, device_id, metric, Span(at, at + _HOUR_NS))
            else:
                made = rollups.read(self._conn, device_id, HOUR, begin, begin + HOUR)
                bodies |= {begin: pack(folds) for begin, folds in made.items()}
        for begin, body in bodies.items():
            for name, fold in _told(body).get(metric, ()):
                loaded[device_id, name].hours[begin * SECOND] = fold


@lru_cache(_HOURS)
def _told(body: bytes) -> Mapping[str, Sequence[tuple[str, Fold]]]:
    """What an hour says by metric, each with its series' key."""
    found: defaultdict[str, list[tuple[str, Fold]]] = defaultdict(list)
    for name, of in unpack(body).items():
        fold = Fold(of.count, of.sum, of.min, of.max, of.last, nanoseconds(of.last_at))
        found[parse_key(name)[0]].append((name, fold))
    return dict(found)


def _are_of_hours(buckets: Buckets) -> bool:
    """Whether they consist of whole hours."""
    return not (buckets.every % _HOUR_NS or buckets.offset % _HOUR_NS)


def _is_long(span: Span) -> bool:
    """Longer than two days and the instants at both of their ends."""
    return span.end - span.start > 2 * 86400 * SECOND + SECOND


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
