"""When school is held: hours of the week, holidays, and days that somebody set by hand. Pure; Vietnam's time.

The nearest word wins: a school's own day goes before its commune's, that before its province's, and any of
them before the holidays of the year.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final, Protocol

UTC_PLUS_7: Final = 7 * 3600
DAY: Final = 86400
_EPOCH: Final = date(1970, 1, 1).toordinal()
_LONGEST: Final = 400
"""Days that are walked through at most; what is longer ago is longer ago than any tolerance."""

_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)", re.ASCII)
_DAYS = re.compile(r"[2-8]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Session:
    """A morning or an afternoon, in minutes of the day: `first` belongs to it, `last` does not."""

    first: int
    last: int


Week = tuple[tuple[Session, ...], ...]
"""The sessions of the seven days, Monday first."""

NO_SCHOOL: Final[Week] = ((),) * 7


class Break(Protocol):
    """Holidays that come by the year's plan."""

    def holds(self, day: date) -> bool: ...  # noqa: D102  whether there is no school on that day because of it


@dataclass(frozen=True, slots=True)
class SetDay:
    """Days from `first` to `last` on which, whatever the calendar says, school is held or is not."""

    first: date
    last: date
    is_held: bool


@dataclass(frozen=True, slots=True)
class SchoolTime:
    """A school's calendar. `days` are in the order in which they win: the first that names a day decides."""

    week: Week
    breaks: tuple[Break, ...] = ()
    days: tuple[SetDay, ...] = ()


def week(morning: str, afternoon: str, days: str, mornings_only: str = "") -> Week:
    """The week of a school: `07:00-11:30`, `13:30-17:00`, `23456`, and days with a morning alone (`7`).

    An empty span is no session. Raises `ValueError` saying which part is wrong.
    """
    both = tuple(session for session in (_session(morning), _session(afternoon)) if session is not None)
    if len(both) == 2 and both[0].last > both[1].first:
        raise ValueError("afternoon: begins before the morning ends")
    if not (_DAYS.fullmatch(days) and _DAYS.fullmatch(mornings_only)):
        raise ValueError("days: write the numbers of days, 2 (Monday) to 8 (Sunday), such as 23456")
    return tuple(
        both if number in days else both[:1] if number in mornings_only else () for number in "2345678"
    )


def _session(text: str) -> Session | None:
    if not text:
        return None
    found = _SPAN.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r}: write a span of hours as 07:00-11:30")
    first, last = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if not first < last <= DAY // 60:
        raise ValueError(f"{text!r}: ends before it begins, or after the day")
    return Session(first, last)


def day_number(at: float) -> int:
    """The local day that an instant (UTC seconds) is in, as days since 1 January 1970."""
    return int((at + UTC_PLUS_7) // DAY)


def day_of(number: int) -> date:
    """The day of that number."""
    return date.fromordinal(_EPOCH + number)


def number_of(day: date) -> int:
    """The number of a day, as `day_number` gives it."""
    return day.toordinal() - _EPOCH


def midnight(number: int) -> float:
    """The first instant of a local day, UTC seconds."""
    return float(number * DAY - UTC_PLUS_7)


@lru_cache(maxsize=16384)
def sessions(calendar: SchoolTime, number: int) -> tuple[Session, ...]:
    """What is held on a local day; a set day of school without hours of its own has those of a Monday."""
    day = day_of(number)
    for each in calendar.days:
        if each.first <= day <= each.last:
            return (calendar.week[day.weekday()] or calendar.week[0]) if each.is_held else ()
    if any(each.holds(day) for each in calendar.breaks):
        return ()
    return calendar.week[day.weekday()]


def is_school_day(calendar: SchoolTime, number: int) -> bool:
    """Whether anything is held on a local day."""
    return bool(sessions(calendar, number))


def is_school_time(calendar: SchoolTime, at: float) -> bool:
    """Whether an instant (UTC seconds) lies within a session."""
    return session_at(calendar, at) is not None


def session_at(calendar: SchoolTime, at: float) -> tuple[float, float] | None:
    """Begin and end (UTC seconds) of the session that an instant lies in."""
    number = day_number(at)
    return next((span for span in spans(calendar, number) if span[0] <= at < span[1]), None)


def seconds_of_school(calendar: SchoolTime, start: float, end: float) -> float:
    """Seconds of [start, end), both UTC, that are school time; of more than 400 days the last 400 count."""
    if end <= start:
        return 0.0
    last = day_number(end)
    days = range(max(day_number(start), last - _LONGEST), last + 1)
    return sum(
        max(0.0, min(end, until) - max(start, since))
        for number in days
        for since, until in spans(calendar, number)
    )


def spans(calendar: SchoolTime, number: int) -> Iterator[tuple[float, float]]:
    """Begin and end (UTC seconds) of each session of a local day."""
    begin = midnight(number)
    for each in sessions(calendar, number):
        yield begin + each.first * 60, begin + each.last * 60
