"""When to test: a random instant in each part of the window, a budget, and a reason for each test missed."""

from datetime import UTC, datetime
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_agent.bandwidth import plan
from schoolwatch_agent.bandwidth.order import Outcome, Way
from schoolwatch_agent.bandwidth.plan import Ledger, Part, Step
from schoolwatch_contract.settings import Bandwidth

WANTED = Bandwidth("https://so.example", (420, 1020), 2, 10**10)
DAY = 20_783  # 2026-11-26 in Vietnam
DEVICE = "5ca1ab1e" * 4
WAY = Way(2e7, 25_000_000, 10.0, congestion_control="bbr")
GOOD = Outcome(family=4, server="s:1", download=WAY, upload=WAY, busy=0.2, bytes=50_000_000)


def at(hour: float, day: int = DAY) -> float:
    """UTC seconds of an hour of a local day."""
    return day * 86400.0 - 7 * 3600 + hour * 3600


def test_the_parts_fill_the_window_of_the_local_day() -> None:
    assert datetime.fromtimestamp(at(0), UTC).isoformat() == "2026-11-25T17:00:00+00:00"
    first, second = plan.parts(DAY, WANTED, DEVICE)
    assert (first.begin, first.end, second.end) == (at(7), at(12), at(17))
    assert second.begin == first.end


@given(
    st.integers(0, 30_000),
    st.text("0123456789abcdef", min_size=1, max_size=32),
    st.tuples(st.integers(0, 1440), st.integers(0, 1440)),
    st.integers(0, 24),
)
def test_each_instant_is_in_its_part(day: int, device: str, window: tuple[int, int], tests: int) -> None:
    wanted = msgspec.structs.replace(WANTED, window=window, tests_a_day=tests)
    parts = list(plan.parts(day, wanted, device))
    assert len(parts) == (tests if window[0] < window[1] else 0)
    for part in parts:
        assert part.begin <= part.instant < part.end
    assert parts == list(plan.parts(day, wanted, device))  # never the time


