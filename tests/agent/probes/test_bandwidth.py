"""The speed test as a probe: what a result is called, what is kept, and when it stays silent."""

import msgspec
import pytest

from machines import facts, failure, look, machine, readings
from schoolwatch_agent.bandwidth import plan
from schoolwatch_agent.bandwidth.order import Order
from schoolwatch_agent.errors import TimedOut
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import NotHere, observe
from schoolwatch_agent.probes import PROBES, bandwidth, listed
from schoolwatch_agent.recorded import RecordedHost
from schoolwatch_contract.settings import Bandwidth, Settings

WANTED = Settings(bandwidth=Bandwidth("https://so.example"))


def ledger(host: RecordedHost) -> plan.Ledger:
    return plan.decode(host.kept(bandwidth.LEDGER))


def test_a_result_is_told_with_family_round_trips_and_cost() -> None:
    found = readings(look("bandwidth", "linux/bandwidth-measured-v4"))
    for name in ("download", "upload"):
        rate = found[f"bandwidth.{name} 4"]
        assert rate is not None
        assert 17e6 < rate < 20e6
        line_rate = found[f"bandwidth.line_rate 4 {name}"]
        assert line_rate == pytest.approx(rate * 1514 / 1448, rel=0.002), "headers are counted, not assumed"
        assert found[f"bandwidth.rtt_min 4 {name}"] == pytest.approx(0.030, abs=0.002)
        loaded = found[f"bandwidth.rtt_loaded 4 {name}"]
        assert loaded is not None
        assert loaded > 0.030
    assert found["bandwidth.busy"] == 0.31
    assert found["bandwidth.bytes"] or 0 > 10_000_000
    assert not any("limited" in name for name in found)


def test_families_are_told_apart() -> None:
    found = readings(look("bandwidth", "linux/bandwidth-measured-v6"))
    assert {"bandwidth.download 6", "bandwidth.upload 6"} < found.keys()
    assert not any(name.endswith(" 4") for name in found)


@pytest.mark.parametrize("who", ["server", "client"])
def test_what_was_held_back_has_another_name_than_a_result(who: str) -> None:
    found = readings(look("bandwidth", f"linux/bandwidth-limited-by-{who}"))
    assert {f"bandwidth.limited_{way} 4 {who}" for way in ("download", "upload")} < found.keys()
    assert not any(name.startswith(("bandwidth.download", "bandwidth.upload")) for name in found)


def test_how_busy_is_too_busy_the_server_says() -> None:
    host = machine("linux/bandwidth-limited-by-client")
    told = Settings(bandwidth=Bandwidth("https://so.example", busy_above=1.5))
    assert "bandwidth.download 4" in readings(observe(listed("bandwidth", 0, told.bandwidth), host))


def test_a_test_is_kept_in_the_ledger_and_not_made_twice() -> None:
    host = machine("linux/bandwidth-measured-v6")
    before = ledger(host)
    assert readings(observe(listed("bandwidth", 0, WANTED.bandwidth), host))
    after = ledger(host)
    assert after.spent == before.spent + after.last_bytes
    assert after.measured == before.measured + 1
    assert observe(listed("bandwidth", 0, WANTED.bandwidth), host).readings == ()
    assert len(host.ordered) == 1
    order = msgspec.json.decode(host.ordered[0], type=Order)
    assert order == Order("https://so.example", 6, 10_000_000_000 - before.spent)  # the second takes IPv6


def test_the_ledger_is_told_in_words_and_numbers() -> None:
    host = machine("linux/bandwidth-measured-v6")
    observe(listed("bandwidth", 0, WANTED.bandwidth), host)
    told = observe(listed("bandwidth_ledger", 0, WANTED), host)
    assert readings(told) == {"bandwidth.month_bytes": ledger(host).spent, "bandwidth.skips asleep": 3.0}
    assert {name: fact.value for name, fact in facts(told).items()} == {
        "bandwidth.server": "[fd71::1]:18090",
        "bandwidth.congestion_control download": "bbr",
        "bandwidth.congestion_control upload": "bbr",
    }


def test_a_refused_test_is_given_up_after_some_tries_and_told_why() -> None:
    host = machine("linux/bandwidth-line-busy")
    assert observe(listed("bandwidth", 0, WANTED.bandwidth), host).readings == ()
    told = observe(listed("bandwidth_ledger", 0, WANTED), host)
    assert facts(told)["bandwidth.skipped"].value == "line_busy"
    assert readings(told)["bandwidth.skips line_busy"] == 1.0


def test_an_exhausted_budget_costs_no_byte() -> None:
    host = machine("linux/bandwidth-budget-spent")
    assert observe(listed("bandwidth", 0, WANTED.bandwidth), host).readings == ()
    assert host.ordered == []
    told = observe(listed("bandwidth_ledger", 0, WANTED), host)
    assert facts(told)["bandwidth.skipped"].value == "budget"
    assert readings(told)["bandwidth.skips budget"] == 3.0


def test_a_child_that_hangs_is_a_failure_and_an_attempt() -> None:
    class Hanging(RecordedHost):
        def speed_test(self, order: str, timeout: float) -> str:
            self.ordered.append(order)
            raise TimedOut("bandwidth test", timeout)

    host = Hanging(machine("linux/bandwidth-measured-v4").root)
    seen = observe(listed("bandwidth", 0, WANTED.bandwidth), host)
    assert "no answer" in (failure(seen) or "")
    kept = ledger(host)
    assert (kept.tries, kept.waiting) == (1, "interrupted")
    assert kept.retry_at > host.now()
    assert observe(listed("bandwidth", 0, WANTED.bandwidth), host).readings == ()  # not again at once
    assert len(host.ordered) == 1


def test_garbage_of_the_child_is_a_failure() -> None:
    class Odd(RecordedHost):
        def speed_test(self, order: str, timeout: float) -> str:
            return '{"skipped": 3'

    host = Odd(machine("linux/bandwidth-measured-v4").root)
    assert "no outcome" in (failure(observe(listed("bandwidth", 0, WANTED.bandwidth), host)) or "")
    assert ledger(host).tries == 1


@pytest.mark.parametrize("name", ["bandwidth", "bandwidth_ledger"])
def test_a_device_that_was_not_chosen_is_silent(name: str) -> None:
    host = machine("linux/bandwidth-measured-v4")
    (probe,) = (one for one in PROBES if one.name == name)
    assert observe(probe, host).readings == ()
    assert host.ordered == []
    assert host.written == {}


def test_a_mere_look_tests_nothing() -> None:
    with pytest.raises(NotHere):
        bandwidth.read(Host(), WANTED.bandwidth)
