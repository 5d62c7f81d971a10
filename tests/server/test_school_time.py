"""School time: by hand where a person would look it up, and as laws that hold of every calendar."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server.packs.calendar import Break
from schoolwatch_server.school_time import (
    DAY,
    NO_SCHOOL,
    SchoolTime,
    Session,
    SetDay,
    day_number,
    day_of,
    is_school_time,
    midnight,
    seconds_of_school,
    session_at,
    sessions,
    week,
)

HOUR = 3600.0
WEEK = week("07:00-11:30", "13:30-17:00", "23456", "7")
TET = Break(
    vi="Tết", en="Tết", first="2027-02-03", last="2027-02-11", document="d", clause="c", confidence="P"
)
SUMMER = Break(vi="Hè", en="Summer", first="06-01", last="08-31", document="d", clause="c", confidence="P")
PLAIN = SchoolTime(WEEK, (TET, SUMMER))


def at(text: str) -> float:
    return datetime.fromisoformat(f"{text}+07:00").timestamp()


@pytest.mark.parametrize(
    ("when", "held"),
    [
        ("2026-11-30T06:59:59", False),  # a Monday
        ("2026-11-30T07:00", True),
        ("2026-11-30T11:29:59", True),
        ("2026-11-30T11:30", False),
        ("2026-11-30T13:30", True),
        ("2026-11-30T17:00", False),
        ("2026-11-30T23:30", False),  # still Monday in Vietnam, already late afternoon in UTC
        ("2026-12-05T09:00", True),  # Saturday: a morning alone
        ("2026-12-05T14:00", False),
        ("2026-11-29T09:00", False),  # Sunday
        ("2027-02-03T09:00", False),  # Tết
        ("2027-02-12T09:00", True),
        ("2026-07-15T09:00", False),  # summer
    ],
)
def test_whether_school_is_held(when: str, held: bool) -> None:
    assert is_school_time(PLAIN, at(when)) is held


def test_a_week_has_its_hours() -> None:
    assert seconds_of_school(PLAIN, at("2026-11-30T00:00"), at("2026-12-07T00:00")) == (5 * 8 + 4.5) * HOUR


def test_from_friday_noon_to_monday_morning_only_school_counts() -> None:
    # Friday 16:00-17:00, Saturday 07:00-11:30, Monday 07:00-07:30
    assert seconds_of_school(PLAIN, at("2026-12-04T16:00"), at("2026-12-07T07:30")) == (1 + 4.5 + 0.5) * HOUR


def test_the_nearest_word_wins() -> None:
    flood = SetDay(date(2026, 11, 30), date(2026, 12, 1), is_held=False)
    after_all = SetDay(date(2026, 12, 1), date(2026, 12, 1), is_held=True)
    own = SchoolTime(WEEK, (TET,), (after_all, flood))  # the school is held where the commune is not
    assert not is_school_time(own, at("2026-11-30T09:00"))
    assert is_school_time(own, at("2026-12-01T09:00"))


def test_a_day_that_is_made_up_for_has_a_mondays_hours_or_its_own() -> None:
    sunday, saturday = date(2026, 11, 29), date(2026, 12, 5)
    own = SchoolTime(
        WEEK, (), tuple(SetDay(day, day, is_held=True) for day in (sunday, saturday, date(2027, 2, 4)))
    )
    assert seconds_of_school(own, at("2026-11-29T00:00"), at("2026-11-30T00:00")) == 8 * HOUR
    assert seconds_of_school(own, at("2026-12-05T00:00"), at("2026-12-06T00:00")) == 4.5 * HOUR
    assert is_school_time(own, at("2027-02-04T09:00"))


def test_a_session_knows_its_ends() -> None:
    assert session_at(PLAIN, at("2026-11-30T08:00")) == (at("2026-11-30T07:00"), at("2026-11-30T11:30"))
    assert session_at(PLAIN, at("2026-11-30T12:00")) is None


@pytest.mark.parametrize(
    ("morning", "afternoon", "days"),
    [
        ("7:00-11:30", "", "23456"),
        ("11:30-07:00", "", "23456"),
        ("07:00-24:30", "", "23456"),
        ("07:00-14:00", "13:30-17:00", "23456"),
        ("07:00-11:30", "", "T2"),
        ("07:00-11:30", "", "19"),
    ],
)
def test_hours_that_are_none_are_refused(morning: str, afternoon: str, days: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        week(morning, afternoon, days)


# --- laws ---------------------------------------------------------------------------------------------

instants = st.floats(1.6e9, 2.2e9)


@st.composite
def calendars(draw) -> SchoolTime:
    ends = st.tuples(st.integers(0, 720), st.integers(1, 720))
    days = []
    for _ in range(7):
        begin, length = draw(ends)
        days.append((Session(begin, begin + length),) if draw(st.booleans()) else ())
    begins = draw(st.lists(st.dates(date(2020, 1, 1), date(2039, 1, 1)), max_size=3))
    spans = [
        SetDay(day, day + timedelta(days=draw(st.integers(0, 40))), draw(st.booleans())) for day in begins
    ]
    return SchoolTime(
        tuple(days), tuple(draw(st.lists(st.sampled_from((TET, SUMMER)), max_size=2))), tuple(spans)
    )


@given(calendars(), instants, st.floats(0, 30 * DAY), st.floats(0, 30 * DAY))
def test_spans_add_up(calendar: SchoolTime, start: float, first: float, second: float) -> None:
    middle, end = start + first, start + first + second
    parts = seconds_of_school(calendar, start, middle) + seconds_of_school(calendar, middle, end)
    assert seconds_of_school(calendar, start, end) == pytest.approx(parts, abs=1e-3)


@given(calendars(), instants, st.floats(0, 90 * DAY))
def test_there_is_never_more_school_than_time(calendar: SchoolTime, start: float, length: float) -> None:
    assert 0 <= seconds_of_school(calendar, start, start + length) <= length + 1e-3


@given(calendars(), instants)
def test_an_instant_is_school_time_when_the_second_after_it_counts(calendar: SchoolTime, when: float) -> None:
    when = float(int(when))  # sessions begin and end on whole seconds
    assert is_school_time(calendar, when) == (seconds_of_school(calendar, when, when + 1) > 0)


@given(calendars(), instants)
def test_a_day_off_has_no_school_whatever_else_holds(calendar: SchoolTime, when: float) -> None:
    day = day_of(day_number(when))
    off = SchoolTime(calendar.week, calendar.breaks, (SetDay(day, day, is_held=False), *calendar.days))
    assert not is_school_time(off, when)
    assert sessions(off, day_number(when)) == ()


@given(calendars(), instants)
def test_a_day_of_school_is_held_where_the_week_has_any_hours(calendar: SchoolTime, when: float) -> None:
    number = day_number(when)
    day = day_of(number)
    on = SchoolTime(WEEK, calendar.breaks, (SetDay(day, day, is_held=True), *calendar.days))
    assert seconds_of_school(on, midnight(number), midnight(number + 1)) in (8 * HOUR, 4.5 * HOUR)


@given(instants, st.floats(0, 500 * DAY))
def test_without_hours_there_is_no_school(start: float, length: float) -> None:
    assert seconds_of_school(SchoolTime(NO_SCHOOL), start, start + length) == 0


@given(instants)
def test_a_day_begins_at_its_midnight(when: float) -> None:
    number = day_number(when)
    assert midnight(number) <= when < midnight(number + 1)
