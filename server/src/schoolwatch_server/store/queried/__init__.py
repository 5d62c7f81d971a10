"""The embedded store as a source of queries: what was measured and judged, and which schools there are."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from schoolwatch_server.database.judged_index import JudgedIndex
from schoolwatch_server.influxql.condition import Condition
from schoolwatch_server.influxql.patience import PATIENT, Patience
from schoolwatch_server.influxql.query import Buckets, Call, Function, Span
from schoolwatch_server.influxql.source import Fold, Line, Point, Series, Source
from schoolwatch_server.scope import Scope
from schoolwatch_server.store.queried.info import InfoSeries
from schoolwatch_server.store.queried.judged import JudgedSeries
from schoolwatch_server.store.queried.measured import MeasuredSeries
from schoolwatch_server.store.queried.names import NamesHeld
from schoolwatch_server.store.queried.reports import Reports


class Queried:
    """What one reader may see of the store, within one transaction. Implements `influxql.source.Source`.

    What takes longer than its patience ends with a `QueryError`.
    """

    def __init__(
        self,
        conn: Connection,
        index: JudgedIndex,
        scope: Scope,
        now: float,
        patience: Patience = PATIENT,
        *,
        reports: Reports | None = None,
        names: NamesHeld | None = None,
    ) -> None:
        info = InfoSeries(conn, scope, now, patience, names=names)
        self._parts: tuple[Source, ...] = (
            JudgedSeries(conn, index, scope, info.names, patience),
            info,
            MeasuredSeries(conn, reports or Reports(), scope, now, patience),
        )

    def measurements(self) -> Sequence[str]:
        """The names of measurements."""
        return sorted({name for part in self._parts for name in part.measurements()})

    def _has(self, measurement: str) -> bool:
        return any(measurement in part.measurements() for part in self._parts)

    def _of(self, measurement: str) -> Source:
        """Whose it is: what was judged goes before what is measured under the same name."""
        return next(part for part in self._parts if measurement in part.measurements())

    def fields(self, measurement: str) -> Sequence[str]:
        """A measurement's fields; none for a measurement that there isn't."""
        return self._of(measurement).fields(measurement) if self._has(measurement) else ()

    def tag_keys(self, measurement: str) -> Sequence[str]:
        """The tags that series of a measurement have."""
        return self._of(measurement).tag_keys(measurement) if self._has(measurement) else ()

    def series(self, measurement: str, where: Condition, span: Span) -> Sequence[Series]:
        """The series asked for."""
        return self._of(measurement).series(measurement, where, span)

    def labels(
        self, measurement: str, series: Sequence[Series], keys: Sequence[str]
    ) -> Sequence[tuple[str, ...]]:
        """Of each series the values of some tags."""
        return self._of(measurement).labels(measurement, series, keys)

    def folds(
        self,
        measurement: str,
        field: str,
        series: Sequence[Series],
        span: Span,
        buckets: Buckets | None,
        need: frozenset[Function],
    ) -> Mapping[Any, Mapping[int, Fold]]:
        """Each series' points in the span, in buckets."""
        return self._of(measurement).folds(measurement, field, series, span, buckets, need)

    def lines(
        self, measurement: str, call: Call, series: Sequence[Series], span: Span, buckets: Buckets | None
    ) -> Mapping[Any, Line]:
        """What a function gives of each series in each bucket."""
        return self._of(measurement).lines(measurement, call, series, span, buckets)

    def points(
        self, measurement: str, fields: Sequence[str], series: Sequence[Series], span: Span
    ) -> Mapping[Any, Sequence[Point]]:
        """Each series' points in the span."""
        return self._of(measurement).points(measurement, fields, series, span)

    def newest(
        self, measurement: str, fields: Sequence[str], series: Sequence[Series], span: Span
    ) -> Mapping[Any, Sequence[Point]]:
        """Each series' newest point in the span."""
        return self._of(measurement).newest(measurement, fields, series, span)
