"""Deadlines are strict, periods are whole, and what no source dates has no date."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server.console.report_calendar import read_before
from schoolwatch_server.reports import calendar
from schoolwatch_server.reports.calendar import KINDS, LEVELS, Deadline, Due, between, coming, reminder
from schoolwatch_server.reports.on_time import OnTime, on_time
from schoolwatch_server.vietnam import ends


def deadline(kind, before: str) -> Deadline:
    return Deadline(kind, "school", before, "Kế hoạch", "trước ngày", "V-seed")


@pytest.mark.parametrize(
    ("kind", "period", "before", "last"),
    [
        ("monthly", "2026-11", "20", date(2026, 11, 19)),  # "trước ngày 20": the 19th is the last
        ("monthly", "2026-03", "1", date(2026, 2, 28)),
        ("quarterly", "2026-Q4", "20", date(2026, 12, 19)),  # of the quarter's last month
        ("half_year", "2026-H1", "06-01", date(2026, 5, 31)),
        ("half_year", "2026-H2", "06-01", None),  # the year's report stands for it
        ("year", "2026", "12-10", date(2026, 12, 9)),
        ("self_assessment", "2025-2026", "05-31", date(2026, 5, 30)),
        ("self_assessment", "2025-2026", "03-01", date(2026, 2, 28)),
        ("self_assessment", "2025-2026", "09-15", date(2025, 9, 14)),
        ("year", "2026", "", None),
        ("year", "2026", "01-10", date(2027, 1, 9)),  # on a year that is over
        ("year", "2026", "07-01", date(2026, 6, 30)),
        ("monthly", "2026-11", "+5", date(2026, 12, 4)),  # "trước ngày 5 tháng sau"
        ("monthly", "2026-12", "+1", date(2026, 12, 31)),
        ("quarterly", "2026-Q4", "+10", date(2027, 1, 9)),
    ],
)
def test_before_a_day_means_that_the_day_before_is_the_last(kind, period, before, last) -> None:
    assert calendar.last_day(kind, period, before) == last


@given(st.sampled_from(KINDS), st.dates(date(2020, 1, 1), date(2040, 12, 31)))
def test_every_day_lies_in_a_period_that_begins_no_later(kind, day: date) -> None:
    period = calendar.period_of(kind, day)
    begin = calendar.begin_of(kind, period)
    assert begin <= day
    assert calendar.period_of(kind, begin) == period
    assert period in calendar.periods(kind, day, day)
    if begin > date(2020, 1, 1):
        assert calendar.period_of(kind, begin - timedelta(days=1)) != period


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("monthly", "2026-13"),
        ("monthly", "2026-1"),
        ("quarterly", "2026-Q5"),
        ("self_assessment", "2025-2027"),
        ("year", "1026"),
        ("half_year", "2026"),
        ("monthly", "２０２６-11"),
        ("year", "2026\n"),
    ],
)
def test_what_is_no_period_is_refused_with_an_example(kind, text: str) -> None:
    with pytest.raises(ValueError, match="write it as"):
        calendar.begin_of(kind, text)


@pytest.mark.parametrize(
    ("kind", "before"),
    [
        ("monthly", "29"),
        ("monthly", "0"),
        ("year", "20"),
        ("year", "13-01"),
        ("year", "02-30"),
        ("year", "2-3"),
    ],
)
def test_a_day_that_there_is_not_is_refused(kind, before: str) -> None:
    with pytest.raises(ValueError, match="write"):
        calendar.check(kind, before)


def test_the_shipped_calendar_says_where_each_date_stands_and_gives_none_where_no_plan_does() -> None:
    known = calendar.shipped()
    assert set(known) == {(kind, level) for kind in KINDS for level in LEVELS if kind != "ad_hoc"}
    for one in known.values():
        assert one.document
        assert one.clause
        assert (one.before == "") == (one.confidence == "NF"), one
    assert [known[kind, "school"].before for kind in KINDS[:-1]] == ["20", "20", "06-01", "12-10", "05-31"]
    assert {other.before for other in known["year", "school"].others} == {"12-06"}, "plans that conflict"


def test_what_is_next_and_what_has_passed() -> None:
    monthly = deadline("monthly", "20")
    assert coming(monthly, date(2026, 11, 19)) == Due("monthly", "school", "2026-11", date(2026, 11, 19))
    assert coming(monthly, date(2026, 11, 20)) == Due("monthly", "school", "2026-12", date(2026, 12, 19))
    passed = between(monthly, date(2026, 9, 19), date(2026, 11, 18))
    assert [due.period for due in passed] == ["2026-09", "2026-10"]
    assert coming(deadline("year", ""), date(2026, 11, 1)) is None


@pytest.mark.parametrize(
    ("left", "days"), [(8, None), (7, 7), (5, 7), (3, 7), (2, 2), (1, 2), (0, 2), (-1, None)]
)
def test_reminders_go_out_seven_and_two_days_before_or_as_soon_as_somebody_can(left: int, days) -> None:
    last = date(2026, 11, 19)
    due = Due("monthly", "school", "2026-11", last)
    assert reminder(due, last - timedelta(days=left)) == days


def test_on_time_is_counted_over_what_was_due_since_the_school_was_there() -> None:
    # last days: 19 September, 19 October, 19 November; it came on 1 October, and it is noon of 19 November
    dues = tuple(between(deadline("monthly", "20"), date(2026, 9, 1), date(2026, 11, 30)))
    at = {month: ends(date(2026, month, 19)) for month in (9, 10, 11)}
    since, now = ends(date(2026, 9, 30)), at[11] - 43200
    assert on_time(dues, {}, now, since) == OnTime(1, 0, 0), "October; today is not over"
    assert on_time(dues, {}, at[11], since) == OnTime(2, 0, 0)
    handed = {
        ("monthly", "2026-10"): (at[10] - 1, ""),
        ("monthly", "2026-11"): (at[11], ""),
    }  # 23:59:59, 00:00
    total = on_time(dues, handed, at[11] + 60, since)
    assert total == OnTime(2, 1, 1)
    assert (total.ratio, total.missing) == (0.5, 0)
    assert OnTime().ratio is None, "nothing due is no share"
    held = {
        ("monthly", "2026-10"): (at[10] - 1, "2026-10-09"),
        ("monthly", "2026-11"): (at[11], "2026-11-24"),
    }
    changed = on_time(dues, held, at[11] + 60, since)
    assert changed == OnTime(2, 1, 1), "by the day that held then: October was late, November is not"
    assert (total + OnTime(2, 0, 1)).missing == 1


@pytest.mark.parametrize(
    ("kind", "period", "last"),
    [
        ("monthly", "2028-02", date(2028, 2, 29)),
        ("quarterly", "2026-Q4", date(2026, 12, 31)),
        ("half_year", "2026-H1", date(2026, 6, 30)),
        ("year", "2026", date(2026, 12, 31)),
        ("self_assessment", "2025-2026", date(2026, 7, 31)),
        ("ad_hoc", "2026-11-29", date(2026, 11, 29)),
    ],
)
def test_a_period_ends_on_its_last_day(kind, period: str, last: date) -> None:
    assert calendar.end_of_period(kind, period) == last


@pytest.mark.parametrize(
    ("text", "meant"),
    [("05", "5"), ("0", "0"), ("5 tháng sau", "+5"), ("+5", "+5"), ("10/12", "12-10"), ("mai", "mai")],
)
def test_a_deadline_is_read_as_people_write_it(text: str, meant: str) -> None:
    assert read_before(text) == meant


def test_what_is_asked_for_has_no_deadline_and_nought_is_no_day() -> None:
    for kind, before in (("ad_hoc", "12-10"), ("monthly", "0"), ("monthly", "+29")):
        with pytest.raises(ValueError, match=r"day|deadline"):
            calendar.check(kind, before)
