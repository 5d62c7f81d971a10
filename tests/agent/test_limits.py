"""The agent's own limits: real processes that take too much are really ended, and the next cycle tells."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mqtt import wait_for
from schoolwatch_agent import limits, processes
from schoolwatch_agent.config import Limits
from schoolwatch_agent.host import Host
from schoolwatch_agent.processes import Taken
from schoolwatch_contract.records import Fact

MB = 1_000_000
CYCLE = """\
import sys, time
from pathlib import Path
from schoolwatch_agent import limits
from schoolwatch_agent.config import Limits
from schoolwatch_agent.errors import CommandFailed
from schoolwatch_agent.host import Host
host = Host()
limits.LOOK = 0.1
with limits.kept(Limits({bounds}), Path(sys.argv[1]), host, stays={stays}):
    {work}
print("whole")
"""


def cycle(data: Path, work: str, bounds: str, *, stays: bool = False) -> subprocess.CompletedProcess[str]:
    """A process of its own that does `work` as one cycle."""
    script = CYCLE.format(bounds=bounds, work=work, stays=stays)
    return subprocess.run(
        [sys.executable, "-c", script, str(data)], capture_output=True, text=True, timeout=60, check=False
    )


def last(data: Path) -> dict[str, float | str | None]:
    """What the next cycle tells of the last."""
    with limits.kept(Limits(), data, Host()) as told:
        found: dict[str, float | str | None] = {reading.metric: reading.value for reading in told.readings}
        return found | {fact.name: fact.value for fact in told.facts}


def test_a_cycle_within_its_limits_tells_what_it_took(tmp_path: Path) -> None:
    assert last(tmp_path) == {}  # the first has none before it
    done = cycle(tmp_path, "held = bytearray(40_000_000); sum(range(3_000_000)); time.sleep(0.3)", "")
    assert (done.returncode, done.stdout) == (0, "whole\n"), done.stderr
    told = last(tmp_path)
    assert (told["agent.limit_met"], told["agent.limit"]) == (0.0, "none")
    assert 40 * MB < float(told["agent.memory"] or 0) < 400 * MB
    assert float(told["agent.processor"] or 0) > 0
    assert float(told["agent.seconds"] or 0) >= 0.3


def test_a_cycle_that_grows_is_ended(tmp_path: Path) -> None:
    done = cycle(tmp_path, "held = bytearray(300_000_000); time.sleep(30)", "memory_max=150_000_000")
    assert done.returncode == limits.OVER
    assert "memory" in done.stderr
    told = last(tmp_path)
    assert (told["agent.limit_met"], told["agent.limit"]) == (1.0, "memory")
    assert float(told["agent.memory"] or 0) > 150 * MB


def test_a_child_that_grows_is_ended_and_the_cycle_goes_on(tmp_path: Path) -> None:
    work = """
    try:
        host.run(sys.executable, "-c", "held = b'x' * 300_000_000; import time; time.sleep(30)", timeout=25)
    except CommandFailed as error:
        print(error.code)
