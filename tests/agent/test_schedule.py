from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_agent import schedule
from schoolwatch_agent.probe import Probe
from schoolwatch_agent.probes import PROBES

DEVICE = "ab" * 16
TIMES = st.floats(min_value=315_532_800, max_value=4_102_444_800)


def probe(name: str, every: float) -> Probe:
    return Probe(name, every, lambda _: ())


@given(TIMES, st.floats(min_value=60, max_value=86_400), st.text(max_size=8))
def test_after_a_whole_period_it_is_due_and_right_after_it_is_not_twice(
    now: float, period: float, seed: str
) -> None:
    assert schedule.is_due(now + period * 1.001, now, period, seed)
    assert not schedule.is_due(now, now, period, seed)


@given(TIMES, st.floats(min_value=60, max_value=86_400))
def test_a_day_of_ticks_runs_a_probe_once_a_period(start: float, period: float) -> None:
    last, runs = None, 0
    for tick in range(288):
        now = start + tick * 300
        if schedule.is_due(now, last, period, "seed"):
            last, runs = now, runs + 1
    assert runs <= 86_400 / period + 2
    assert runs >= min(86_400 / period, 288) / 2 - 2


def test_probes_of_every_cycle_and_probes_whose_period_is_over() -> None:
    probes = (probe("light", 0), probe("each", 300), probe("hourly", 3600))
    now = 1_800_000_000.0
    ran = {"light": now, "each": now, "hourly": now}
    due = schedule.due_probes(probes, ran, now=now + 1, measure=300, device=DEVICE)
    assert [p.name for p in due if p.name != "hourly"] == ["light", "each"]
    later = schedule.due_probes(probes, ran, now=now + 3601, measure=300, device=DEVICE)
    assert [p.name for p in later] == ["light", "each", "hourly"]
    first = schedule.due_probes(probes, {}, now=now, measure=300, device=DEVICE)
    assert [p.name for p in first] == ["light", "each", "hourly"]


def test_a_clock_set_back_makes_a_probe_due() -> None:
    assert schedule.is_due(1_000_000_000, 1_800_000_000, 3600, "x")


@given(TIMES, st.floats(min_value=1, max_value=86_400))
def test_the_next_cycle_is_within_one_period(now: float, measure: float) -> None:
    following = schedule.next_measure(now, measure, DEVICE)
    assert 0 <= following - now <= measure * 1.000001 + 1e-3


def test_devices_are_spread_and_the_spread_does_not_depend_on_the_time() -> None:
    shares = [schedule.share(f"{n:032x}") for n in range(1000)]
    assert 0.45 < sum(shares) / 1000 < 0.55
    assert len({int(share * 10) for share in shares}) == 10
    instants = {
        round((schedule.next_measure(t, 300, DEVICE) - schedule.next_measure(0, 300, DEVICE)) % 300)
        for t in range(0, 10_000_000, 77_777)
    }
    assert instants <= {0, 300}


def test_urgent_is_delivered_at_once_and_the_rest_once_a_period() -> None:
    now = 1_800_000_000.0
    common = {"delivered_at": now, "deliver": 900.0, "device": DEVICE}
    assert schedule.deliver_now(now=now + 1, urgent=True, **common)
    assert schedule.deliver_now(now=now + 901, urgent=False, **common)
    delivered, last = 0, None
    for tick in range(288):
        at = now + tick * 300
        if schedule.deliver_now(now=at, delivered_at=last, urgent=False, deliver=900, device=DEVICE):
            delivered, last = delivered + 1, at
    assert 95 <= delivered <= 98


def test_no_cycle_looks_at_the_network_and_delivers() -> None:
    network = [each for each in PROBES if each.group == schedule.NETWORK]
    assert {each.name for each in network} == {"links", "wifi", "addresses", "routes", "resolvers", "ipv6"}
    for number in range(200):
        device, start = f"{number:032x}", 1_800_000_000.0 + 7 * number
        looked, delivered, both = None, None, set()
        for now in (start + 300.0 * cycle for cycle in range(12)):
            ran = {} if looked is None else {each.name: looked for each in network}
            due = schedule.due_probes(network, ran, now=now, measure=300, device=device)
            assert len(due) in (0, len(network)), "the same cycle for all"
            is_delivery = schedule.deliver_now(
                now=now, delivered_at=delivered, urgent=False, deliver=900, device=device
            )
            if looked is not None and due and is_delivery:
                both.add(now)
            looked, delivered = now if due else looked, now if is_delivery else delivered
        assert not both, (device, both)


def test_back_off_grows_to_its_bound_and_differs_between_devices() -> None:
    waits = [schedule.back_off(n, DEVICE) for n in range(1, 2000)]
    assert all(schedule.BACK_OFF_FIRST / 2 <= w <= schedule.BACK_OFF_MAX for w in waits)
    assert waits[0] <= schedule.BACK_OFF_FIRST
    assert min(waits[20:]) >= schedule.BACK_OFF_MAX / 2
    assert len({schedule.back_off(3, f"{n}") for n in range(50)}) > 40


def test_one_seed_of_a_device_says_nothing_of_its_others() -> None:
    seen = [0] * 16
    for number in range(1600):
        device = f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"
        measure, network = (schedule.share(f"{device} {what}") for what in ("measure", schedule.NETWORK))
        seen[int(measure * 4) * 4 + int(network * 4)] += 1
    assert min(seen) > 50, seen
    assert max(seen) < 150, seen
