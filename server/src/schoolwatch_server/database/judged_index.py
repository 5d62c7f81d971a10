"""Which series of judged values there are, by their tags: in memory, as a province has 50,000 of them."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.judged import tags_of
from schoolwatch_server.influxql.condition import Condition, allowed, holds
from schoolwatch_server.influxql.source import Series
from schoolwatch_server.scope import Scope

_s = t.judged_series.c


@dataclass(slots=True)
class _Held:
    """The series of one measurement; `places` are their ids by tag and value."""

    count: int = 0
    newest: int = 0
    series: dict[int, Series] = field(default_factory=dict)
    places: defaultdict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    keys: set[str] = field(default_factory=set)

    def add(self, id_: int, tags: Mapping[str, str]) -> None:
        self.series[id_] = Series(id_, tags)
        self.keys.update(tags)
        for place in tags.items():
            self.places[place].append(id_)


class JudgedIndex:
    """The series of all measurements as the database has them; each use looks whether there are others."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()

    def measurements(self, conn: Connection) -> tuple[str, ...]:
        """Their names."""
        return tuple(conn.scalars(select(_s.measurement).distinct().order_by(_s.measurement)))

    def tag_keys(self, conn: Connection, measurement: str, scope: Scope) -> tuple[str, ...]:
        """The tags of those series that the scope sees."""
        held = self._now(conn, measurement)
        if scope.level == "all":
            return tuple(sorted(held.keys))
        return tuple(sorted({key for one in _of(held, _place(scope)) for key in one.tags}))

    def series(
        self, conn: Connection, measurement: str, where: Condition, scope: Scope
    ) -> tuple[Series, ...]:
        """Those that the scope sees and that are asked for, by id."""
        held = self._now(conn, measurement)
        fewest = _fewest(held, where, scope)
        place = _place(scope)
        return tuple(
            one
            for one in fewest
            if holds(where, one.tags) and (place is None or one.tags.get(place[0]) == place[1])
        )

    def _now(self, conn: Connection, measurement: str) -> _Held:
        """What is held, with the series that came; made anew where some went, as with a school erased."""
        query = select(func.count(), func.coalesce(func.max(_s.id), 0)).where(_s.measurement == measurement)
        count, newest = conn.execute(query).one()
        with self._lock:
            held = self._held.get(measurement, _Held())
            if (held.count, held.newest) == (count, newest):
                return held
            if count - held.count != self._added(conn, measurement, held.newest) or newest < held.newest:
                held = _Held()
            rows = select(_s.id, _s.tags).where(_s.measurement == measurement, _s.id > held.newest)
            for id_, text in conn.execute(rows.order_by(_s.id)):
                held.add(id_, tags_of(text))
            held.count, held.newest = len(held.series), max(held.series, default=0)
            self._held[measurement] = held
            return held

    @staticmethod
    def _added(conn: Connection, measurement: str, after: int) -> int:
        return conn.scalar(select(func.count()).where(_s.measurement == measurement, _s.id > after)) or 0


def _place(scope: Scope) -> tuple[str, str] | None:
    """The tag that what a scope sees must have; None where it sees all."""
    return None if scope.level == "all" else (scope.level, str(scope.id))


def _of(held: _Held, place: tuple[str, str] | None) -> Iterable[Series]:
    if place is None:
        return held.series.values()
    return [held.series[id_] for id_ in held.places.get(place, ())]


def _fewest(held: _Held, where: Condition, scope: Scope) -> Iterable[Series]:
    """The series of the rarest of the values that the scope or the condition names."""
    place = _place(scope)
    choices: list[list[int]] = [] if place is None else [held.places.get(place, [])]
    for key in held.keys:
        values = allowed(where, key)
        if values is not None and "" not in values:
            choices.append([id_ for value in values for id_ in held.places.get((key, value), ())])
    if not choices:
        return list(held.series.values())
    fewest = min(choices, key=len)
    return [held.series[id_] for id_ in sorted(fewest)]
