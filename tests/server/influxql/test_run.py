"""What a SELECT answers of a source; that it is what InfluxDB answers, tests/server/store says."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from schoolwatch_server.influxql.condition import Condition
from schoolwatch_server.influxql.parser import parse
from schoolwatch_server.influxql.patience import PATIENT
from schoolwatch_server.influxql.query import Buckets, Call, Function, Select, Span
from schoolwatch_server.influxql.run import select
from schoolwatch_server.influxql.source import Fold, Line, Point, Series, kept, labels, lines

HOUR = 3_600_000_000_000
SERIES = (Series(1, {"nic": "a"}), Series(2, {"nic": "b"}))


FOLDS = {1: (Fold(4, 40.0, 2.0, 30.0, 5.0, HOUR), 0), 2: (Fold(4, 48.0, 10.0, 14.0, 12.0, 2 * HOUR), HOUR)}


class OfHours:
    """A source whose points are gone: of each hour there is a fold, and as a point its mean."""

    def measurements(self) -> Sequence[str]:
        return ("x",)

    def fields(self, measurement: str) -> Sequence[str]:
        del measurement
        return ("value",)

    def tag_keys(self, measurement: str) -> Sequence[str]:
        del measurement
        return ("nic",)

    def series(self, measurement: str, where: Condition, span: Span) -> Sequence[Series]:
        del measurement, span
        return tuple(kept(where, SERIES, PATIENT))

    def folds(
        self, measurement: str, field: str, series: Sequence[Series], span: Span, buckets: Buckets | None,
        need: frozenset[Function],
    ) -> Mapping[Any, Mapping[int, Fold]]:  # fmt: skip
        del measurement, field, span, buckets, need
        return {one.id: {0: FOLDS[one.id][0]} for one in series}

    def labels(
        self, measurement: str, series: Sequence[Series], keys: Sequence[str]
    ) -> Sequence[tuple[str, ...]]:
        del measurement
        return labels(series, keys)

    def lines(
        self, measurement: str, call: Call, series: Sequence[Series], span: Span, buckets: Buckets | None
    ) -> Mapping[Any, Line]:
        folds = self.folds(measurement, call.field, series, span, buckets, frozenset({call.function}))
        return lines(folds, call, buckets)

    def points(
        self, measurement: str, fields: Sequence[str], series: Sequence[Series], span: Span
    ) -> Mapping[Any, Sequence[Point]]:
        del measurement, fields, span
        found = {one.id: FOLDS[one.id] for one in series}
        return {id_: [Point(at, (fold.sum / fold.count,))] for id_, (fold, at) in found.items()}

    def newest(
        self, measurement: str, fields: Sequence[str], series: Sequence[Series], span: Span
    ) -> Mapping[Any, Sequence[Point]]:
        return self.points(measurement, fields, series, span)


@pytest.mark.parametrize(
    ("function", "where", "row"),
    [
        ("max", "", (HOUR, 30.0)),
        ("min", "", (0, 2.0)),
        ("max", "WHERE nic = 'b'", (HOUR, 14.0)),
        ("min", "WHERE nic = 'b'", (HOUR, 10.0)),
    ],
)
def test_the_largest_is_the_largest_though_its_point_is_gone(
    function: str, where: str, row: tuple[int, float]
) -> None:
    """And not the mean of its hour, as it once was: the panel beside it said otherwise."""
    (query,) = parse(f"SELECT {function}(value) FROM x {where}", 0)
    assert isinstance(query, Select)
    (found,) = select(query, OfHours())
    assert found.rows == (row,)
