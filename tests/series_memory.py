"""A source of series in memory."""

from collections.abc import Hashable, Mapping, Sequence

from schoolwatch_server.influxql.condition import Condition, holds
from schoolwatch_server.influxql.query import Buckets, Span
from schoolwatch_server.influxql.source import Fold, Point, Series, folded


class Memory:
    """Measurement → tags → instant → field → value."""

    def __init__(self) -> None:
        self.data: dict[str, dict[tuple[tuple[str, str], ...], dict[int, dict[str, float]]]] = {}

    def add(self, measurement: str, tags: Mapping[str, str], at: int, **values: float) -> None:
        series = self.data.setdefault(measurement, {}).setdefault(tuple(sorted(tags.items())), {})
        series.setdefault(at, {}).update(values)

    def lines(self) -> str:
        """All of it in line protocol."""
        return "\n".join(
            f"{measurement}{''.join(f',{k}={v}' for k, v in tags)} "
            f"{','.join(f'{k}={v!r}' for k, v in values.items())} {at}"
            for measurement, series in self.data.items()
            for tags, points in series.items()
            for at, values in points.items()
        )

    def measurements(self) -> Sequence[str]:
        return tuple(self.data)

    def fields(self, measurement: str) -> Sequence[str]:
        series = self.data.get(measurement, {}).values()
        return sorted({name for points in series for values in points.values() for name in values})

    def tag_keys(self, measurement: str) -> Sequence[str]:
        return sorted({key for tags in self.data.get(measurement, {}) for key, _ in tags})

    def series(self, measurement: str, where: Condition, span: Span) -> Sequence[Series]:
        found = (Series(tags, dict(tags)) for tags in self.data.get(measurement, {}))
        return [one for one in found if holds(where, one.tags)]

    def folds(
        self, measurement: str, field: str, series: Sequence[Series], span: Span, buckets: Buckets | None
    ) -> Mapping[Hashable, Mapping[int, Fold]]:
        points = self.points(measurement, [field], series, span)
        return {
            id_: folded([(p.at, p.values[0]) for p in its if p.values[0] is not None], buckets)
            for id_, its in points.items()
        }

    def points(
        self, measurement: str, fields: Sequence[str], series: Sequence[Series], span: Span
    ) -> Mapping[Hashable, Sequence[Point]]:
        return {
            one.id: [
                Point(at, tuple(values.get(name) for name in fields))
                for at, values in sorted(self.data[measurement][one.id].items())  # type: ignore[index]
                if span.start <= at < span.end and any(name in values for name in fields)
            ]
            for one in series
        }
