"""When a trend reaches its target: by hand, by properties, and how often the interval holds (seeded)."""

import math
import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server import forecast as module
from schoolwatch_server.forecast import Day, Forecast, forecast
from schoolwatch_server.sections import Forecasting

NOW = date(2026, 11, 29)


def days(values: list[float | None], end: date = NOW) -> list[Day]:
    first = end - timedelta(days=len(values) - 1)
    return [(first + timedelta(days=at), v) for at, v in enumerate(values) if v is not None]


def after(n: int) -> date:
    return NOW + timedelta(days=n)


RISING = [0.5 + 0.01 * (day // 7) for day in range(70)]
"""Ten whole weeks, one point of a hundred more each: 0.50, 0.51, … 0.59."""


def test_a_steady_trend_is_carried_on() -> None:
    # the newest week is 0.59, 0.64 is 5 points off, one a week: 5 weeks = 35 days after today
    found = forecast(days(RISING), 0.64, after(200), NOW)
    assert found.expected == after(35)
    assert found.earliest == after(35), "its changes do not differ, so nothing is sooner"
    # closing of what is missing goes faster and faster here, so the slowing bounds lie near:
    # ln(0.41/0.36) = 0.1301 at a mean of ln(0.50/0.41)/9 = 0.02205 a week: 5.9 weeks, and its own spread
    assert found.latest is not None
    assert after(41) <= found.latest <= after(63)
    assert found.a_week == pytest.approx(0.01)
    assert (found.standing, found.reason, found.weeks) == ("on_time", "", 10)


def test_the_deadline_decides_the_word() -> None:
    def word(deadline: date | None) -> str:
        return forecast(days(RISING), 0.64, deadline, NOW).standing

    latest = forecast(days(RISING), 0.64, None, NOW).latest
    assert latest is not None
    assert word(latest) == "on_time"
    assert word(latest - timedelta(days=1)) == "likely"
    assert word(after(35)) == "likely"
    assert word(after(34)) == "missed", "the earliest is day 35"
    assert word(after(0)) == "missed", "today still counts, but it is not reached"
    assert word(after(-1)) == "overdue"
    assert word(None) == "dated"


def test_only_the_fast_bound_is_in_time() -> None:
    unsteady = [0.5 + step for step in (0, 0.02, 0.02, 0.05, 0.05, 0.06, 0.09, 0.09, 0.12, 0.13)]
    found = forecast(days([v for v in unsteady for _ in range(7)]), 0.8, None, NOW)
    assert found.earliest is not None
    assert found.expected is not None
    assert found.earliest < found.expected
    between = found.earliest + (found.expected - found.earliest) / 2
    assert forecast(days([v for v in unsteady for _ in range(7)]), 0.8, between, NOW).standing == "unlikely"


def test_overdue_still_says_when() -> None:
    found = forecast(days(RISING), 0.64, date(2025, 12, 31), NOW)
    assert (found.standing, found.expected) == ("overdue", after(35))


@pytest.mark.parametrize(("weeks", "reason"), [(7, "too_short"), (8, "")])
def test_a_short_history_gets_no_model(weeks: int, reason: str) -> None:
    found = forecast(days(RISING[: 7 * weeks]), 0.64, after(200), NOW)
    assert (found.reason, found.weeks) == (reason, weeks)
    assert (found.expected is None) == bool(reason)
    if reason:
        assert found.standing == "unknown", "nobody knows whether it is in time"
        assert forecast(days(RISING[: 7 * weeks]), 0.64, after(-1), NOW).standing == "overdue", (
            "that is known"
        )


def test_how_long_is_long_enough_is_a_setting() -> None:
    short = days(RISING[:35])
    assert forecast(short, 0.64, None, NOW, terms=Forecasting(least_weeks=5)).expected is not None
    assert forecast(short, 0.64, None, NOW).reason == "too_short"


def test_it_looks_at_the_newest_weeks_alone() -> None:
    flat_then_rising = [0.1] * 700 + RISING
    found = forecast(days(flat_then_rising), 0.64, None, NOW, terms=Forecasting(most_weeks=10))
    assert found.expected == after(35)


def test_what_stands_still_never_reaches_it() -> None:
    found = forecast(days([0.7] * 70), 0.8, after(400), NOW)
    assert found == Forecast("missed", "flat", a_week=0.0, weeks=10)
    assert forecast(days([0.7] * 70), 0.8, None, NOW).standing == "dated"


def test_what_leads_away_says_so() -> None:
    found = forecast(days(RISING[::-1]), 0.8, after(400), NOW)
    assert (found.standing, found.reason, found.expected, found.latest) == ("missed", "away", None, None)


def test_what_needs_more_than_ten_years_gets_no_date() -> None:
    slow = [0.5 + 0.0001 * (day // 7) for day in range(70)]  # 3,000 points of ten thousand: 3,000 weeks
    found = forecast(days(slow), 0.8, after(3000), NOW)
    assert (found.standing, found.reason, found.expected) == ("missed", "far", None)


def test_reached_says_since_when() -> None:
    history = days([0.7] * 30 + [0.8] * 5 + [0.75] * 2 + [0.81] * 4)
    found = forecast(history, 0.8, after(-100), NOW)
    assert found == Forecast("reached", since=after(-3)), "reached late, but reached: no longer overdue"


def test_reached_and_lost_again() -> None:
    history = days([0.81] * 60 + [0.79] * 10)
    found = forecast(history, 0.8, after(30), NOW)
    assert (found.lost_on, found.standing, found.reason) == (after(-9), "unlikely", "away")
    assert found.expected is None
    assert found.earliest is not None, "one fall among steady weeks: chance may bring it back"


def test_lost_yesterday_begins_from_what_holds_now() -> None:
    found = forecast(days([*RISING, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.59]), 0.595, None, NOW)
    assert found.standing == "dated"
    assert found.expected is not None
    assert found.expected > NOW


def test_an_old_value_is_no_present_one() -> None:
    history = days(RISING, end=after(-15))
    assert forecast(history, 0.64, after(100), NOW) == Forecast("unknown", "no_value")
    assert forecast(days(RISING, end=after(-14)), 0.64, after(100), NOW).standing != "unknown"
    assert forecast([], 0.64, after(100), NOW).reason == "no_value"


def test_fewer_is_better_where_it_is_so() -> None:
    falling = [30 - 0.5 * (day // 7) for day in range(70)]  # 30 … 25.5 students a computer; 24 is 3 weeks off
    found = forecast(days(falling), 24, after(21), NOW, better="lower", is_share=False)
    assert (found.expected, found.standing) == (after(21), "on_time")
    assert found.a_week == pytest.approx(-0.5)
    assert forecast(days(falling), 26, None, NOW, better="lower", is_share=False).standing == "reached"


def test_a_gap_counts_for_the_weeks_that_it_lasted() -> None:
    before = RISING[:28]  # 0.50 … 0.53
    rest = [0.6] * 7 + [0.61] * 7 + [0.62] * 7 + [0.63] * 7
    with_gap: list[float | None] = [*before, *[None] * 42, *rest]
    found = forecast(days(with_gap), 0.68, None, NOW)
    # 0.53 before six weeks without a value, 0.60 after: still one point a week; 0.63 now, 5 more
    assert (found.a_week, found.weeks, found.expected) == (pytest.approx(0.01), 8, after(35))


def test_a_single_step_is_no_sure_trend() -> None:
    found = forecast(days([0.5] * 42 + [0.6] * 28), 0.7, after(70), NOW)
    assert found.latest is None, "whether another one comes nobody knows"
    assert found.standing == "likely"


def test_students_t() -> None:
    # 95 % quantiles of Student's t as tables have them
    for free, value in ((3, 2.353), (4, 2.132), (7, 1.895), (12, 1.782), (25, 1.708)):
        assert module._student(free) == pytest.approx(value, rel=0.01)


# --- properties -------------------------------------------------------------------------------------------

SHARES = st.lists(st.none() | st.floats(0, 1), max_size=250)


@given(SHARES, st.floats(0, 1), st.none() | st.integers(-500, 5000), st.integers(0, 30))
def test_whatever_comes_the_answer_holds_together(
    values: list[float | None], target: float, deadline: int | None, silent: int
) -> None:
    due = None if deadline is None else after(deadline)
    found = forecast(days(values, end=after(-silent)), target, due, NOW)
    order = [day for day in (found.earliest, found.expected, found.latest) if day is not None]
    assert order == sorted(order)
    assert not found.latest or found.expected, "a slower bound that arrives has a trend that does"
    assert not found.expected or found.earliest
    assert (found.standing in ("reached", "unknown")) or found.expected or found.reason
    if due is None:
        assert found.standing in ("reached", "dated", "unknown")
    elif found.standing == "on_time":
        assert found.latest is not None
        assert found.latest <= due
    elif found.standing == "missed":
        assert not found.earliest or found.earliest > due


@given(st.lists(st.floats(-1e9, 1e9), min_size=60, max_size=120), st.floats(-1e9, 1e9))
def test_less_is_more_turned_round(values: list[float], target: float) -> None:
    history = days([*values])
    turned = [(day, -value) for day, value in history]
    more = forecast(history, target, None, NOW, is_share=False)
    less = forecast(turned, -target, None, NOW, better="lower", is_share=False)
    assert (more.standing, more.expected, more.latest) == (less.standing, less.expected, less.latest)


@given(st.lists(st.floats(0, 1), min_size=60, max_size=120), st.floats(0, 1), st.integers(1, 300))
def test_a_later_deadline_is_never_worse(values: list[float], target: float, more: int) -> None:
    rank = ["missed", "unlikely", "likely", "on_time", "reached"]
    soon = forecast(days([*values]), target, after(30), NOW).standing
    late = forecast(days([*values]), target, after(30 + more), NOW).standing
    assert rank.index(soon) <= rank.index(late)


# --- how often the interval holds -------------------------------------------------------------------------


def noisy_line(r: random.Random) -> Iterator[float]:
    """A straight line with noise that remembers the day before."""
    slope, value, size, memory = r.uniform(0.0005, 0.004), r.uniform(0.2, 0.6), r.uniform(0.002, 0.02), 0.5
    noise = 0.0
    while True:
        noise = memory * noise + r.gauss(0, size * math.sqrt(1 - memory**2))
        value += slope
        yield value + noise


def put_right(r: random.Random) -> Iterator[float]:
    """Computers are put right one by one on working days, at random."""
    many = r.choice([40, 200, 2000])
    done, rate, day = many * r.uniform(0.2, 0.5), many * r.uniform(0.001, 0.004), 0
    while True:
        mean = rate * 7 / 5 if day % 7 < 5 else 0.0
        done += max(0.0, r.gauss(mean, math.sqrt(mean))) if mean > 9 else _poisson(r, mean)
        day += 1
        yield done / many


def _poisson(r: random.Random, mean: float) -> int:
    count, left = 0, math.exp(-mean)
    product = r.random()
    while product > left:
        count, product = count + 1, product * r.random()
    return count


def in_lots(r: random.Random) -> Iterator[float]:
    """A whole lab at once, now and then: little can be known from a few of those."""
    many, chance = r.choice([100, 400]), r.uniform(0.03, 0.1)
    done, day = many * r.uniform(0.2, 0.4), 0
    while True:
        done += r.choice([5, 10, 20]) if day % 7 < 5 and r.random() < chance else 0
        day += 1
        yield done / many


def slowing(r: random.Random) -> Iterator[float]:
    """What is easy is done first: growth slows down towards 90 to 100 %."""
    top, speed, gap, day = r.uniform(0.9, 1.0), r.uniform(0.003, 0.012), r.uniform(0.3, 0.7), 0
    while True:
        yield top - gap * math.exp(-speed * day) + r.gauss(0, 0.003)
        day += 1


def held(kind: Callable[[random.Random], Iterator[float]], weeks: int, runs: int = 120) -> float:
    """Of so many made-up histories, in how many the true week of reaching 0.85 lay within the interval."""
    r, inside, counted = random.Random(20261129), 0, 0
    while counted < runs:
        path = kind(r)
        values = [next(path) for _ in range(7 * weeks)]
        found = forecast(days([*values]), 0.85, None, NOW)
        if found.standing != "dated" or sorted(values[-7:])[3] >= 0.85:
            continue
        counted += 1
        truth = None
        for week in range(1, module.HORIZON // 7):
            if sorted(next(path) for _ in range(7))[3] >= 0.85:
                truth = NOW + timedelta(days=7 * week)
                break
        begin, end = found.earliest, found.latest
        soon = truth is not None and (begin is None or truth < begin)
        late = end is not None and (truth is None or truth - timedelta(days=7) > end)
        inside += not soon and not late
    return inside / counted


@pytest.mark.parametrize(
    ("kind", "weeks", "least"),
    [
        (noisy_line, 8, 0.9),
        (noisy_line, 26, 0.9),
        (put_right, 8, 0.9),
        (put_right, 26, 0.9),
        (in_lots, 8, 0.65),
        (in_lots, 26, 0.7),
        (slowing, 8, 0.55),
        (slowing, 26, 0.65),
    ],
)
def test_the_interval_holds_as_often_as_the_decision_says(
    kind: Callable[[random.Random], Iterator[float]], weeks: int, least: float
) -> None:
    share = held(kind, weeks)
    assert share >= least, share
