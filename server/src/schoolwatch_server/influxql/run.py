"""Answers a SELECT from a source: series put together by tags, points into buckets, buckets into columns."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from schoolwatch_server.influxql.columns import Row, of_folds, of_points
from schoolwatch_server.influxql.errors import QueryError
from schoolwatch_server.influxql.expression import is_raw, leaves
from schoolwatch_server.influxql.query import SELECTORS, Buckets, Call, Column, Field, Fill, Select
from schoolwatch_server.influxql.source import Fold, Point, Series, Source, merged

_T = TypeVar("_T")

SERIES_MAX: Final = 20_000
"""Series in one answer."""

VALUES_MAX: Final = 500_000
"""Values in one answer; a screen shows some thousands."""


class Answered(NamedTuple):
    """A series of an answer; each row begins with its instant (nanoseconds), None where none is told."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    tags: Mapping[str, str] | None = None


def select(query: Select, source: Source) -> tuple[Answered, ...]:
    """What a SELECT answers; nothing where there are no points. Raises `QueryError`."""
    known = source.fields(query.measurement)
    asked = list(
        dict.fromkeys(_field(leaf) for column in query.columns for leaf in leaves(column.expression))
    )
    fields = [field for field in asked if field in known]
    if not fields or query.span.start >= query.span.end:
        return ()
    series = source.series(query.measurement, query.where, query.span)
    if len(series) > SERIES_MAX:
        raise QueryError(f"{len(series)} series, at most {SERIES_MAX}: ask for fewer in WHERE")
    _refuse_too_many(query, len(series))
    answer = _raw if is_raw(query.columns) else _aggregated
    groups = _groups(query, series, source)
    columns = ("time", *(column.name for column in query.columns))
    found = []
    for tags, rows in answer(query, source, fields, groups):
        ordered = rows[::-1] if query.is_descending else rows
        part = _part(ordered, query.limit, query.offset)
        if part:
            found.append(Answered(query.measurement, columns, tuple(part), tags))
    if query.is_descending:
        found.reverse()
    return tuple(found)


Groups = list[tuple[dict[str, str] | None, list[Series]]]


def _groups(query: Select, series: Sequence[Series], source: Source) -> Groups:
    """Series of the same values of the tags that are grouped by, in the order of these."""
    keys = sorted(source.tag_keys(query.measurement) if query.tags is None else query.tags)
    if not keys:
        return [(None, list(series))] if series else []
    found: defaultdict[tuple[str, ...], list[Series]] = defaultdict(list)
    for values, one in zip(source.labels(query.measurement, series, keys), series, strict=True):
        found[values].append(one)
    return [(dict(zip(keys, values, strict=True)), found[values]) for values in sorted(found)]


def _refuse_too_many(query: Select, series: int) -> None:
    if query.buckets is None:
        return
    buckets = (query.span.end - query.span.start) // query.buckets.every + 1
    answered = series if query.tags != () else min(series, 1)
    if buckets * answered * len(query.columns) > VALUES_MAX:  # of no series there is nothing to answer
        raise QueryError(
            f"{buckets} intervals of {answered} series are more than {VALUES_MAX} values: "
            "ask for longer intervals, a shorter time or fewer series"
        )


# --- functions ----------------------------------------------------------------------------------------


def _aggregated(
    query: Select, source: Source, fields: Sequence[str], groups: Groups
) -> Iterable[tuple[dict[str, str] | None, Sequence[Row]]]:
    if (of := _line_of(query)) is not None and all(len(its) == 1 for _, its in groups):
        yield from _lines(query, of, source, groups)
        return
    series = [one for _, its in groups for one in its]
    need = frozenset(call.function for call in _calls(query))
    by_field = {
        field: source.folds(query.measurement, field, series, query.span, query.buckets, need)
        for field in fields
    }
    selected = _selected(query) if query.buckets is None else None
    for tags, its in groups:
        folds = {field: _together(its, found) for field, found in by_field.items()}
        if not any(folds.values()):
            continue
        if selected is not None and selected.function != "last":
            fold = folds[selected.field][0]
            yield tags, of_points(query.columns, [_extreme(query, source, selected, its, fold)])
        else:
            yield tags, of_folds(query, folds, is_selected=selected is not None)


def _line_of(query: Select) -> Call | None:
    """The function of which each interval's value is asked, or the last point, and nothing else.

    Nearly all panels ask so.
    """
    match query:
        case Select((Column(Call() as call),), fill=Fill("none"), buckets=Buckets()):
            return call
        case Select((Column(Call("last") as call),), buckets=None):
            return call
    return None


