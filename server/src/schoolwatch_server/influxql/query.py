"""What a query says, as data."""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final, Literal

from schoolwatch_server.influxql.condition import ANY, Condition, Match
from schoolwatch_server.influxql.instant import EARLIEST, LATEST

Function = Literal["count", "sum", "mean", "min", "max", "last"]
Filling = Literal["null", "none", "previous", "linear", "number"]
Operator = Literal["+", "-", "*", "/"]

SELECTORS: Final = frozenset({"min", "max", "last"})
"""Functions that answer one of the points: alone and without time buckets they tell that point's time."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number in an expression."""

    value: float


@dataclass(frozen=True, slots=True)
class Field:
    """A field's own values."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function of a field's values."""

    function: Function
    field: str


@dataclass(frozen=True, slots=True)
class Binary:
    """Two expressions with a sign between them."""

    operator: Operator
    left: "Expression"
    right: "Expression"


Expression = Number | Field | Call | Binary


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the answer."""

    expression: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Span:
    """The instants of [start, end), nanoseconds; an end that nobody set is the end of all time."""

    start: int = EARLIEST
    end: int = LATEST


@dataclass(frozen=True, slots=True)
class Buckets:
    """GROUP BY time(every, offset), nanoseconds; `offset` has the zone's in it."""

    every: int
    offset: int = 0

    def start(self, at: int) -> int:
        """When the bucket begins that holds an instant."""
        return (at - self.offset) // self.every * self.every + self.offset


@dataclass(frozen=True, slots=True)
class Fill:
    """What stands in a bucket without points."""

    how: Filling = "null"
    number: float = 0.0


@dataclass(frozen=True, slots=True)
class Select:
    """A SELECT; `tags` are the dimensions, None for all of them (GROUP BY *)."""

    columns: tuple[Column, ...]
    measurement: str
    where: Condition = ANY
    span: Span = Span()
    buckets: Buckets | None = None
    tags: tuple[str, ...] | None = ()
    fill: Fill = Fill()
    is_descending: bool = False
    limit: int = 0
    offset: int = 0
    zone: tzinfo = UTC


Shown = Literal["databases", "policies", "measurements", "tag_keys", "tag_values", "field_keys"]


@dataclass(frozen=True, slots=True)
class Show:
    """A SHOW; `measurement` is empty for all, `named` says which measurements, `keys` which tag keys."""

    what: Shown
    measurement: str = ""
    named: Match | None = None
    keys: tuple[Match, ...] = ()
    where: Condition = ANY
    limit: int = 0
    offset: int = 0


Statement = Select | Show
