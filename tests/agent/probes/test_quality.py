"""Echoes: what ping prints becomes round trips, round trips become quality, and what is unknown says why."""

import contextlib
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import machines
from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.formats import echoes
from schoolwatch_agent.formats.echoes import Plan, Target, Tried, ping, quality, trouble
from schoolwatch_agent.formats.network import Route
from schoolwatch_agent.probe import NotHere
from schoolwatch_agent.probes import quality as probe
from schoolwatch_contract.records import Fact, Reading
from schoolwatch_contract.settings import DEFAULTS, Endpoint, Quality, Settings

IPUTILS = """PING 192.0.2.1 (192.0.2.1) 16(44) bytes of data.
24 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.509 ms
24 bytes from 192.0.2.1: icmp_seq=2 ttl=64 time=0.289 ms
24 bytes from 192.0.2.1: icmp_seq=2 ttl=64 time=0.301 ms (DUP!)
24 bytes from 192.0.2.1: icmp_seq=4 ttl=64 time=0.218 ms

--- 192.0.2.1 ping statistics ---
4 packets transmitted, 3 received, +1 duplicates, 25% packet loss, time 764ms
rtt min/avg/max/mdev = 0.218/0.338/0.509/0.123 ms
"""
IPUTILS_6 = """PING fe80::1%eth0 (fe80::1%eth0) 16 data bytes
24 bytes from fe80::1%eth0: icmp_seq=1 ttl=64 time=12.5 ms
From fe80::1%eth0 icmp_seq=2 Destination unreachable: Address unreachable

--- fe80::1%eth0 ping statistics ---
2 packets transmitted, 1 received, +1 errors, 50% packet loss, time 251ms
rtt min/avg/max/mdev = 12.500/12.500/12.500/0.000 ms
"""
IPUTILS_LOST = """PING 10.255.255.1 (10.255.255.1) 16(44) bytes of data.

--- 10.255.255.1 ping statistics ---
3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 409ms

"""
BUSYBOX = """PING 127.0.0.1 (127.0.0.1): 16 data bytes
24 bytes from 127.0.0.1: seq=0 ttl=64 time=0.052 ms
24 bytes from 127.0.0.1: seq=2 ttl=64 time=0.071 ms

--- 127.0.0.1 ping statistics ---
3 packets transmitted, 2 packets received, 33% packet loss
round-trip min/avg/max = 0.052/0.063/0.071 ms
"""


@pytest.mark.parametrize(
    ("output", "milliseconds"),
    [
        (IPUTILS, (0.509, 0.289, None, 0.218)),
        (IPUTILS_6, (12.5, None)),
        (IPUTILS_LOST, (None, None, None)),
        (BUSYBOX, (0.052, None, 0.071)),
        (BUSYBOX.replace("seq=0", "seq=1"), (None, 0.052, 0.071)),
    ],
)
def test_what_ping_prints_is_read(output: str, milliseconds: tuple[float | None, ...]) -> None:
    assert ping(output) == pytest.approx([m and m / 1000 for m in milliseconds])


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("ping: socktype: SOCK_RAW\nping: socket: Operation not permitted", "not_permitted"),
        ("ping: permission denied (are you root?)", "not_permitted"),
        ("ping: connect: Network is unreachable", "unreachable"),
        ("", "failed"),
    ],
)
def test_why_nothing_was_sent(said: str, why: str) -> None:
    with pytest.raises(NotUnderstood):
        ping(said)
    assert trouble(said) == why


def test_the_definitions() -> None:
    seen = quality((0.010, 0.014, None, 0.011, 0.012))
    assert seen.latency == pytest.approx(0.0115)
    assert seen.jitter == pytest.approx((0.004 + 0.001) / 2), "over echoes that follow one another alone"
    assert seen.loss == pytest.approx(0.2)
    lost = quality((None, None))
    assert (lost.latency, lost.jitter, lost.loss) == (None, None, 1.0)