"""
    done = cycle(tmp_path, work.strip(), "memory_max=200_000_000")
    assert (done.returncode, done.stdout) == (0, "-9\nwhole\n"), done.stderr
    assert last(tmp_path)["agent.limit"] == "memory"


@pytest.mark.parametrize(
    ("work", "bounds", "limit"),
    [
        ("time.sleep(30)", "cycle_max=0.5", "time"),
        ("while True: pass", "processor_max=0.5", "processor"),
        ('host.run(sys.executable, "-c", "while True: pass", timeout=25)', "processor_max=1.5", "processor"),
    ],
    ids=["hangs", "turns", "a child turns"],
)
def test_a_cycle_that_does_not_end_is_ended(tmp_path: Path, work: str, bounds: str, limit: str) -> None:
    done = cycle(tmp_path, work, bounds)
    assert done.returncode == limits.OVER
    assert last(tmp_path)["agent.limit"] == limit


def test_no_child_outlives_a_cycle_that_was_ended(tmp_path: Path) -> None:
    seconds = f"29.{time.time_ns() % 10**9}"
    assert (
        cycle(tmp_path, f'host.run("sleep", "{seconds}", timeout=25)', "cycle_max=1").returncode
        == limits.OVER
    )
    left = [
        path
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if path.exists() and seconds.encode() in path.read_bytes()
    ]
    assert left == []


def test_what_stays_is_looked_at_also_after_a_short_cycle(tmp_path: Path) -> None:
    done = cycle(tmp_path, "held = bytearray(300_000_000)", "memory_max=150_000_000", stays=True)
    assert done.returncode == limits.OVER
    assert last(tmp_path)["agent.limit"] == "memory"


def test_what_stays_tells_the_memory_of_its_last_cycle_not_of_its_life(tmp_path: Path) -> None:
    large, small = ("held = bytearray(120_000_000); time.sleep(0.3)", "held = None; time.sleep(0.3)")
    child = 'host.run(sys.executable, "-c", "held = bytearray(90_000_000); import time; time.sleep(0.5)")'
    for works, least, most in (
        ((small, large), 120 * MB, 400 * MB),
        ((large, small), 1 * MB, 120 * MB),
        ((large, child), 90 * MB, 210 * MB),  # the child is with it
    ):
        first, second = works
        more = (
            f"with limits.kept(Limits(), Path(sys.argv[1]), host, stays=True):\n    {second}\nprint('whole')"
        )
        script = CYCLE.format(bounds="", work=first, stays=True) + "held = None\n" + more
        done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], timeout=60, check=False)
        assert done.returncode == 0
        assert least < float(last(tmp_path)["agent.memory"] or 0) < most, works


def test_a_cycle_that_somebody_else_ended_is_told_and_a_power_cut_is_not(tmp_path: Path) -> None:
    script = CYCLE.format(bounds="", work="time.sleep(60)", stays=False)
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
    wait_for((tmp_path / limits.FILE).exists)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    marker = (tmp_path / limits.FILE).read_bytes()
    assert last(tmp_path) == {"agent.limit_met": 1.0, "agent.limit": "ended"}
    (tmp_path / limits.FILE).write_bytes(marker.replace(json.loads(marker)["boot"].encode(), b"other boot"))
    assert last(tmp_path) == {}


@pytest.mark.parametrize("content", [b"", b"{", b'{"limit": "rm -rf"}', b"\xff\xfe", b'{"seconds": "x"}'])
def test_a_damaged_file_is_no_past(tmp_path: Path, content: bytes) -> None:
    (tmp_path / limits.FILE).write_bytes(content)
    assert last(tmp_path) == {}


def test_a_full_disk_costs_the_past_and_not_the_cycle(tmp_path: Path) -> None:
    with limits.kept(Limits(), tmp_path / "nowhere", Host()) as told:
        assert told.facts == ()
    with limits.kept(Limits(), tmp_path / "nowhere", Host()) as told:
        assert told == limits.told(None)


def test_bounds_are_of_all_processes_together() -> None:
    bounds = Limits(memory_max=100 * MB, processor_max=10, cycle_max=60)
    own, child = Taken(1, 60 * MB, 4.0), Taken(2, 50 * MB, 7.0)
    assert limits.over(bounds, (own,), 0.0, 5.0) == "none"
    assert limits.over(bounds, (own, child), 0.0, 5.0) == "memory"
    assert limits.over(bounds, (own, Taken(2, MB, 7.0)), 0.0, 5.0) == "processor"
    assert limits.over(bounds, (own, Taken(2, MB, 7.0)), 3.0, 5.0) == "none"
    assert limits.over(bounds, (own, child), 0.0, 0.0) == "time"
    assert limits.told(None).facts == ()
    assert limits.told(limits.Past("b", "time")).facts == (Fact("agent.limit", "time"),)


HOLDS = "import time; held = b'x' * 4_000_000; print(1, flush=True); time.sleep(20)"


def test_the_family_is_this_process_and_what_it_started() -> None:
    assert processes.family()[0].pid == os.getpid()
    child = subprocess.Popen([sys.executable, "-S", "-c", HOLDS], stdout=subprocess.PIPE)
    assert child.stdout
    try:
        assert child.stdout.read(1) == b"1"  # of one that just began, Linux may tell 0 pages
        found = {taken.pid: taken for taken in processes.family()}
        assert 0 < found[child.pid].memory < 20 * MB < found[os.getpid()].memory
        assert found[os.getpid()].processor > 0
    finally:
        processes.end(child.pid)
        child.wait(10)
        child.stdout.close()
    assert child.pid not in {taken.pid for taken in processes.family()}
    processes.end(child.pid)


def test_what_started_a_cycle_is_not_its_memory(tmp_path: Path) -> None:
    starter = "import subprocess, sys; held = b'x' * 600_000_000; subprocess.run(sys.argv[1:], check=True)"
    script = CYCLE.format(bounds="", work="pass", stays=False)
    words = [sys.executable, "-c", starter, sys.executable, "-c", script, str(tmp_path)]
    subprocess.run(words, check=True, timeout=60)
    assert float(last(tmp_path)["agent.memory"] or 0) < 400 * MB
