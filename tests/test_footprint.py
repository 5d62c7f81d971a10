"""The accounting of benchmarks/agent_footprint.py: what it says of processes is what they take."""

import os
import subprocess
import sys

import pytest

from mqtt import wait_for
from parts import processes
from parts.processes import Samples, weighed_mean


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