@given(st.lists(st.none() | st.floats(0, 10), min_size=1, max_size=50))
def test_quality_is_within_its_bounds(times: list[float | None]) -> None:
    seen = quality(times)
    came = [time for time in times if time is not None]
    assert 0 <= seen.loss <= 1
    assert (seen.latency is None) == (not came)
    if seen.latency is not None:
        assert min(came) - 1e-6 <= seen.latency <= max(came) + 1e-6
        assert seen.jitter is None or math.isfinite(seen.jitter)


@given(
    st.text(max_size=400)
    | st.sampled_from([IPUTILS, BUSYBOX]).flatmap(
        lambda text: st.integers(0, len(text)).map(lambda cut: text[:cut] + text[cut + 3 :])
    )
)
def test_whatever_ping_prints_is_read_or_refused(output: str) -> None:
    with contextlib.suppress(NotUnderstood):
        assert all(time is None or time >= 0 for time in ping(output))


def test_echoes_of_windows() -> None:
    """Written by hand from PingReply's documented fields (System.Net.NetworkInformation.IPStatus)."""
    answer = {"hosts": [{"address": "192.0.2.1", "replies": [
        {"status": 0, "milliseconds": 3}, {"status": 11010, "milliseconds": 0},
        {"status": -1, "milliseconds": 0}, {"status": 0, "milliseconds": 0},
    ]}]}  # fmt: skip
    assert echoes.windows(answer) == {"192.0.2.1": (0.003, None, None, 0.0)}
    for nonsense in (None, [], {"hosts": [{"address": 1}]}, {"hosts": "x"}):
        with pytest.raises(NotUnderstood):
            echoes.windows(nonsense)


ROUTES = (
    Route("eth0", "4", "192.0.2.1", 100, from_advertisement=False),
    Route("wlan0", "4", "198.51.100.1", 600, from_advertisement=False),
    Route("eth0", "6", "fe80::1", 100, from_advertisement=True),
)


def test_who_is_asked_is_the_gateway_of_each_family_the_server_and_the_hosts() -> None:
    told = Settings(quality=Quality(("host.example",), Endpoint("so.example", 8443)))
    assert probe.plan(ROUTES, told) == Plan(
        (
            Target("gateway", "192.0.2.1", (53, 80, 443)),
            Target("gateway", "fe80::1%eth0", (53, 80, 443)),
            Target("server", "so.example", (8443,), answers=True),
            Target("host.example", "host.example", (443,)),
        ),
        ("4", "6"),
    )
    assert [t.name for t in probe.plan(ROUTES, DEFAULTS).targets] == ["gateway", "gateway"]


def test_a_machine_without_a_way_out_has_no_quality() -> None:
    with pytest.raises(NotHere):
        probe.plan((), DEFAULTS)


def test_what_could_not_be_found_out_is_unknown_with_its_reason() -> None:
    found = [Tried("server", "6", "not_permitted"), Tried("gateway", "4", "ok", "icmp", (None, None))]
    told = list(probe.parse(msgspec.json.encode(found).decode()))
    unknown = {"target": "server", "family": "6"}
    assert Fact("quality.method", None, unknown, "not permitted") in told
    assert Reading("quality.loss", None, unknown) in told
    lost = {"target": "gateway", "family": "4"}
    assert Reading("quality.loss", 1.0, lost) in told
    assert Reading("quality.latency", None, lost) in told


@given(st.text(max_size=200))
def test_an_answer_that_is_none_is_refused(answer: str) -> None:
    with contextlib.suppress(NotUnderstood):
        list(probe.parse(answer))


def test_recorded_machines() -> None:
    seen = machines.readings(machines.look("quality", "debian12"))
    assert seen["quality.loss gateway 4"] == 0.0
    assert seen["quality.latency gateway 6"] is None
    assert machines.facts(machines.look("quality", "debian12"))["quality.method gateway 6"].reason
    windows = machines.look("quality", "windows/quality-gateway-drops-one")
    assert machines.readings(windows)["quality.loss gateway 4"] == pytest.approx(0.1)
    assert machines.facts(windows)["quality.method gateway 6"].value == "tcp"
