"""A whole query answered, as JSON or CSV like InfluxDB 1.8 writes them."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Final

import msgspec

from schoolwatch_server.influxql.errors import QueryError
from schoolwatch_server.influxql.instant import UNITS, rfc3339
from schoolwatch_server.influxql.query import Select, Statement
from schoolwatch_server.influxql.run import Answered, select
from schoolwatch_server.influxql.show import show
from schoolwatch_server.influxql.source import Source

EPOCHS: Final = ("ns", "u", "µ", "ms", "s", "m", "h")
"""Units in which instants are asked for; without one they are RFC 3339."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one statement."""

    series: tuple[Answered, ...] = ()
    error: str = ""
    zone: tzinfo = UTC


def answer(statements: Sequence[Statement], source: Source) -> tuple[Result, ...]:
    """Each statement's answer or what is wrong with it; after one that fails none is answered."""
    results: list[Result] = []
    for statement in statements:
        try:
            if isinstance(statement, Select):
                results.append(Result(select(statement, source), zone=statement.zone))
            else:
                results.append(Result(show(statement, source)))
        except QueryError as error:
            results.append(Result(error=str(error)))
            break
    return tuple(results)


def as_json(results: Sequence[Result], epoch: str = "") -> bytes:
    """`{"results": …}`."""
    found = []
    for number, result in enumerate(results):
        one: dict[str, object] = {"statement_id": number}
        if result.error:
            one["error"] = result.error
        if result.series:
            clock = _clock(epoch, result.zone)
            one["series"] = [_series(series, epoch, clock) for series in result.series]
        found.append(one)
    return msgspec.json.encode({"results": found}) + b"\n"


def as_csv(results: Sequence[Result], epoch: str = "") -> bytes:
    """One table a statement and set of columns: name, tags, the columns; instants are ns unless asked for."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for number, result in enumerate(results):
        if number:
            text.write("\n")
        if result.error:
            writer.writerows([["error"], [result.error]])
        clock = _clock(epoch or "ns", result.zone)
        for place, series in enumerate(result.series):
            if not place or series.columns != result.series[place - 1].columns:
                if place:
                    text.write("\n")
                writer.writerow(["name", "tags", *series.columns])
            tags = ",".join(f"{key}={value}" for key, value in (series.tags or {}).items())
            for row in _timed(series, clock):
                writer.writerow([series.name, tags, *("" if cell is None else _cell(cell) for cell in row)])
    return text.getvalue().encode()


Clock = Callable[[int], object]


def _clock(epoch: str, zone: tzinfo) -> Clock:
    if not epoch:
        return lambda at: rfc3339(at, zone)
    unit = UNITS[epoch]
    return lambda at: at // unit if at >= 0 else -(-at // unit)


def _series(series: Answered, epoch: str, clock: Clock) -> dict[str, object]:
    found: dict[str, object] = {"name": series.name} if series.name else {}
    if series.tags is not None:
        found["tags"] = series.tags
    found["columns"] = series.columns
    found["values"] = _values(series, epoch, clock)
    return found


def _values(series: Answered, epoch: str, clock: Clock) -> msgspec.Raw | list[tuple[object, ...]]:
    rows: Any = series.rows
    if epoch and len(rows) > _FEW and _is_line(series) and rows[0][0] >= 0 <= rows[-1][0]:
        unit = UNITS[epoch]
        written = msgspec.json.encode([(at // unit, number) for at, number in rows])
        return msgspec.Raw(written.replace(b".0]", b"]"))  # as `_number` does
    return [tuple(map(_number, row)) for row in _timed(series, clock)]


_FEW: Final = 4
"""Rows that are written with all else at once."""


def _is_line(series: Answered) -> bool:
    """A panel's line, of many rows of one number: it is written without a call for each."""
    return len(series.columns) == 2 and series.columns[0] == "time" and isinstance(series.rows[0][1], float)


def _timed(series: Answered, clock: Clock) -> list[tuple[object, ...]]:
    if series.columns[0] != "time":
        return list(series.rows)
    return [(clock(at), *rest) for at, *rest in series.rows]  # type: ignore[arg-type]


def _number(cell: object) -> object:
    """A whole number without `.0`, as InfluxDB writes it."""
    return int(cell) if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15 else cell


def _cell(cell: object) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    return str(_number(cell))
