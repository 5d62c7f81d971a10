"""The accounting of benchmarks/agent_footprint.py, and the station that benchmarks measure at."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Peer
from mqtt import wait_for
from parts import processes
from parts.processes import Samples, weighed_mean
from parts.station import Station
from schoolwatch_agent import config
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Probe
from schoolwatch_agent.tick import tick
from schoolwatch_contract.records import Reading


def test_a_cycle_weighs_what_it_lasts_and_sleep_weighs_the_rest() -> None:
    looks = Samples([0.5 * n for n in range(41)], [10] * 41, [1] * 41)
    for n in (4, 5, 24, 25):  # two cycles of a second each, in 20 seconds of compressed schedule
        looks.pss[n], looks.pids[n] = 110, 2
    mean, lasted = weighed_mean(looks, 2, 10.0, 600.0)
    assert lasted == pytest.approx(1.0)
    assert mean == pytest.approx((2 * 110 + 598 * 10) / 600)


def test_without_compression_the_weighed_mean_is_the_plain_one() -> None:
    looks = Samples([float(n) for n in range(101)], [20] * 100 + [60], [1] * 100 + [2])
    mean, _ = weighed_mean(looks, 1, 20.0, 101.0)
    assert mean == pytest.approx(sum(looks.pss) / 101)


def test_memory_and_processor_time_of_children_count() -> None:
    grows = "import sys; held = bytearray(b'x' * 60_000_000); print(flush=True); sys.stdin.read()"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grows!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", nested], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        found = processes.family(parent.pid)
        assert len(found) == 2
        assert processes.pss(found) > 60_000_000 > processes.pss(found[:1])
        assert processes.own_cpu(found[1]) > 0
        looks = Samples()
        looks.look(parent.pid)
        assert looks.pids == [2]
    wait_for(lambda: processes.pss(found) == 0)  # what is gone takes nothing, and is no error


def test_processor_time_of_this_process_is_the_clocks() -> None:
    spent = processes.own_cpu(os.getpid())
    sum(range(3_000_000))
    assert processes.own_cpu(os.getpid()) > spent


def test_a_device_of_the_station_delivers_over_tls(
    peer: Peer, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    peer("mosquitto"), peer("openssl")
    station = Station(tmp_path, "127.0.0.1", free_port(), free_port())
    try:
        station.start()
        settings = config.load(station.enrol(tmp_path / "agent"))
        probe = Probe("processor", 0, lambda host: [Reading("processor.load", host.now(), 0.5)])
        outcome = tick(settings, Host(), [probe]).outcome
    finally:
        station.stop()
    assert outcome is not None
    assert outcome.kind == "delivered", outcome
