"""Which series of judged values there are, by their tags: in memory, as a province has 50,000 of them."""

import gc
import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, bindparam, func, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.asked import Asked
from schoolwatch_server.database.judged import tags_of
from schoolwatch_server.influxql.condition import Condition, lists
from schoolwatch_server.influxql.patience import PATIENT, Patience
from schoolwatch_server.influxql.source import Series, kept
from schoolwatch_server.scope import Scope

_s = t.judged_series.c
_one = t.judged_series.alias().c
_LAST = select(func.max(_one.id)).where(_one.id <= bindparam("newest", type_=BigInteger)).scalar_subquery()
_SINCE = Asked(select(_s.id, _s.measurement, _s.tags).where(_s.id >= func.coalesce(_LAST, 0)).order_by(_s.id))
"""The series that came after `newest`, and before them the last one until then that there still is."""

RECOUNTED: Final = 60.0
"""Seconds after which is looked whether series went; that others came is seen at each use."""

_MANY: Final = 500
"""Series; fewer are looked through by the garbage collector at no cost that is felt."""

_WORTH: Final = 10
"""Times as many ids are looked through as fast as the tags of a series."""

_CHOICES: Final = 1000
_CHOSEN: Final = 2000
"""Choices of series that are kept, and of how many series at most: all dashboards have 700, of a province's
schools each. They take 16 MB at most, and their conditions 20."""


@dataclass(slots=True)
class _Held:
    """The series of one measurement; `places` are their ids by tag and value."""

    series: dict[int, Series] = field(default_factory=dict)
    places: defaultdict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    keys: set[str] = field(default_factory=set)

    def add(self, id_: int, tags: Mapping[str, str]) -> None:
        self.series[id_] = Series(id_, tags)
        self.keys.update(tags)
        for place in tags.items():
            self.places[place].append(id_)


@dataclass(frozen=True, slots=True)
class Known:
    """The series of all measurements, as they were when one looked, and what was chosen of them since."""

    held: Mapping[str, _Held] = field(default_factory=dict)
    _chosen: dict[tuple[str, Condition, Scope], tuple[Series, ...]] = field(default_factory=dict)

    def measurements(self) -> Collection[str]:
        """Their names."""
        return self.held.keys()

    def tag_keys(self, measurement: str, scope: Scope) -> tuple[str, ...]:
        """The tags of those series that the scope sees."""
        held = self.held.get(measurement, _Held())
        if scope.level == "all":
            return tuple(sorted(held.keys))
        return tuple(sorted({key for one in _of(held, _place(scope)) for key in one.tags}))

    def series(
        self, measurement: str, where: Condition, scope: Scope, patience: Patience = PATIENT
    ) -> tuple[Series, ...]:
        """Those that the scope sees and that are asked for, by id.

        Raises `QueryError` as `Patience.check`.
        """
        patience.check()
        chosen = self._chosen.get((measurement, where, scope))
        if chosen is None:
            held = self.held.get(measurement, _Held())
            fewest = _fewest(held, where, scope)
            place = _place(scope)
            seen = fewest if place is None else [one for one in fewest if one.tags.get(place[0]) == place[1]]
            chosen = tuple(kept(where, seen, patience))
            if len(chosen) <= _CHOSEN:
                if len(self._chosen) >= _CHOICES:
                    self._chosen.clear()
                self._chosen[measurement, where, scope] = chosen
        return chosen


class JudgedIndex:
    """The series of all measurements as the database has them; each use looks whether there are others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._known = Known()
        self._newest = self._count = 0
        self._frozen = _MANY
        self._clock, self._counted_at = clock, -RECOUNTED
        self._lock = threading.Lock()

    def now(self, conn: Connection) -> Known:
        """What is held, with the series that came; made anew where some went, as by another database.

        One writes at a time, so ids come in their order. SQLite gives the ids of a deleted school's newest
        series to the next ones: the last id then stands for another series than before.
        """
        newest = self._newest
        rows = _SINCE.all(conn, {"newest": newest})
        with self._lock:
            if newest != self._newest:  # somebody else has added some meanwhile
                rows = _SINCE.all(conn, {"newest": self._newest})
            if rows and self._newest and not self._holds(*rows[0]):
                self._read(conn)
            else:
                self._add(rows[1:] if self._newest else rows)
            if self._clock() - self._counted_at >= RECOUNTED:
                self._recount(conn)
            return self._known

    def _holds(self, id_: int, measurement: str, text: str) -> bool:
        held = self._known.held.get(measurement)
        one = None if held is None else held.series.get(id_)
        return one is not None and one.tags == tags_of(text)

    def _read(self, conn: Connection) -> None:
        self._known, self._newest, self._count = Known(), 0, 0
        self._add(_SINCE.all(conn, {"newest": 0}))

    def _add(self, rows: Sequence[Any]) -> None:
        if not rows:
            return
        held = dict(self._known.held)
        for id_, measurement, text in rows:
            held.setdefault(measurement, _Held()).add(id_, tags_of(text))
            self._newest, self._count = id_, self._count + 1
        if self._count >= 2 * self._frozen:
            # 500,000 objects that stay: looked through each time, they are half of what a large answer costs
            gc.freeze()
            self._frozen = self._count
        self._known = Known(held)

    def _recount(self, conn: Connection) -> None:
        self._counted_at = self._clock()
        if conn.scalar(select(func.count()).select_from(t.judged_series)) != self._count:
            self._read(conn)


def _place(scope: Scope) -> tuple[str, str] | None:
    """The tag that what a scope sees must have; None where it sees all."""
    return None if scope.level == "all" else (scope.level, str(scope.id))


def _of(held: _Held, place: tuple[str, str] | None) -> Iterable[Series]:
    if place is None:
        return list(held.series.values())
    return [held.series[id_] for id_ in held.places.get(place, ())]


def _fewest(held: _Held, where: Condition, scope: Scope) -> Iterable[Series]:
    """The series of the rarest of the values that the scope or the condition names, and of the next."""
    place = _place(scope)
    choices = [] if place is None else [[held.places.get(place, [])]]
    for key, values in lists(where).items():
        if key in held.keys and "" not in values:
            choices.append([held.places.get((key, value), []) for value in values])
    if not choices:
        return list(held.series.values())
    choices.sort(key=_length)
    ids = set(itertools.chain.from_iterable(choices[0]))
    if len(choices) > 1 and _length(choices[1]) <= _WORTH * len(ids):
        ids.intersection_update(itertools.chain.from_iterable(choices[1]))
    return [held.series[id_] for id_ in sorted(ids)]


def _length(lists: Collection[Collection[int]]) -> int:
    return sum(map(len, lists))
