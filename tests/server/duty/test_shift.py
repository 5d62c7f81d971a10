"""Who is on duty at which hour, what waits until morning, and which hours nobody covers."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server.duty import route
from schoolwatch_server.duty.shift import (
    VIETNAM,
    Gap,
    Shift,
    Where,
    due,
    gaps,
    is_on,
    rank,
)
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.severity import SEVERITIES

ALL_DAYS = frozenset(range(7))
HERE = Where(1, 2, 3)


def at(text: str) -> float:
    """An instant that Vietnam's clocks show so."""
    return datetime.fromisoformat(text).replace(tzinfo=VIETNAM).timestamp()


def shift(**more) -> Shift:
    values = {
        "id": 1, "name": "Lan", "scope": EVERYTHING, "least": "low", "weekdays": ALL_DAYS,
        "starts": 0, "ends": 0, "channels": ("a",),
    }  # fmt: skip
    return Shift(**(values | more))


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    night = shift(weekdays=frozenset({6}), starts=22 * 60, ends=6 * 60)
    assert is_on(night, at("2026-11-29T22:00"))  # a Sunday
    assert is_on(night, at("2026-11-30T02:00"))
    assert not is_on(night, at("2026-11-30T06:00"))
    assert not is_on(night, at("2026-11-30T22:00"))
    assert not is_on(night, at("2026-11-29T02:00"))


def test_the_whole_day_is_from_midnight_to_midnight() -> None:
    whole = shift(weekdays=frozenset({0}))
    assert is_on(whole, at("2026-11-30T00:00"))
    assert is_on(whole, at("2026-11-30T23:59"))
    assert not is_on(whole, at("2026-12-01T00:00"))


def test_days_of_a_rota_are_kept_to() -> None:
    week = shift(first_day=date(2026, 12, 28), last_day=date(2026, 12, 31), starts=18 * 60, ends=7 * 60)
    assert not is_on(week, at("2026-12-27T20:00"))
    assert is_on(week, at("2026-12-31T20:00"))
    assert is_on(week, at("2027-01-01T06:59"))
    assert not is_on(week, at("2027-01-01T20:00"))


@pytest.mark.parametrize(
    ("severity", "when", "expected", "waits"),
    [
        ("critical", "2026-11-29T02:00", "2026-11-29T02:00", False),
        ("high", "2026-11-29T02:00", "2026-11-29T02:00", False),
        ("medium", "2026-11-29T02:00", "2026-11-29T06:30", True),
        ("medium", "2026-12-31T23:10", "2027-01-01T06:30", True),
        ("medium", "2026-11-29T12:00", "2026-11-29T12:00", False),
        ("low", "2026-11-29T02:00", "2026-11-29T07:30", True),
        ("low", "2026-11-29T12:00", "2026-11-30T07:30", True),
        ("low", "2026-11-29T07:30", "2026-11-30T07:30", True),
    ],
)
def test_quiet_hours_and_the_daily_digest(severity: str, when: str, expected: str, waits: bool) -> None:
    quiet = shift(quiet=(22 * 60, 6 * 60 + 30), digest=7 * 60 + 30)
    assert due(quiet, severity, at(when)) == (at(expected), waits)


def test_a_digest_in_quiet_hours_waits_for_their_end() -> None:
    odd = shift(quiet=(22 * 60, 6 * 60), digest=5 * 60)
    assert due(odd, "low", at("2026-11-29T12:00")) == (at("2026-11-30T06:00"), True)


@given(
    st.sampled_from(SEVERITIES), st.floats(1.7e9, 1.9e9), st.integers(0, 1439), st.integers(0, 1439),
    st.none() | st.integers(0, 1439),
)  # fmt: skip
def test_nothing_waits_longer_than_two_days_and_the_serious_never(
    severity: str, when: float, begin: int, end: int, digest: int | None
) -> None:
    then, waits = due(shift(quiet=(begin, end), digest=digest), severity, when)
    assert when <= then <= when + 2 * 86400
    assert waits == (then > when)
    if severity in ("high", "critical"):
        assert then == when


def test_without_a_list_everybody_is_told_at_once() -> None:
    told = route.opening((), ["b", "a"], "low", HERE, 100.0)
    assert [(one.channel, one.at, one.is_digest) for one in told] == [
        ("a", 100.0, False),
        ("b", 100.0, False),
    ]