def _lines(
    query: Select, call: Call, source: Source, groups: Groups
) -> Iterable[tuple[dict[str, str] | None, Sequence[Row]]]:
    """As `_aggregated`, where each group is one series: the rows as the source has them."""
    series = [one for _, (one,) in groups]
    found = source.lines(query.measurement, call, series, query.span, query.buckets)
    for tags, (one,) in groups:
        if rows := found.get(one.id):
            yield tags, rows


def _selected(query: Select) -> Call | None:
    """The one selector, where nothing else is asked for: it tells when its point was."""
    only, *others = _calls(query)
    return only if not others and only.function in SELECTORS else None


def _calls(query: Select) -> set[Call]:
    found = (leaf for column in query.columns for leaf in leaves(column.expression))
    return {leaf for leaf in found if isinstance(leaf, Call)}


def _extreme(query: Select, source: Source, call: Call, series: Sequence[Series], fold: Fold) -> Point:
    """The smallest or largest point, the first of several.

    How large it was the fold knows: of hours whose points are gone, the points are their means.
    """
    found = source.points(query.measurement, [call.field], series, query.span)
    sign = 1.0 if call.function == "min" else -1.0
    points = [(sign * (p.values[0] or 0.0), p.at) for its in found.values() for p in its]
    _, at = min(points)
    return Point(at, (fold.min if call.function == "min" else fold.max,))


def _together(series: Sequence[Series], found: Mapping[object, Mapping[int, Fold]]) -> dict[int, Fold]:
    """The folds of several series as those of one."""
    if len(series) == 1:
        return dict(found.get(series[0].id, {}))
    merging: dict[int, Fold] = {}
    for one in series:
        for start, fold in found.get(one.id, {}).items():
            merging[start] = merged(merging[start], fold) if start in merging else fold
    return merging


# --- points themselves --------------------------------------------------------------------------------


def _raw(
    query: Select, source: Source, fields: Sequence[str], groups: Groups
) -> Iterable[tuple[dict[str, str] | None, Sequence[Row]]]:
    series = [one for _, its in groups for one in its]
    is_newest = query.is_descending and query.limit == 1 and not query.offset
    if is_newest and [column.expression for column in query.columns] == list(map(Field, fields)):
        yield from _newest(source.newest(query.measurement, fields, series, query.span), groups)
        return
    ask = source.newest if is_newest else source.points
    found = ask(query.measurement, fields, series, query.span)
    if sum(map(len, found.values())) * len(query.columns) > VALUES_MAX:
        raise QueryError(f"more than {VALUES_MAX} values: ask for mean() or last() and GROUP BY time()")
    places = _tags_among(query, source, fields)
    for tags, its in groups:
        points = [(point, one) for one in its for point in found.get(one.id, ())]
        points.sort(key=_instant)
        rows = of_points(query.columns, [point for point, _ in points], fields)
        if places:
            told = dict(
                zip(
                    [one.id for one in its],
                    source.labels(query.measurement, its, [*places.values()]),
                    strict=True,
                )
            )
            rows = [_tagged(row, told[one.id], places) for row, (_, one) in zip(rows, points, strict=True)]
        yield tags, rows


def _newest(
    found: Mapping[object, Sequence[Point]], groups: Groups
) -> Iterable[tuple[dict[str, str] | None, Sequence[Row]]]:
    """The newest row of each group, also where it has no number of one field: what tables of now ask for."""
    for tags, its in groups:
        newest: Point | None = None
        for one in its:
            for point in found.get(one.id, ()):
                if newest is None or point.at >= newest.at:
                    newest = point
        if newest is not None:
            yield tags, [(newest.at, *newest.values)]


def _tags_among(query: Select, source: Source, fields: Sequence[str]) -> dict[int, str]:
    """Which cells of a row are a tag's text: an annotation asks for it beside a number."""
    keys = set(source.tag_keys(query.measurement)) - set(fields)
    places: dict[int, str] = {}
    for place, column in enumerate(query.columns, 1):
        names = {_field(leaf) for leaf in leaves(column.expression)} & keys
        if names and not isinstance(column.expression, Field):
            raise QueryError(f"{min(names)} is a tag, a text: nothing is reckoned with it")
        places.update((place, name) for name in names)
    return places


def _tagged(row: Row, texts: Sequence[str], places: Collection[int]) -> Row:
    by_place = dict(zip(places, texts, strict=True))
    return tuple((by_place[n] or None) if n in by_place else cell for n, cell in enumerate(row))


def _instant(pair: tuple[Point, Series]) -> int:
    return pair[0].at


def _field(leaf: Call | Field) -> str:
    return leaf.field if isinstance(leaf, Call) else leaf.name


def _part(items: Sequence[_T], limit: int, offset: int) -> Sequence[_T]:
    return items[offset : offset + limit] if limit else items[offset:]
