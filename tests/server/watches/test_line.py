"""When a school that is quiet has lost its line, and when its people have only gone home."""

from datetime import date, datetime

import pytest

from schoolwatch_server.hearing import Hearing
from schoolwatch_server.school_time import SchoolTime, SetDay, day_number, week
from schoolwatch_server.watches.line import Tolerance, judge

CALENDAR = SchoolTime(week("07:00-11:30", "13:30-17:00", "23456"))
LIMITS = Tolerance(quiet=1200, gateway=1200, overnight=7200, many=2700, day=18000)
MINUTE = 60.0


def at(text: str) -> float:
    """On Monday 30 November 2026 unless a day is said."""
    day, _, time = text.rpartition(" ")
    return datetime.fromisoformat(f"{day or '2026-11-30'}T{time}+07:00").timestamp()


def gateway(when: float) -> Hearing:
    return Hearing(1, 1, None, "gateway", when)


def lab(when: float, count: int = 10, spread: float = 840.0) -> list[Hearing]:
    """Computers of a lab; the last hearings of those that are on lie within a delivery period."""
    return [
        Hearing(100 + n, 1, 7, "student_lab", when - spread * n / max(count - 1, 1)) for n in range(count)
    ]


def staff(when: float) -> list[Hearing]:
    return [Hearing(50 + n, 1, 8, "office", when - 400.0 * n) for n in range(2)]


def down(hearings, now: str, *, deaf_at: float = 0.0, calendar: SchoolTime = CALENDAR) -> bool | None:
    found = judge(hearings, calendar, at(now), deaf_at, LIMITS)
    assert found is not None
    return found.is_down


CUT = at("09:00")


def test_a_gateway_that_falls_silent_in_school_time_tells_it() -> None:
    school = [gateway(CUT), *lab(CUT)]
    assert down(school, "09:19") is False
    assert down(school, "09:20") is True
    found = judge(school, CALENDAR, at("09:20"), 0.0, LIMITS)
    assert found is not None
    assert (found.since, found.witness) == (CUT, "gateway")


def test_a_gateway_alone_is_no_line() -> None:
    """Others of the school are still heard: it is the gateway that is gone."""
    assert down([gateway(CUT), *lab(at("10:55"))], "11:00") is False
    # and when they go home later, it tells nothing of the line
    assert down([gateway(CUT), *lab(at("10:55"))], "15:00") is False


@pytest.mark.parametrize("now", ["09:46", "10:30", "16:59"])
def test_many_computers_in_several_rooms_that_stop_at_once_tell_it(now: str) -> None:
    assert down([*lab(CUT), *staff(CUT)], "09:40") is False  # not yet: 45 minutes of school
    assert down([*lab(CUT), *staff(CUT)], now) is True


@pytest.mark.parametrize(
    "school",
    [
        lab(CUT),  # a lesson in the lab has ended
        [*lab(CUT), *[Hearing(50, 1, 7, "office", CUT)]],  # one room
        [*lab(CUT, 3), *staff(CUT)[:1]],  # too few to tell
        [*lab(at("08:40")), *staff(CUT)],  # the lab ended at 8:40, the office left at 9
        [*lab(CUT, 10, 3000.0), *staff(CUT)],  # one after the other
    ],
)
def test_computers_that_are_switched_off_do_not(school) -> None:
    assert down(school, "11:00") is False
    assert down(school, "15:00") is False


def test_at_the_end_of_a_session_everybody_goes() -> None:
    end = at("11:05")
    assert down([*lab(end), *staff(end)], "16:00") is False


def test_a_cut_outside_of_school_is_said_when_school_has_begun_for_a_while() -> None:
    night = [gateway(at("02:00"))]
    assert down(night, "06:59") is False
    assert down(night, "08:59") is False
    assert down(night, "09:01") is True


def test_a_gateway_that_is_cut_off_each_evening_says_nothing() -> None:
    evening = [gateway(at("16:50"))]
    assert down(evening, "2026-12-01 07:30") is False
    assert down([gateway(at("2026-12-01 07:10"))], "2026-12-01 07:15") is False


def test_nothing_is_said_outside_of_school_time_and_nothing_is_taken_back() -> None:
    school = [gateway(CUT)]
    assert down(school, "12:00") is None
    assert down(school, "23:00") is None
    assert down(school, "2026-12-06 09:00") is None  # Sunday
    assert down([gateway(at("20:00"))], "20:05") is False  # heard again at night


def test_a_day_off_that_somebody_sets_takes_it_back() -> None:
    today = date(2026, 11, 30)
    off = SchoolTime(CALENDAR.week, (), (SetDay(today, today, is_held=False),))
    assert down([gateway(CUT)], "10:00", calendar=off) is False


def test_what_the_server_could_not_hear_is_not_silence() -> None:
    school = [gateway(CUT), *lab(CUT)]
    assert down(school, "10:00", deaf_at=at("09:50")) is None
    assert down(school, "10:11", deaf_at=at("09:50")) is True


def test_a_school_that_is_heard_every_day_and_not_for_a_whole_one_tells_it() -> None:
    friday = at("2026-11-27 16:50")
    every_day = Hearing(1, 1, 7, "student_lab", friday, day_number(friday), (1 << 40) - 1)
    assert down([every_day], "13:00") is False
    assert down([every_day], "14:30") is True
    seldom = Hearing(1, 1, 7, "student_lab", friday, day_number(friday), 0b1000010000100001)
    assert down([seldom], "16:30") is False


def test_reports_that_came_on_a_stick_tell_of_no_line() -> None:
    carried = [Hearing(n, 1, n, "office", CUT, is_carried=True) for n in range(10)]
    assert judge(carried, CALENDAR, at("10:30"), 0.0, LIMITS) is None
    assert judge([Hearing(1, 1, 1, "office", None)], CALENDAR, at("10:30"), 0.0, LIMITS) is None
