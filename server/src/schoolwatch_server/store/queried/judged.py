"""What the server judged, with the names of the places beside their ids."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from schoolwatch_server.database import judged_queries
from schoolwatch_server.database.judged_index import JudgedIndex, Known
from schoolwatch_server.influxql.condition import Condition, parts
from schoolwatch_server.influxql.patience import Patience
from schoolwatch_server.influxql.query import Buckets, Call, Function, Span
from schoolwatch_server.influxql.source import Fold, Line, Point, Series, kept, lines
from schoolwatch_server.scope import Scope
from schoolwatch_server.store.queried.beside import BESIDE, Named, Names, names_any
from schoolwatch_server.store.series import JUDGED_FIELDS


class JudgedSeries:
    """The judged series that a scope sees."""

    def __init__(
        self,
        conn: Connection,
        index: JudgedIndex,
        scope: Scope,
        names: Callable[[], Names],
        patience: Patience,
    ) -> None:
        self._patience = patience
        self._conn, self._index, self._scope, self._names = conn, index, scope, names

    @cached_property
    def _known(self) -> Known:
        return self._index.now(self._conn)

    def measurements(self) -> Collection[str]:
        """Those that were judged."""
        return self._known.measurements()

    def fields(self, measurement: str) -> Sequence[str]:
        """All have the same numbers."""
        del measurement
        return JUDGED_FIELDS

    def tag_keys(self, measurement: str) -> Sequence[str]:
        """The tags as they are kept, and names of places."""
        keys = self._known.tag_keys(measurement, self._scope)
        return sorted({*keys, *self._names().keys(keys)})

    def series(self, measurement: str, where: Condition, span: Span) -> Sequence[Series]:
        """By their tags; which of them have points in the span, their points tell."""
        del span
        # names are not in the index: ids stand for them, and where they can't is looked afterwards
        known, is_same = self._names().without(where, self._patience) if names_any(where) else (where, True)
        found = self._known.series(measurement, known, self._scope, self._patience)
        if is_same:
            return found
        named: Sequence[Series] = [Series(one.id, Named(one.tags, self._names)) for one in found]
        for part in filter(names_any, parts(where)):  # all else holds of what was found
            named = kept(part, named, self._patience)
        left = {one.id for one in named}
        return [one for one in found if one.id in left]

    def labels(
        self, measurement: str, series: Sequence[Series], keys: Sequence[str]
    ) -> Sequence[tuple[str, ...]]:
        """Tags as they are kept, and names of places."""
        del measurement
        tags = [one.tags for one in series]
        columns = [
            self._names().column(tags, key) if key in BESIDE else [its.get(key, "") for its in tags]
            for key in keys
        ]
        return list(zip(*columns, strict=True))

    def folds(
        self,
        measurement: str,
        field: str,
        series: Sequence[Series],
        span: Span,
        buckets: Buckets | None,
        need: frozenset[Function],
    ) -> Mapping[Any, Mapping[int, Fold]]:
        """As the database folds them."""
        del measurement
        return judged_queries.folds(self._conn, _ids(series), field, span, buckets, need, self._patience)

    def lines(
        self, measurement: str, call: Call, series: Sequence[Series], span: Span, buckets: Buckets | None
    ) -> Mapping[Any, Line]:
        """The last values as the points lie."""
        if call.function == "last":
            return judged_queries.lasts(self._conn, _ids(series), call.field, span, buckets, self._patience)
        need = frozenset({call.function})
        return lines(self.folds(measurement, call.field, series, span, buckets, need), call, buckets)

    def points(
        self, measurement: str, fields: Sequence[str], series: Sequence[Series], span: Span
    ) -> Mapping[Any, Sequence[Point]]:
        """As they were judged."""
        del measurement
        return judged_queries.points(self._conn, _ids(series), fields, span, self._patience)

    def newest(
        self, measurement: str, fields: Sequence[str], series: Sequence[Series], span: Span
    ) -> Mapping[Any, Sequence[Point]]:
        """As it was judged."""
        del measurement
        return judged_queries.newest_points(self._conn, _ids(series), fields, span, self._patience)


def _ids(series: Sequence[Series]) -> list[int]:
    return [one.id for one in series if isinstance(one.id, int)]
