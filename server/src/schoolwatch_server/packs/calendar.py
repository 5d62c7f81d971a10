"""The calendar of schools: days on which nobody switches a computer on are no days of silence. Pure."""

from datetime import date, timedelta
from functools import lru_cache

import msgspec

from schoolwatch_server import school_time
from schoolwatch_server.levels import stages
from schoolwatch_server.strict_yaml import Confidence, Title
from schoolwatch_server.vietnam import day_of

_DAY = 86400.0
_LONGEST = 3660
"""Days that are walked back at most: a calendar without any day of school ends there."""


class Break(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Holidays from one day to another, both of them without school.

    `MM-DD` comes each year (the summer), `YYYY-MM-DD` once (Tết, which moves).
    """

    vi: Title
    en: Title
    first: str = msgspec.field(name="from")
    last: str = msgspec.field(name="to")
    document: Title
    clause: str
    confidence: Confidence

    def __post_init__(self) -> None:
        """Raises `ValueError`: the loader names the file and the field."""
        if len(self.first) != len(self.last):
            raise ValueError("from and to: write both with the year, or both without it")
        if self._day(self.first, 0) > self._day(self.last, 0) and len(self.first) == len("YYYY-MM-DD"):
            raise ValueError("from: lies after to: exchange them")

    def holds(self, day: date) -> bool:
        """Whether there is no school on that day because of it."""
        first, last = self._day(self.first, day.year), self._day(self.last, day.year)
        if first > last:  # over the turn of the year
            return day >= first or day <= last
        return first <= day <= last

    @staticmethod
    @lru_cache(maxsize=1024)  # each day that is walked back asks for the same ones
    def _day(text: str, year: int) -> date:
        """Of `MM-DD` the one in that year; 29 February is the last day of it in every year."""
        if len(text) == len("YYYY-MM-DD"):
            return date.fromisoformat(text)
        if text == "02-29":
            return date(year or 2000, 3, 1) - timedelta(days=1)
        return date.fromisoformat(f"{year or 2000:04d}-{text}")


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When schools of some levels (none named: all others) are held, as `school_time.week` reads it.

    `days` and `mornings_only` are numbers of days, 2 (Monday) to 8 (Sunday).
    """

    levels: tuple[str, ...]
    morning: str
    afternoon: str
    days: str
    document: Title
    clause: str
    confidence: Confidence
    mornings_only: str = ""

    def __post_init__(self) -> None:
        """Raises `ValueError`: the loader names the file and the field."""
        self.week()

    def week(self) -> school_time.Week:
        """Its sessions of the seven days."""
        return school_time.week(self.morning, self.afternoon, self.days, self.mornings_only)


def week_of(hours: tuple[Hours, ...], level: str) -> school_time.Week:
    """The week of a school of that level: the first hours that name a stage which it teaches."""
    taught = set(stages(level))
    for each in hours:
        if not each.levels or taught.intersection(each.levels):
            return each.week()
    return school_time.NO_SCHOOL


def back(now: float, days: float, breaks: tuple[Break, ...]) -> float:
    """The instant from which on so many days of school lie before `now`; UTC seconds."""
    today = day_of(now)
    left, at = days, now
    for past in range(_LONGEST):
        if left <= 0:
            break
        step = min(1.0, left)
        free = any(each.holds(today - timedelta(days=past)) for each in breaks)
        at -= (1.0 if free else step) * _DAY
        left -= 0.0 if free else step
    return at
