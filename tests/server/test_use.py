"""The sums of a room's week: what is unknown is left out, and no sum is one computer's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server.store.rollup import DAY, bucket
from schoolwatch_server.use import (
    FEWEST,
    PRECISION,
    SETTLED,
    WEEK,
    is_dominated,
    newest_settled,
    next_sum,
    summed,
    week_of,
)


@given(st.floats(0, 4e9))
def test_a_week_is_seven_days_of_vietnam_from_mondict(at: float) -> None:
    begin = week_of(at)
    assert begin <= at < begin + WEEK
    assert bucket(begin, DAY) == begin
    assert (begin + 7 * 3600 - 4 * DAY) % WEEK == 0, "5 January 1970 was a Monday"


@given(st.floats(1e9, 4e9))
def test_a_week_is_summed_once_it_has_been_over_for_a_week(now: float) -> None:
    newest = newest_settled(now)
    assert newest + WEEK + SETTLED <= now < newest + 2 * WEEK + SETTLED
    assert newest_settled(next_sum(now)) == newest + WEEK


def test_a_day_of_which_a_computer_told_nothing_is_in_no_sum() -> None:
    week = summed(
        {1: {0: {"on": 8.0}, 1: {"on": 4.0}}, 2: {0: {"on": 6.0}}, 3: {0: {}, 2: {"on": 6.0}}, 4: {}}
    )
    on = week.sums["on"]
    assert (on.devices, on.device_days, on.total) == (3, 4, 24.0)
    assert week.days == 3
    assert week.sums["active"].devices == 0
    assert week.sums["active"].total is None, "unknown is no nought"


def test_a_nought_that_was_told_is_a_nought() -> None:
    quiet = summed({n: {0: {"on": 1.0, "active": 0.0}} for n in range(3)})
    assert quiet.sums["active"].total == 0.0


@pytest.mark.parametrize(
    ("parts", "dominated"),
    [
        ([5.0, 5.0, 5.0], False),
        ([5.0, 0.0, 0.0], True),
        ([5.0, 4.0, 0.4], True),
        ([5.0, 4.0, 0.5], False),
        ([0.0, 0.0, 0.0], False),
    ],
)
def test_a_sum_that_is_nearly_one_computers_is_none(parts: list[float], dominated: bool) -> None:
    assert is_dominated(parts) is dominated
    total = summed({n: {0: {"on": part}} for n, part in enumerate(parts)}).sums["on"].total
    assert (total is None) is dominated


@given(st.lists(st.floats(0, DAY), max_size=8))
def test_whoever_knows_their_own_part_does_not_know_another(parts: list[float]) -> None:
    """From the total, each owner's best guess at each other part, its highest, is off by a tenth or more."""
    total = summed({n: {0: {"on": part}} for n, part in enumerate(parts)}).sums["on"].total
    if total is None:
        return
    assert len(parts) >= FEWEST
    for owner, own in enumerate(parts):
        for other, part in enumerate(parts):
            if owner != other:
                assert (total - own) - part >= PRECISION * part - 1e-6
