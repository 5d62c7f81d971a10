"""Days of a list as instants in UTC seconds, and back: at Asia/Ho_Chi_Minh. Pure."""

from datetime import date, datetime, timedelta, timezone

_VIETNAM = timezone(timedelta(hours=7))
"""UTC+7 without summer time since 1975."""


def day_of(at: float) -> date:
    """The day on which an instant lies."""
    return datetime.fromtimestamp(at, _VIETNAM).date()


def begins(day: date) -> float:
    """The first instant of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=_VIETNAM).timestamp()


def ends(day: date) -> float:
    """The first instant after a day."""
    return begins(day) + 86400
