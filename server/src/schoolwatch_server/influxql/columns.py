"""From folds or points to the rows of an answer: functions, empty buckets filled, sums done."""

import itertools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

from schoolwatch_server.influxql.expression import leaves
from schoolwatch_server.influxql.instant import EARLIEST
from schoolwatch_server.influxql.query import (
    Binary,
    Call,
    Column,
    Expression,
    Field,
    Fill,
    Number,
    Operator,
    Select,
)
from schoolwatch_server.influxql.source import VALUES, Fold, Point

Row = tuple[object, ...]
Value = float | None
Values = dict[Call | Field, Value]


def of_folds(query: Select, folds: Mapping[str, Mapping[int, Fold]], *, is_selected: bool) -> list[Row]:
    """The rows of one group of series, oldest first."""
    calls = [leaf for column in query.columns for leaf in leaves(column.expression) if isinstance(leaf, Call)]
    if query.buckets is None:
        found = {call: folds.get(call.field, {}).get(0) for call in calls}
        values: Values = {
            call: None if fold is None else VALUES[call.function](fold) for call, fold in found.items()
        }
        at = 0 if query.span.start == EARLIEST else query.span.start
        if is_selected:
            at = next(fold.last_at for fold in found.values() if fold is not None)
        return [(at, *(_computed(column.expression, values) for column in query.columns))]
    by_call = {call: _filled(query, call, folds.get(call.field, {})) for call in calls}
    if query.fill.how == "none" and [column.expression for column in query.columns] == calls[:1]:
        return sorted(by_call[calls[0]].items())  # what panels ask: nothing to reckon, nothing to fill
    starts = _starts(query)
    if query.fill.how == "none":
        starts = [start for start in starts if any(start in its for its in by_call.values())]
    rows: list[Row] = []
    for start in starts:
        values = {call: its.get(start) for call, its in by_call.items()}
        rows.append((start, *(_computed(column.expression, values) for column in query.columns)))
    return rows


def of_points(columns: Sequence[Column], points: Sequence[Point], fields: Sequence[str] = ()) -> list[Row]:
    """The rows of points, in their order; their values are of `fields`, without any of the one function."""
    rows: list[Row] = []
    for point in points:
        values: Values
        if fields:
            values = {Field(name): value for name, value in zip(fields, point.values, strict=True)}
        else:
            values = dict.fromkeys(leaves(columns[0].expression), point.values[0])
        rows.append((point.at, *(_computed(column.expression, values) for column in columns)))
    return rows


def _starts(query: Select) -> list[int]:
    assert query.buckets is not None
    buckets = query.buckets
    return list(range(buckets.start(query.span.start), query.span.end, buckets.every))


# --- buckets without points ---------------------------------------------------------------------------


def _filled(query: Select, call: Call, folds: Mapping[int, Fold]) -> dict[int, Value]:
    """The values of a function by bucket; a bucket that stays empty is not among them.

    As in InfluxDB a count is 0 where nothing is, unless there is no point of the field at all.
    """
    value = VALUES[call.function]
    found: dict[int, Value] = {start: value(fold) for start, fold in folds.items()}
    fill, is_count = query.fill, call.function == "count"
    if is_count and folds and fill.how == "null":
        fill = Fill("number", 0)
    match fill.how:
        case "number":
            number = float(math.trunc(fill.number)) if is_count else fill.number
            return {start: found.get(start, number) for start in _starts(query)}
        case "previous":
            return _carried(found, _starts(query))
        case "linear":
            between = _between(found, _starts(query)).items()
            return found | {start: int(value) if is_count else value for start, value in between}
    return found


def _carried(found: Mapping[int, Value], starts: Sequence[int]) -> dict[int, Value]:
    carried: dict[int, Value] = {}
    held: Value = None
    for start in starts:
        held = found.get(start, held)
        if held is not None:
            carried[start] = held
    return carried


def _between(found: Mapping[int, Value], starts: Sequence[int]) -> dict[int, float]:
    """On the line between the nearest two that are known."""
    known = sorted((start, value) for start, value in found.items() if value is not None)
    made: dict[int, float] = {}
    for (left, low), (right, high) in itertools.pairwise(known):
        for start in starts[bisect_right(starts, left) : bisect_left(starts, right)]:
            made[start] = low + (high - low) * (start - left) / (right - left)
    return made


# --- sums ---------------------------------------------------------------------------------------------


def _computed(expression: Expression, values: Mapping[Call | Field, Value]) -> Value:
    match expression:
        case Number(value):
            return value
        case Binary(operator, left, right):
            return _applied(operator, _computed(left, values), _computed(right, values))
        case Call() | Field():
            return values.get(expression)


def _applied(operator: Operator, left: Value, right: Value) -> Value:
    """Nothing of nothing; what is divided by 0 is 0, as in InfluxDB."""
    if left is None or right is None:
        return None
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right if right else 0.0
