"""The IPv6 ladder is judged: slow by the pack, absent where it need not be, unknown stepped over."""

import pytest

from schoolwatch_contract.ladder import RUNGS
from schoolwatch_contract.records import Envelope, Fact, Reading
from schoolwatch_server import ladder, packs
from schoolwatch_server.state import State, merge

SLOW = packs.load().ipv6_slow


def state(*rungs: tuple[int, float | None, str], more: tuple[Reading, ...] = ()) -> State:
    readings = tuple(Reading("ipv6.rung", value, {"rung": str(rung)}) for rung, value, _ in rungs)
    facts = tuple(Fact("ipv6.rung.reason", reason, {"rung": str(rung)}) for rung, _, reason in rungs)
    return merge(State(), Envelope(1, 1e9, "0", readings + more, facts), 1e9)


def took(rung: int, seconds: float) -> Reading:
    return Reading("ipv6.rung.seconds", seconds, {"rung": str(rung)})


def connected(family: str, seconds: float) -> Reading:
    return Reading("ipv6.connect.seconds", seconds, {"family": family, "target": "a.vidu.vn"})


def standing(known: State, rung: int) -> str:
    return ladder.ladder(known, SLOW)[rung].standing


def test_of_a_device_that_never_told_everything_is_unknown() -> None:
    steps = ladder.ladder(State(), SLOW)
    assert [step.standing for step in steps] == ["unknown"] * len(RUNGS)
    assert ladder.first(steps) is None
    assert ladder.counted([State()], SLOW) == []


@pytest.mark.parametrize(("seconds", "expected"), [(4.99, "ok"), (5.0, "slow")])
def test_five_seconds_are_slow(seconds: float, expected: str) -> None:
    assert standing(state((6, 1, "all_hosts_reached"), more=(took(6, seconds),)), 6) == expected
    assert standing(state((6, 0, "v6_timeout"), more=(took(6, seconds),)), 6) == "failed"


@pytest.mark.parametrize(
    ("six", "four", "expected"), [(0.30, 0.04, "slow"), (0.28, 0.04, "ok"), (0.04, 0.30, "ok")]
)
def test_far_behind_ipv4_is_slow(six: float, four: float, expected: str) -> None:
    more = (connected("6", six), connected("4", four))
    assert standing(state((8, 1, "v6_preferred"), more=more), 8) == expected
    assert standing(state((8, 1, "v6_alone"), more=more[:1]), 8) == "ok", "nothing to compare with"


def test_the_first_to_see_to_is_the_lowest_that_failed_then_the_lowest_slow() -> None:
    slow = took(5, 9.0)
    failed = state((1, None, "not_permitted"), (5, 1, ""), (7, 0, "large_packets_lost"), more=(slow,))
    first = ladder.first(ladder.ladder(failed, SLOW))
    assert first is not None
    assert (first.rung, first.standing) == (7, "failed")
    only_slow = state((1, None, "not_permitted"), (5, 1, ""), (9, 0, "nat64_absent"), more=(slow,))
    first = ladder.first(ladder.ladder(only_slow, SLOW))
    assert first is not None
    assert (first.rung, first.standing) == (5, "slow")
    assert standing(only_slow, 9) == "absent"
    assert standing(state((9, 0, "nat64_missing")), 9) == "failed"


def test_a_school_counts_its_devices_by_their_first_rung() -> None:
    fine, lost, deaf = state((0, 1, "link_local")), state((7, 0, "large_packets_lost")), State()
    counts = [
        (None if step is None else step.rung, count)
        for step, count in ladder.counted([lost, fine, lost, deaf], SLOW)
    ]
    assert counts == [(7, 2), (None, 1)]
