"""Vietnam's time: seven hours ahead of UTC, all year, since 1975. Instants are UTC seconds. Pure."""

from datetime import date, datetime, timedelta, timezone
from typing import Final

VIETNAM: Final = timezone(timedelta(hours=7))


def day_of(at: float) -> date:
    """The day on which an instant lies."""
    return datetime.fromtimestamp(at, VIETNAM).date()


def begins(day: date) -> float:
    """The first instant of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=VIETNAM).timestamp()


def ends(day: date) -> float:
    """The first instant after a day."""
    return begins(day) + 86400