def test_who_is_on_duty_is_told_and_nobody_else() -> None:
    day = shift(name="Lan", starts=7 * 60, ends=19 * 60, channels=("lan",), least="medium")
    night = shift(name="Minh", starts=19 * 60, ends=7 * 60, channels=("minh",), least="high")
    other = shift(name="Hà", scope=Scope("commune", 9), channels=("ha",))
    rota = (day, night, other)

    def told(severity: str, when: str, where: Where = HERE) -> list[str]:
        return [one.channel for one in route.opening(rota, ["all"], severity, where, at(when))]

    assert told("high", "2026-11-29T12:00") == ["lan"]
    assert told("low", "2026-11-29T12:00") == []  # somebody is on duty, who did not want it
    assert told("high", "2026-11-29T02:00") == ["minh"]
    assert told("medium", "2026-11-29T02:00") == []
    assert told("low", "2026-11-29T12:00", Where(1, 9, 5)) == ["ha"]
    assert told("critical", "2026-11-29T12:00", Where(1, 9, 5)) == ["ha", "lan"]


def test_in_hours_that_nobody_covers_everybody_is_told() -> None:
    day = shift(starts=7 * 60, ends=19 * 60, channels=("lan",), least="high")
    assert [one.channel for one in route.opening([day], ["all"], "low", HERE, at("2026-11-29T02:00"))] == [
        "all"
    ]


def test_a_critical_one_that_no_shift_takes_goes_to_everybody() -> None:
    elsewhere = shift(scope=Scope("school", 99))
    nobody = shift(channels=())
    assert [one.channel for one in route.opening([elsewhere], ["all"], "critical", HERE, 0.0)] == ["all"]
    assert route.opening([nobody], ["all"], "high", HERE, 0.0) != ()


def test_one_channel_of_two_shifts_is_told_once_and_as_early_as_one_of_them_asks() -> None:
    lazy = shift(name="x", digest=480, channels=("a",))
    prompt = shift(name="y", channels=("a",))
    (told,) = route.opening([lazy, prompt], [], "low", HERE, at("2026-11-29T12:00"))
    assert (told.at, told.is_digest, told.shifts) == (at("2026-11-29T12:00"), False, ("x", "y"))


def test_the_end_is_told_to_whoever_was_told_of_the_beginning() -> None:
    quiet = shift(quiet=(22 * 60, 6 * 60), channels=("a",))
    told = route.ending([quiet], {"a", "b"}, "medium", at("2026-11-29T23:00"))
    assert [(one.channel, one.at) for one in told] == [
        ("a", at("2026-11-30T06:00")), ("b", at("2026-11-29T23:00")),
    ]  # fmt: skip


def test_steps() -> None:
    steps = [shift(step=1), shift(step=2, id=2), shift(step=4, id=3)]
    assert [route.next_step(steps, n) for n in (1, 2, 3, 4)] == [2, 4, 4, None]
    assert route.patience({"high": 30}, "high") == 1800
    assert route.patience({"high": 30, "low": 0}, "low") is None
    assert rank("critical") > rank("high") > rank("medium") > rank("low")


def test_gaps_of_a_week() -> None:
    weekdays = shift(weekdays=frozenset(range(5)), starts=7 * 60, ends=17 * 60)
    nights = shift(starts=17 * 60, ends=7 * 60)
    monday = date(2026, 11, 30)
    found = gaps([weekdays, nights], "critical", HERE, monday)
    assert found == (Gap(5 * 1440 + 420, 5 * 1440 + 1020), Gap(6 * 1440 + 420, 6 * 1440 + 1020))
    assert gaps([shift()], "low", HERE, monday) == ()
    assert gaps([shift(least="critical")], "high", HERE, monday) == (Gap(0, 7 * 1440),)
    assert gaps([], "low", HERE, monday) == (Gap(0, 7 * 1440),)


@given(
    st.lists(st.tuples(st.sets(st.integers(0, 6)), st.integers(0, 1439), st.integers(0, 1439)), max_size=4)
)
def test_a_gap_is_exactly_where_nobody_is_on(entries: list) -> None:
    rota = [shift(weekdays=frozenset(days), starts=a, ends=b) for days, a, b in entries]
    monday = date(2026, 11, 30)
    start = at("2026-11-30T00:00")
    found = gaps(rota, "high", HERE, monday)
    for minute in range(0, 7 * 1440, 97):
        free = any(gap.starts <= minute < gap.ends for gap in found)
        assert free is not any(is_on(one, start + minute * 60) for one in rota)
