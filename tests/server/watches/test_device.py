"""When a computer is missing from a room that is in use; everything else is no news."""

import random

from schoolwatch_server.hearing import MASK, Hearing
from schoolwatch_server.watches.device import Limits, days_in_use, missing

TODAY = 20_787
LIMITS = Limits()
WEEKDAYS = sum(1 << back for back in range(56) if (TODAY - back + 3) % 7 < 5)  # as of a Monday to Friday


def device(id_: int, days: int) -> Hearing:
    days &= MASK
    lowest = (days & -days).bit_length() - 1 if days else 0
    return Hearing(id_, 1, 7, "student_lab", 1.0, TODAY - lowest, days >> lowest)


def silent_for(days: int) -> int:
    """On every weekday until so many days ago."""
    return WEEKDAYS & ~((1 << days) - 1)


def found(room, school_days: int = WEEKDAYS) -> set[int]:
    return {one.hearing.device_id for one in missing(room, school_days, TODAY, LIMITS)}


def test_one_that_was_always_on_and_is_missing_for_three_days_of_use() -> None:
    others = [device(n, WEEKDAYS) for n in range(10)]
    used = [back for back in range(20) if WEEKDAYS >> back & 1]
    two, three = used[1] + 1, used[2] + 1  # silent on the newest two, and three, days of use
    assert found([*others, device(99, silent_for(two))]) == set()
    assert found([*others, device(99, silent_for(three))]) == {99}
    (one,) = missing([*others, device(99, silent_for(three))], WEEKDAYS, TODAY, LIMITS)
    assert one.days == 3
    assert one.heard == one.of


def test_a_room_that_nobody_uses_has_none_missing() -> None:
    gone = silent_for(10)
    assert found([device(n, gone) for n in range(10)]) == set()
    assert found([device(n, gone) for n in range(10)] + [device(98, WEEKDAYS), device(99, WEEKDAYS)]) == set()


def test_days_without_school_are_no_days_of_use() -> None:
    others = [device(n, MASK) for n in range(10)]
    assert found([*others, device(99, silent_for(10))], school_days=0) == set()
    recent = (1 << 10) - 1  # holidays since the day from which it is silent
    assert found([*others, device(99, silent_for(10))], school_days=WEEKDAYS & ~recent) == set()


def test_a_trolley_of_laptops_has_none_missing() -> None:
    chance = random.Random(5)
    for _ in range(200):
        trolley = [
            device(n, sum(1 << back for back in range(56) if WEEKDAYS >> back & 1 and chance.random() < 0.5))
            for n in range(20)
        ]
        assert found(trolley) == set()


def test_an_old_computer_that_is_often_off_is_not_missing() -> None:
    others = [device(n, WEEKDAYS) for n in range(10)]
    used = [back for back in range(56) if WEEKDAYS >> back & 1]
    seldom = sum(1 << back for n, back in enumerate(used) if n > 5 and n % 3)
    assert found([*others, device(99, seldom)]) == set()


def test_a_new_computer_has_no_habit_yet() -> None:
    others = [device(n, WEEKDAYS) for n in range(10)]
    assert found([*others, device(99, silent_for(10) & ((1 << 16) - 1))]) == set()
    assert found([*others, device(99, 0)]) == set()


def test_a_room_of_two_tells_nothing() -> None:
    assert days_in_use([device(1, WEEKDAYS), device(2, WEEKDAYS)], WEEKDAYS, TODAY, LIMITS) == 0
