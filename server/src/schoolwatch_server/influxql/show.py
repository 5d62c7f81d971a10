"""Answers a SHOW from a source."""

from collections.abc import Iterable, Sequence
from typing import Final

from schoolwatch_server.influxql.condition import ANY
from schoolwatch_server.influxql.errors import UnnamedError
from schoolwatch_server.influxql.query import Show, Span
from schoolwatch_server.influxql.run import Answered
from schoolwatch_server.influxql.source import Series, Source

DATABASE: Final = "schoolwatch"
POLICY: Final = "autogen"


def show(query: Show, source: Source) -> tuple[Answered, ...]:
    """What a SHOW answers. Raises `QueryError`."""
    match query.what:
        case "databases":
            return (Answered("databases", ("name",), ((DATABASE,),)),)
        case "policies":
            columns = ("name", "duration", "shardGroupDuration", "replicaN", "default")
            return (Answered("", columns, ((POLICY, "0s", "168h0m0s", 1, True),)),)
        case "measurements":
            names = [name for name in _measurements(query, source) if _has_series(query, source, name)]
            rows = _part([(name,) for name in names], query)
            return (Answered("measurements", ("name",), rows),) if rows else ()
        case "field_keys":
            found = ((name, source.fields(name)) for name in _measurements(query, source))
            return _each(
                query, ("fieldKey", "fieldType"), ((n, [(f, "float") for f in fs]) for n, fs in found)
            )
        case "tag_keys":
            keys = (
                (name, [(key,) for key in _keys(query, source, name)])
                for name in _measurements(query, source)
            )
            return _each(query, ("tagKey",), keys)
        case "tag_values":
            values = ((name, _values(query, source, name)) for name in _measurements(query, source))
            return _each(query, ("key", "value"), values)


def _measurements(query: Show, source: Source) -> list[str]:
    named = sorted(source.measurements())
    if query.measurement:
        return [query.measurement] if query.measurement in named else []
    return [name for name in named if query.named is None or query.named.holds(name)]


def _has_series(query: Show, source: Source, measurement: str) -> bool:
    return query.where == ANY or bool(_series(query, source, measurement))


def _keys(query: Show, source: Source, measurement: str) -> list[str]:
    if query.where == ANY:
        return sorted(source.tag_keys(measurement))
    keys = sorted(source.tag_keys(measurement))
    texts = source.labels(measurement, _series(query, source, measurement), keys)
    return [key for key, its in zip(keys, zip(*texts, strict=True), strict=False) if any(its)]


def _values(query: Show, source: Source, measurement: str) -> list[tuple[str, str]]:
    keys = [key for key in source.tag_keys(measurement) if any(match.holds(key) for match in query.keys)]
    if not keys:
        return []
    found = _series(query, source, measurement)
    texts = {*source.labels(measurement, found, keys)}
    return sorted({pair for its in texts for pair in zip(keys, its, strict=True) if pair[1]})


def _series(query: Show, source: Source, measurement: str) -> Sequence[Series]:
    """Those asked for. Of all measurements those are passed over of which each would have to be looked at."""
    try:
        return source.series(measurement, query.where, Span())
    except UnnamedError:
        if query.measurement:
            raise
        return ()


def _each(
    query: Show, columns: tuple[str, ...], found: Iterable[tuple[str, Sequence[tuple[object, ...]]]]
) -> tuple[Answered, ...]:
    """One series a measurement that has something; the limit goes for each."""
    parts = ((name, _part(sorted(rows), query)) for name, rows in found)
    return tuple(Answered(name, columns, rows) for name, rows in parts if rows)


def _part(rows: Sequence[tuple[object, ...]], query: Show) -> tuple[tuple[object, ...], ...]:
    end = query.offset + query.limit if query.limit else None
    return tuple(rows[query.offset : end])
