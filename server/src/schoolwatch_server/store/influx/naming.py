"""Names of places for what is written, and the series that say which schools and devices there are."""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Final

from sqlalchemy import Connection, Engine

from schoolwatch_server.database import judged
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.influxql.condition import ANY
from schoolwatch_server.influxql.instant import EARLIEST, LATEST, nanoseconds
from schoolwatch_server.influxql.query import Span
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.store.influx.engine import StoreDownError, StoreEngine
from schoolwatch_server.store.lines import info_line, judged_line, tag
from schoolwatch_server.store.names import NAMED, SUMS
from schoolwatch_server.store.queried.beside import GEOHASH, Names
from schoolwatch_server.store.queried.info import DEVICES, SCHOOLS, InfoSeries
from schoolwatch_server.store.queried.names import of_gone
from schoolwatch_server.store.series import ENDED, Judged

log = logging.getLogger(__name__)

SCHOOLS_EVERY: Final = 300.0
DEVICES_EVERY: Final = 3600.0
"""Seconds between two points of a school's `school_info`, and of a device's `device_info`."""

_NAMES_EVERY: Final = 60.0
_HOLDS: Final = 2 * 86400.0
"""Seconds for which what was written counts as what holds, at least."""

_WITHIN: Final = 50.0
"""Seconds after a point in which ends stand: half a minute between two renamings is 9 ms."""

_NEXT: Final = 0.002
"""Seconds from the end under the old name to what holds under the new one; VictoriaMetrics has whole ms."""

_EVER: Final = Span(EARLIEST, LATEST)
_EVERY: Final = {SCHOOLS: SCHOOLS_EVERY, DEVICES: DEVICES_EVERY}


class Naming:
    """What the registry says of places, asked seldom."""

    def __init__(self, database: Engine) -> None:
        self._database = database
        self._names: Names | None = None
        self._named_at = -1e9
        self._old: tuple[Names, set[tuple[str, str]]] | None = None
        self._is_asked = False
        self._told: dict[str, float] = {}
        self._telling: dict[str, float] = {}

    def names(self) -> Names:
        """Today's names; of a place that is no more the last ones, for the end of its series."""
        if self._names is None or time.monotonic() - self._named_at > _NAMES_EVERY:
            with begin_read(self._database) as conn:
                now, gone = InfoSeries(conn, EVERYTHING, 0.0).names(), of_gone(conn)
            old, self._names = self._names, _with(now, _with(self._names or Names({}), gone))
            self._named_at = time.monotonic()
            if old is not None and (renamed := _renamed(old, self._names)):
                self._old = (old, renamed)
        return self._names

    def moved(self, store: StoreEngine, now: float) -> list[str]:
        """What holds of places that were renamed: an end under the old name, and all of it under the new one.

        A value is written again once a day: until then a table would show the old name, or both. They stand
        right after the newest point, the end first, as a table may group by another name than what changed.
        At first the store is asked which names it was told last: nobody may have run when they changed.
        """
        names = self.names()
        if not self._is_asked:
            old = last_names(names, _written(store, now))
            renamed = _renamed(old, names)
            self._old = (old, renamed) if renamed else None
        if self._old is None:
            return []
        old, renamed = self._old
        self._told.pop(SCHOOLS, None)  # so that the store says at once what it was told last
        with begin_read(self._database) as conn:
            its = [one for one in judged.series(conn) if renamed & one[1].items() and one[0] not in SUMS]
            rows = list(judged.newest_of(conn, its, now - _HOLDS))
        lines: list[str | None] = []
        for row in rows:
            end = Judged(row.measurement, row.tags, row.at, *ENDED)
            at = row.at + _after(now - row.at)
            lines.append(judged_line(end, old.beside(end.tags), nanoseconds(at)))
            lines.append(judged_line(row, names.beside(row.tags), nanoseconds(at + _NEXT)))
        return [line for line in lines if line is not None]

    def info(self, now: float) -> list[str]:
        """The lines of those series that are due; `told` says that they were written."""
        at = time.monotonic()
        due = [name for name, every in _EVERY.items() if at - self._told.get(name, -1e9) >= every]
        self._telling = dict.fromkeys(due, at)
        if not due:
            return []
        with begin_read(self._database) as conn:
            return [line for name in due for line in _lines(conn, name, now)]

    def told(self) -> None:
        """What `info` and `moved` gave last has been written."""
        self._told |= self._telling
        self._is_asked, self._old = True, None

    def forget(self) -> None:
        """All of it is due."""
        self._told.clear()
        self._is_asked = False


def _with(names: Names, others: Names) -> Names:
    """Names, and those of places that are not among them."""
    its, known = others.of, names.of
    schools = known.get("school", {})
    places = {id_: text for id_, text in others.geohashes.items() if id_ not in schools}
    return Names(
        {kind: {**its.get(kind, {}), **known.get(kind, {})} for kind in its.keys() | known.keys()},
        {**places, **names.geohashes},
    )


def _after(age: float) -> float:
    """Seconds after a point of that age at which an end stands: a later one of the same point comes after it,
    and all before the next judgement."""
    return 1 + _WITHIN * age / _HOLDS


def _written(store: StoreEngine, now: float) -> list[tuple[Mapping[str, str], int]]:
    """The newest `school_info` of each school under each of its names; none of a store that may only be
    written to (a `vminsert`, a user without the right to read)."""
    try:
        return list(store.newest(SCHOOLS, nanoseconds(now - _HOLDS), nanoseconds(now + 1)))
    except StoreDownError as error:
        log.warning("the store does not say what it was told last; old names stay in it for a day: %s", error)
        return []


def last_names(names: Names, written: Iterable[tuple[Mapping[str, str], int]]) -> Names:
    """Today's names, with those in their place that stand in the newest `school_info` of each place."""
    of = {kind: dict(its) for kind, its in names.of.items()}
    geohashes = dict(names.geohashes)
    for tags, _ in sorted(written, key=itemgetter(1)):
        for key, kind in NAMED.items():
            id_, name = tags.get(kind, ""), tags.get(key, "")
            today = names.of.get(kind, {}).get(id_)
            if name and today is not None:
                of[kind][id_] = today if tag(today) == name else name  # some signs are written otherwise
        geohashes[tags.get("school", "")] = tags.get(GEOHASH, "")
    return Names(of, {id_: text for id_, text in geohashes.items() if text})


def _renamed(old: Names, new: Names) -> set[tuple[str, str]]:
    """Kind and id of places that are called otherwise than before, or stand elsewhere on the map."""
    found = {
        (kind, id_)
        for kind, its in new.of.items()
        for id_, name in its.items()
        if old.of.get(kind, {}).get(id_, name) != name
    }
    known = old.of.get("school", {})
    return found | {("school", id_) for id_ in known if old.geohashes.get(id_) != new.geohashes.get(id_)}


def _lines(conn: Connection, measurement: str, now: float) -> Iterator[str]:
    for one in InfoSeries(conn, EVERYTHING, now).series(measurement, ANY, _EVER):
        yield info_line(measurement, one.tags, nanoseconds(now))
