"""A SELECT apart from its times: a panel asks the same again and again, each time of another span."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from types import MappingProxyType

from schoolwatch_server.influxql import instant
from schoolwatch_server.influxql.condition import Condition
from schoolwatch_server.influxql.errors import QueryError
from schoolwatch_server.influxql.expression import is_raw
from schoolwatch_server.influxql.query import Buckets, Column, Fill, Select, Span
from schoolwatch_server.influxql.where import Limit, span


@dataclass(frozen=True, slots=True)
class Undated:
    """What a SELECT says; `every` has its offset without the zone's."""

    columns: tuple[Column, ...]
    measurement: str
    where: Condition
    times: tuple[Limit, ...]
    every: Buckets | None
    tags: tuple[str, ...] | None
    fill: Fill
    is_descending: bool
    limit: int
    offset: int
    zone: tzinfo

    def dated(self, now: int, instants: Mapping[int, int] = MappingProxyType({})) -> Select:
        """The query as it is asked at `now` (nanoseconds). Raises `QueryError`.

        `instants` stand for those of its own text, by their places there.
        """
        asked, every, buckets = span(self.times, self.zone, instants), self.every, None
        if every is not None:
            asked = _bounded(asked, now)
            ahead = instant.shift(self.zone, asked.start, asked.end)
            buckets = Buckets(every.every, every.offset - ahead)
            if is_raw(self.columns):
                raise QueryError("GROUP BY requires at least one aggregate function")
            if self.is_descending and self.fill.how in ("previous", "linear"):
                raise QueryError(f"fill({self.fill.how}) goes with ORDER BY time ASC alone here")
        return Select(
            self.columns,
            self.measurement,
            self.where,
            asked,
            buckets,
            self.tags,
            self.fill,
            self.is_descending,
            self.limit,
            self.offset,
            self.zone,
        )


def _bounded(asked: Span, now: int) -> Span:
    """Time buckets need a beginning, and end now where no end is said."""
    if asked.start == instant.EARLIEST:
        raise QueryError("GROUP BY time() needs a beginning: WHERE time >= …")
    return asked if asked.end != instant.LATEST else Span(asked.start, max(now, asked.start))
