"""What was judged of places over time, a value a day: the last one of each day of Vietnam."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Connection, Double, and_, func, literal, select, true

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.judged import tags_of, with_tag
from schoolwatch_server.indicators.current import MEASUREMENT
from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.scope import Scope
from schoolwatch_server.vietnam import begins
from schoolwatch_server.vietnam import day_of as day_of

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Series:
    """One indicator of one place, as it was judged; `place_id` is of its level."""

    id: int
    indicator: str
    level: Place
    place_id: int


@dataclass(frozen=True, slots=True)
class DayValue:
    """What held at the end of a day; `value` None is "not enough data". `at` is UTC seconds."""

    series_id: int
    at: float
    value: float | None
    numerator: float | None
    denominator: float | None
    coverage: float | None
    pack: str

    @property
    def day(self) -> date:
        """The day in Vietnam."""
        return day_of(self.at)


def series(
    conn: Connection,
    scope: Scope,
    *,
    level: Place | None = None,
    inside: tuple[Place, int] | None = None,
    indicator: str | None = None,
    after: int = 0,
    limit: int | None = None,
) -> tuple[Series, ...]:
    """The series that a scope sees, by id, from behind `after` on.

    `inside` is a place by level and id; it is itself inside. Where a school stood when it was judged decides:
    a commune sees of a school what was judged while it was there.
    """
    s = t.judged_series.c
    wanted = [s.measurement == MEASUREMENT, s.id > after, *_within(scope)]
    if level is not None:
        wanted.append(with_tag("level", level))
    if inside is not None:
        wanted.append(with_tag(inside[0], str(inside[1])))
    if indicator is not None:
        wanted.append(with_tag("indicator", indicator))
    query = select(s.id, s.tags).where(*wanted).order_by(s.id)
    rows = conn.execute(query if limit is None else query.limit(limit))
    return tuple(_series(id_, text) for id_, text in rows)


def daily(conn: Connection, series_ids: Sequence[int], first: date, last: date) -> tuple[DayValue, ...]:
    """The last value of each day from `first` to `last` of these series, by series and day.

    One look into the key of a series for each day, however often it was judged.
    """
    s, v = t.judged_series.c, t.judged.c
    start, end = begins(first), begins(last)
    days = select(literal(start, Double).label("begin")).cte("days", recursive=True)
    days = days.union_all(select(days.c.begin + DAY).where(days.c.begin < end))
    newest = (
        select(func.max(v.at))
        .where(v.series_id == s.id, v.at >= days.c.begin, v.at < days.c.begin + DAY)
        .correlate(t.judged_series, days)
        .scalar_subquery()
    )
    # "+ 0" keeps SQLite from reading a series from end to end for each day of it: 5 s in place of 5 ms
    joined = t.judged_series.join(days, true()).join(t.judged, and_(v.series_id == s.id + 0, v.at == newest))
    query = (
        select(v.series_id, v.at, v.value, v.numerator, v.denominator, v.coverage, v.pack)
        .select_from(joined)
        .where(s.id.in_(list(series_ids)))
        .order_by(v.series_id, v.at)
    )
    return tuple(DayValue(*row) for row in conn.execute(query)) if first <= last else ()


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    return [] if scope.level == "all" else [with_tag(scope.level, str(scope.id))]


def _series(id_: int, text: str) -> Series:
    tags = tags_of(text)
    level: Place = "school" if "school" in tags else "commune" if "commune" in tags else "province"
    return Series(id_, tags["indicator"], level, int(tags[level]))
