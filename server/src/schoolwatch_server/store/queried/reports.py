"""Reports of computers taken apart into columns, which all graphs of one computer are made of."""

import itertools
import threading
import time
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from operator import truediv
from typing import Final, NamedTuple

from sqlalchemy import Connection

from schoolwatch_contract.envelope import decode_stored
from schoolwatch_server.database import journal
from schoolwatch_server.influxql.instant import nanoseconds
from schoolwatch_server.influxql.query import Buckets, Call, Function, Span
from schoolwatch_server.influxql.source import Fold, Line, line
from schoolwatch_server.state import key

MOST: Final = 20_000
"""Reports that are held, of ten computers for a week: some 2 kB each."""

IDLE: Final = 600.0
"""Seconds after which a computer's are let go that nobody looks at."""


class Column(NamedTuple):
    """Points of one series: instants (nanoseconds) in their order, and values."""

    at: "array[int]"
    values: "array[float]"

    def part(self, span: Span) -> "Column":
        """Those in a span."""
        first, last = bisect_left(self.at, span.start), bisect_left(self.at, span.end)
        return Column(self.at[first:last], self.values[first:last])

    def folds(self, buckets: Buckets | None) -> dict[int, Fold]:
        """They in buckets by their beginning; without any, all under 0."""
        at, values = self.at, self.values
        if buckets is None:
            return {0: self._fold(0, len(at))} if at else {}
        starts = list(map(buckets.start, at))
        several = {one for one, next_ in itertools.pairwise(starts) if one == next_}
        found = {}
        if len(several) < len(starts) / 4:  # most are alone: made without looking for the others
            found = {
                start: Fold(1, value, value, value, value, one)
                for start, one, value in zip(starts, at, values, strict=True)
            }
        for start in several if found else sorted({*starts}):
            found[start] = self._fold(bisect_left(starts, start), bisect_right(starts, start))
        return found

    def line(self, function: Function, buckets: Buckets) -> Line:
        """What a function is of those in each bucket, by its beginning."""
        at, values, every, offset = self.at, self.values, buckets.every, buckets.offset
        numbers = [(one - offset) // every for one in at]
        if function == "last" and len({*at}) < len(at):
            return line(self.folds(buckets), Call(function, ""))  # which of several at one instant is last
        if function == "last" or (function != "count" and len({*numbers}) == len(numbers)):
            told = dict(zip(numbers, values, strict=True))
            return [(number * every + offset, value) for number, value in told.items()]
        ends = [end for end, (one, next_) in enumerate(itertools.pairwise(numbers), 1) if one != next_]
        starts = [0, *ends]
        parts = [values[start:end] for start, end in zip(starts, [*ends, len(at)], strict=True)]
        begins = [numbers[start] * every + offset for start in starts]
        if function == "mean":
            return list(zip(begins, map(truediv, map(sum, parts), map(len, parts)), strict=True))
        return list(zip(begins, map(_OF[function], parts), strict=True))

    def _fold(self, first: int, end: int) -> Fold:
        part, last_at = self.values[first:end], self.at[end - 1]
        # of several at the last instant the largest
        last = max(self.values[bisect_left(self.at, last_at, first, end) : end])
        return Fold(end - first, sum(part), min(part), max(part), last, last_at)


_OF: Final[Mapping[Function, Callable[["array[float]"], float]]] = {
    "count": len,
    "sum": sum,
    "min": min,
    "max": max,
}

_Columns = defaultdict[str, defaultdict[str, Column]]
"""By metric, and `key(metric, labels)`."""


def _empty() -> Column:
    return Column(array("q"), array("d"))


@dataclass(slots=True)
class Device:
    """What one computer reported from an instant on; `look` says which reports these are."""

    since: float
    look: journal.Look = field(default_factory=journal.Look)
    newest: float = -float("inf")
    columns: _Columns = field(default_factory=lambda: defaultdict(partial(defaultdict, _empty)))
    used_at: float = 0.0

    def copy(self) -> "Device":
        """Another that may be added to: who reads of this one goes on to."""
        made = Device(self.since, self.look, self.newest)
        for metric, its in self.columns.items():
            for name, column in its.items():
                made.columns[metric][name] = Column(column.at[:], column.values[:])
        return made

    def add(self, rows: Iterable[journal.JournalRow]) -> None:
        """Reports in the order in which they were taken."""
        for row in rows:
            if row.uncertain:
                continue
            at = nanoseconds(row.taken_at)
            for one in decode_stored(row.body).readings:
                if one.value is not None:
                    column = self.columns[one.metric][key(one.metric, one.labels)]
                    column.at.append(at)
                    column.values.append(one.value)
            self.newest = row.taken_at


class Reports:
    """Of the computers that were looked at last; each use looks which reports there are."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._devices: OrderedDict[int, Device] = OrderedDict()
        self._clock, self._lock = clock, threading.Lock()

    def holds(self, device_id: int, since: float) -> bool:
        """Whether a computer's from an instant on (UTC seconds) are held."""
        held = self._devices.get(device_id)
        return held is not None and held.since <= since

    def of(self, conn: Connection, device_id: int, since: float) -> Device:
        """What a computer reported from an instant on (UTC seconds), or from earlier on."""
        with self._lock:
            held = self._devices.pop(device_id, None)
            if held is None or since < held.since:
                held = _read(conn, device_id, since)
            else:
                held = _now(conn, device_id, held, since)
            self._devices[device_id] = held
            held.used_at = self._clock()
            self._let_go(held.used_at)
            return held

    def _let_go(self, now: float) -> None:
        count = sum(one.look.count for one in self._devices.values())
        while len(self._devices) > 1:
            id_, oldest = next(iter(self._devices.items()))
            if count <= MOST and now - oldest.used_at < IDLE:
                return
            del self._devices[id_]
            count -= oldest.look.count


def _read(conn: Connection, device_id: int, since: float) -> Device:
    made = Device(since, journal.look(conn, device_id, since))
    made.add(journal.reported(conn, device_id, since))
    return made


def _now(conn: Connection, device_id: int, held: Device, since: float) -> Device:
    """With the reports that came since; all of it read anew where others went, or came late."""
    look = journal.look(conn, device_id, held.since)
    if look == held.look:
        return held
    came = journal.reported(conn, device_id, held.since, held.look.newest) if look.newest else ()
    grown = held.look.with_([row.id for row in came])
    if grown != look or any(row.taken_at < held.newest and not row.uncertain for row in came):
        return _read(conn, device_id, since)
    made = held.copy()
    made.add(came)
    made.look = look
    return made
