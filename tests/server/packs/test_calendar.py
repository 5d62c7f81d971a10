"""Days of school, counted by hand."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server import packs
from schoolwatch_server.packs.calendar import Break, back

DAY = 86400.0


def holidays(first: str, last: str) -> Break:
    return Break(vi="Nghỉ", en="Break", first=first, last=last, document="d", clause="c", confidence="P")


def noon(text: str) -> float:
    return datetime.fromisoformat(f"{text}T12:00+07:00").timestamp()


@pytest.mark.parametrize(
    ("now", "days", "breaks", "since"),
    [
        ("2026-11-29", 30, (), "2026-10-30"),
        # 3 days of September, then 92 of summer that don't count, then 27 of May
        ("2026-09-03", 30, (holidays("06-01", "08-31"),), "2026-05-04"),
        # within the summer: all of the 30 are of April and May, 15 June back to 1 June are 15 free days
        ("2026-06-15", 30, (holidays("06-01", "08-31"),), "2026-05-01"),
        # 9 days of Tết between
        ("2027-02-20", 30, (holidays("2027-02-03", "2027-02-11"),), "2027-01-12"),
        # over the turn of the year
        ("2027-01-04", 5, (holidays("12-25", "01-01"),), "2026-12-22"),
        # that Tết was last year's
        ("2028-02-20", 5, (holidays("2027-02-03", "2027-02-28"),), "2028-02-15"),
    ],
)
def test_free_days_are_stepped_over(now: str, days: float, breaks: tuple, since: str) -> None:
    assert back(noon(now), days, breaks) == noon(since)


def test_a_calendar_without_school_ends() -> None:
    always = holidays("01-01", "12-31")
    assert back(noon("2026-11-29"), 30, (always,)) > noon("2010-01-01")


@pytest.mark.parametrize(
    ("first", "last"), [("06-01", "2026-08-31"), ("13-01", "08-31"), ("2027-02-11", "2027-02-03"), ("x", "y")]
)
def test_a_break_that_is_none_is_refused(first: str, last: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        holidays(first, last)


def test_the_29th_of_february_is_the_last_day_of_it() -> None:
    assert holidays("02-20", "02-29").holds(date(2027, 2, 28))


@given(st.floats(1.5e9, 2e9), st.integers(0, 60))
def test_it_is_never_later_than_without_breaks(now: float, days: int) -> None:
    breaks = packs.load().calendar.breaks
    since = back(now, days, breaks)
    assert since <= now - days * DAY + 1e-3
    assert datetime.fromtimestamp(since, UTC).year >= datetime.fromtimestamp(now, UTC).year - 1
