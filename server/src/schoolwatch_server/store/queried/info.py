"""Which schools and devices there are, as series: what a dashboard's lists are filled from."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from sqlalchemy import Connection

from schoolwatch_server.database import registry, stays
from schoolwatch_server.influxql.condition import Condition, allowed
from schoolwatch_server.influxql.errors import QueryError
from schoolwatch_server.influxql.instant import EARLIEST, LATEST, SECOND, nanoseconds
from schoolwatch_server.influxql.patience import PATIENT, Patience
from schoolwatch_server.influxql.query import Buckets, Call, Function, Span
from schoolwatch_server.influxql.source import Fold, Line, Point, Series, folded, kept, labels, lines, newest
from schoolwatch_server.scope import Scope
from schoolwatch_server.store.names import FIELD, NAMED, choice
from schoolwatch_server.store.queried.beside import GEOHASH, Names
from schoolwatch_server.store.queried.names import NamesHeld

SCHOOLS: Final = "school_info"
DEVICES: Final = "device_info"

_KEYS: Final = {
    SCHOOLS: (
        "code",
        "commune",
        "commune_choice",
        "commune_code",
        "commune_name",
        GEOHASH,
        "level",
        "province",
        "province_choice",
        "province_code",
        "province_name",
        "school",
        "school_choice",
        "school_name",
    ),
    DEVICES: ("commune_name", "device", "device_choice", "label", "role", "room", "school", "school_name"),
}

EVERY: Final = 300 * SECOND
"""Between two points of a series, nanoseconds: no range that somebody looks at is shorter."""

POINTS_MAX: Final = 1_000_000
"""Points that one question may get as they are."""


def _shown(found: Sequence[stays.Stay]) -> dict[int, str]:
    """What devices are called in a list, by stay: room and label, and which one it is of those alike."""
    texts = {one.id: " · ".join(filter(None, (one.room, one.label))) for one in found}
    alike = Counter((one.school_id, texts[one.id]) for one in found if one.ended is None)
    return {
        one.id: " · ".join(filter(None, (text, one.device)))
        if not one.label or alike[one.school_id, text] > 1
        else text
        for one in found
        for text in (texts[one.id],)
    }


class InfoSeries:
    """The schools that a scope sees, and the devices that are or were at them: 1 at each moment of that.

    Moments are the multiples of five minutes, and now. Who does not say from when on is told of now.
    """

    def __init__(
        self,
        conn: Connection,
        scope: Scope,
        now: float,
        patience: Patience = PATIENT,
        *,
        names: NamesHeld | None = None,
    ) -> None:
        self._held = names or NamesHeld()
        self._conn, self._scope, self._patience = conn, scope, patience
        self._at = int(now) * SECOND
        self._within: dict[str, tuple[int, int]] = {}  # each series' begin and end

    def measurements(self) -> Sequence[str]:
        """`school_info` and `device_info`."""
        return SCHOOLS, DEVICES

    def fields(self, measurement: str) -> Sequence[str]:
        """One number, 1."""
        del measurement
        return (FIELD,)

    def tag_keys(self, measurement: str) -> Sequence[str]:
        """All that they may have."""
        return _KEYS[measurement]

    def series(self, measurement: str, where: Condition, span: Span) -> Sequence[Series]:
        """Those asked for that were there in the span."""
        asked = self._bounded(span)
        made = self._schools() if measurement == SCHOOLS else self._devices(where, asked)
        return kept(where, made, self._patience)

    def labels(
        self, measurement: str, series: Sequence[Series], keys: Sequence[str]
    ) -> Sequence[tuple[str, ...]]:
        """All that they have."""
        del measurement
        return labels(series, keys)

    def folds(
        self,
        measurement: str,
        field: str,
        series: Sequence[Series],
        span: Span,
        buckets: Buckets | None,
        need: frozenset[Function],
    ) -> Mapping[Any, Mapping[int, Fold]]:
        """The moments of each in the span; without buckets they are counted, not gone through."""
        del need
        if buckets is not None:
            points = self.points(measurement, [field], series, span)
            return {id_: folded([(p.at, 1.0) for p in its], buckets) for id_, its in points.items()}
        found: dict[Any, Mapping[int, Fold]] = {}
        for id_, (even, is_now) in self._moments(series, span):
            count = len(even) + is_now
            found[id_] = {0: Fold(count, count, 1.0, 1.0, 1.0, self._at if is_now else even[-1])}
        return found

    def lines(
        self, measurement: str, call: Call, series: Sequence[Series], span: Span, buckets: Buckets | None
    ) -> Mapping[Any, Line]:
        """Of its folds."""
        need = frozenset({call.function})
        return lines(self.folds(measurement, call.field, series, span, buckets, need), call, buckets)

    def points(
        self, measurement: str, fields: Sequence[str], series: Sequence[Series], span: Span
    ) -> Mapping[Any, Sequence[Point]]:
        """A point at each moment of the span. Raises `QueryError` where they are too many."""
        del measurement
        ones, left = (1.0,) * len(fields), POINTS_MAX
        found: dict[Any, Sequence[Point]] = {}
        for id_, (even, is_now) in self._moments(series, span):
            left -= len(even)
            if left < 0:
                raise QueryError(f"more than {POINTS_MAX} points: ask for last() without GROUP BY time()")
            found[id_] = [Point(at, ones) for at in (*even, *[self._at] * is_now)]
        return found

    def newest(
        self, measurement: str, fields: Sequence[str], series: Sequence[Series], span: Span
    ) -> Mapping[Any, Sequence[Point]]:
        """The last of its points."""
        return newest(self.points(measurement, fields, series, span))

    def _bounded(self, span: Span) -> Span:
        return Span(self._at, self._at + 1) if span.start == EARLIEST else span

    def _moments(self, series: Sequence[Series], span: Span) -> Iterator[tuple[Any, tuple[range, bool]]]:
        """Of those that have any in the span: the multiples of five minutes, and whether now is one more."""
        asked = self._bounded(span)
        for one in series:
            self._patience.check()
            begun, ended = self._within[str(one.id)]
            first, end = max(begun, asked.start), min(ended, asked.end)
            even = range(-(-first // EVERY) * EVERY, min(end, self._at + 1), EVERY)
            is_now = first <= self._at < end and self._at % EVERY != 0
            if even or is_now:
                yield one.id, (even, is_now)

    def names(self) -> Names:
        """The names of all that the scope sees."""
        return self._names

    @cached_property
    def _names(self) -> Names:
        return self._held.now(self._conn, self._scope)

    @cached_property
    def _communes(self) -> Sequence[registry.CommuneRow]:
        return registry.communes(self._conn, self._scope)

    @cached_property
    def _provinces(self) -> Sequence[registry.ProvinceRow]:
        return registry.provinces(self._conn, self._scope)

    @cached_property
    def _rows(self) -> Sequence[registry.SchoolRow]:
        return registry.schools(self._conn, self._scope)

    def _schools(self) -> Iterator[Series]:
        communes = {one.id: one.code for one in self._communes}
        provinces = {one.id: one.code for one in self._provinces}
        begun = stays.schools_since(self._conn, self._scope)
        for row in self._rows:
            tags = {
                "school": str(row.id),
                "code": row.code,
                "level": row.level,
                "commune": str(row.commune_id),
                "commune_code": communes.get(row.commune_id, ""),
                "province": str(row.province_id),
                "province_code": provinces.get(row.province_id, ""),
            }
            for kind in NAMED.values():
                if name := self._names.of[kind].get(tags[kind]):
                    tags[f"{kind}_choice"] = choice(name, tags[kind])
            tags = self._names.beside({key: value for key, value in tags.items() if value})
            yield self._kept(f"school:{row.id}", tags, begun.get(row.id, 0.0), None)

    def _devices(self, where: Condition, span: Span) -> Iterator[Series]:
        """Of one school where the condition names one: a province has 75,000 devices."""
        schools, names = allowed(where, "school"), self._names.of
        ids: list[int | None] = [None]
        if schools is not None:
            ids = [int(id_) for id_ in schools if id_.isascii() and id_.isdecimal() and len(id_) < 18]
        start, end = span.start / SECOND, span.end / SECOND
        for id_ in ids:
            found = stays.stays(self._conn, self._scope, start, end, id_)
            shown = _shown(found)
            for stay in found:
                tags = {
                    "commune_name": names["commune"].get(str(stay.commune_id), ""),
                    "device": stay.device,
                    "device_choice": choice(shown[stay.id], stay.device),
                    "label": stay.label,
                    "role": stay.role,
                    "room": stay.room,
                    "school": str(stay.school_id),
                    "school_name": names["school"].get(str(stay.school_id), stay.school),
                }
                said = {key: value for key, value in tags.items() if value}
                yield self._kept(f"device:{stay.id}", said, stay.begun, stay.ended)

    def _kept(self, id_: str, tags: Mapping[str, str], begun: float, ended: float | None) -> Series:
        """The series, of which is known from when till when it is; what begins now is there now."""
        self._within[id_] = int(begun) * SECOND, LATEST if ended is None else nanoseconds(ended)
        return Series(id_, tags)