def test_instants_are_spread_over_devices_and_days() -> None:
    minutes = [int((next(plan.parts(DAY, WANTED, f"{n:032x}")).instant - at(7)) // 60) for n in range(1500)]
    assert max(minutes.count(minute) for minute in set(minutes)) < 20  # 1,500 schools in 300 minutes
    days = {next(plan.parts(DAY + n, WANTED, DEVICE)).instant - at(7, DAY + n) for n in range(30)}
    assert len(days) == 30


def step_at(ledger: Ledger, now: float, wanted: Bandwidth = WANTED) -> Step:
    return plan.look(ledger, wanted, now, DEVICE)


def parts() -> list[Part]:
    return list(plan.parts(DAY, WANTED, DEVICE))


def begun() -> Ledger:
    """A ledger of the morning, before the window."""
    return step_at(Ledger(), at(6)).ledger


def test_a_test_is_due_from_its_instant_on_and_once() -> None:
    first, second = parts()
    ledger = begun()
    assert step_at(ledger, first.instant - 1).due is None
    due = step_at(ledger, first.instant + 1)
    assert due.due == first
    ledger = plan.settle(plan.attempt(due.ledger), first, GOOD, first.instant + 25, DEVICE)
    assert ledger.skipped is None
    assert ledger.spent == 50_000_000
    for now in (first.instant + 60, first.end - 1, second.instant - 1):
        assert step_at(ledger, now).due is None
    assert step_at(ledger, second.instant).due == second


def test_a_new_device_has_missed_nothing() -> None:
    assert step_at(Ledger(), at(18)).ledger.skips == {}
    assert step_at(Ledger(), at(6)).ledger.skips == {}


def test_a_machine_that_slept_tells_what_it_missed() -> None:
    ledger = step_at(begun(), at(6, DAY + 3)).ledger
    assert (ledger.skips, ledger.skipped) == ({"asleep": 6}, "asleep")
    again = step_at(ledger, at(6.5, DAY + 3)).ledger
    assert again == ledger  # told once


def test_a_machine_that_slept_for_years_does_not_count_for_ever() -> None:
    ledger = step_at(begun(), at(6, DAY + 3000)).ledger
    assert 0 < sum(ledger.skips.values()) <= 2 * (plan.LOOK_BACK + 1)


def test_a_clock_that_was_a_year_ahead_does_not_silence_the_device() -> None:
    ahead = step_at(Ledger(), at(6, DAY + 365)).ledger
    first = parts()[0]
    back = step_at(ahead, first.instant - 60)
    assert step_at(back.ledger, first.instant + 1).due == first


def test_a_refusal_is_asked_again_later_in_the_same_part_and_then_given_up() -> None:
    first = parts()[0]
    due = step_at(begun(), first.instant).ledger
    now, busy = first.instant, Outcome("line_busy", retry=30.0)
    for attempt in range(1, plan.TRIES):
        due = plan.settle(plan.attempt(due), first, busy, now, DEVICE)
        assert (due.tries, due.waiting) == (attempt, "line_busy")
        assert due.retry_at >= now + plan.RETRY
        assert step_at(due, due.retry_at - 1).due is None
        now = due.retry_at
        if now < first.end:
            assert step_at(due, now).due == first
    due = plan.settle(plan.attempt(due), first, busy, now, DEVICE)
    assert (due.skipped, due.skips, due.handled) == ("line_busy", {"line_busy": 1}, first.end)


def test_the_end_of_the_part_ends_the_waiting_with_its_reason() -> None:
    first = parts()[0]
    waiting = plan.settle(
        plan.attempt(begun()), first, Outcome("server_full", retry=5000.0), first.instant, DEVICE
    )
    assert step_at(waiting, first.end + 1).ledger.skipped == "server_full"


def test_a_success_takes_the_reason_back() -> None:
    first, second = parts()
    ledger = step_at(begun(), first.end + 1).ledger
    assert ledger.skipped == "asleep"
    done = plan.settle(plan.attempt(ledger), second, GOOD, second.instant, DEVICE)
    assert done.skipped is None
    assert done.skips == {"asleep": 1}


def test_the_budget_holds_and_the_next_month_begins_anew() -> None:
    first = parts()[0]
    dear = msgspec.structs.replace(begun(), spent=9_960_000_000, last_bytes=50_000_000)
    step = step_at(dear, first.instant)
    assert step.due is None
    assert (step.ledger.skipped, step.ledger.handled) == ("budget", first.end)
    later = step_at(step.ledger, at(6, DAY + 6))
    assert (later.ledger.month, later.ledger.spent) == ("2026-12", 0)
    none = msgspec.structs.replace(WANTED, budget=0)
    assert step_at(begun(), first.instant, none).due is None


@pytest.mark.parametrize(
    ("mbit", "least", "most", "longest_days"),
    [(50, 60, 60, 1), (100, 40, 40, 1.5), (300, 13, 13, 3), (1000, 4, 4, 8.5), (3500, 1, 1, 30)],
)
def test_the_budget_lasts_the_month_on_every_line(
    mbit: float, least: int, most: int, longest_days: int
) -> None:
    """A machine that is always on, from the first of a month with 30 days (November 2026)."""
    first, ledger, made = DAY - 25, Ledger(), []
    outcome = msgspec.structs.replace(GOOD, bytes=round(mbit * 1e6 / 8 * 20))
    for tick in range(30 * 288):
        now = at(0, first) + tick * 300.0
        step = plan.look(ledger, WANTED, now, DEVICE)
        ledger = step.ledger
        if step.due:
            made.append((now - at(0, first)) / 86400)
            ledger = plan.settle(plan.attempt(ledger), step.due, outcome, now, DEVICE)
    assert (ledger.month, ledger.spent) == ("2026-11", len(made) * outcome.bytes)
    assert least <= len(made) <= most
    assert max(after - before for before, after in pairwise((0.0, *made, 30.0))) <= longest_days
    assert ledger.spent <= WANTED.budget
    assert len(made) + sum(ledger.skips.values()) == 60
    assert ledger.skips.keys() <= {"paced", "budget"}, "what is left at last is less than a test"
    if 2 < len(made) < 60:
        assert {day % 1 < 0.5 for day in made} == {True, False}, "mornings and afternoons both"


def test_a_line_too_fast_for_the_whole_budget_is_tried_once() -> None:
    first, second = parts()
    cut = Outcome("budget", bytes=10**10 + 1)
    ledger = plan.settle(plan.attempt(begun()), first, cut, first.instant, DEVICE)
    for now in (second.instant, at(9, DAY + 10), at(14, DAY + 40)):  # the next month too
        step = step_at(ledger, now)
        ledger = step.ledger
        assert step.due is None
    assert ledger.skipped == "budget"


def test_a_test_that_broke_off_has_cost_its_bytes_all_the_same() -> None:
    first = parts()[0]
    broken = Outcome("interrupted", bytes=7_000_000)
    ledger = plan.settle(plan.attempt(begun()), first, broken, first.instant, DEVICE)
    assert (ledger.spent, ledger.last_bytes, ledger.measured) == (7_000_000, 0, 0)


def test_a_test_that_ends_the_machine_is_paid_for_and_not_begun_for_ever() -> None:
    first = parts()[0]
    ledger, begun_times = msgspec.structs.replace(begun(), last_bytes=50_000_000), 0
    for cycle in range(10):  # the agent dies in each test, and starts again
        step = step_at(ledger, first.instant + cycle)
        ledger = step.ledger
        if step.due:
            begun_times += 1
            ledger = plan.attempt(ledger)
    assert begun_times == plan.TRIES
    assert ledger.spent == plan.TRIES * 50_000_000
    assert (ledger.skipped, ledger.booked) == ("interrupted", 0)


def test_families_take_turns() -> None:
    taken = [plan.family(Ledger(measured=n), WANTED) for n in range(4)]
    assert taken == [4, 6, 4, 6]
    only = msgspec.structs.replace(WANTED, families=(4,))
    assert plan.family(Ledger(measured=1), only) == 4


@given(st.binary())
def test_a_ledger_that_cannot_be_read_begins_anew(text: bytes) -> None:
    assert isinstance(plan.decode(text), Ledger)


@pytest.mark.parametrize("seed", range(20))
def test_over_a_month_every_planned_test_is_made_or_has_a_reason(seed: int) -> None:
    """The machine is on in some hours only, looks every five minutes, and the line is sometimes busy."""
    device, ledger, made = f"{seed:032x}", Ledger(), 0
    month = 20_789  # 2026-12-02, so that no month ends within
    for tick in range(28 * 288):
        now = at(0, month) + tick * 300.0
        if tick and (tick // 24 * 7 + seed) % 5 == 0:
            continue  # off for two hours
        step = plan.look(ledger, WANTED, now, device)
        ledger = step.ledger
        if step.due:
            outcome = Outcome("line_busy") if (tick + seed) % 3 == 0 else GOOD
            made += not outcome.skipped
            ledger = plan.settle(plan.attempt(ledger), step.due, outcome, now, device)
    ledger = plan.look(ledger, WANTED, at(0, month + 28), device).ledger
    assert made + sum(ledger.skips.values()) == 28 * 2
