"""The sleeper as a real process, with ticks that are small programs of the test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt import wait_for
from schoolwatch_agent import child, lock, sleeper

LEAVES_A_LINE = "import sys, time; open(sys.argv[1], 'a').write('tick\\n'); time.sleep(float(sys.argv[2]))"
WILL_NOT_END = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + LEAVES_A_LINE

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def ticks(tmp_path: Path) -> Path:
    return tmp_path / "ticks"


@pytest.fixture
def start(ticks: Path) -> Iterator[Start]:
    """Starts a sleeper; `lasts` is how many seconds a tick of it takes."""
    started = []

    def go(
        period: float, *, lasts: float = 0, bound: float = 60, program: str = LEAVES_A_LINE
    ) -> subprocess.Popen[bytes]:
        tick = (sys.executable, "-I", "-c", program, str(ticks), str(lasts))
        words = (sys.executable, "-I", "-S", sleeper.__file__, str(period), "0", str(bound), *tick)
        started.append(subprocess.Popen(words, stderr=subprocess.PIPE))
        return started[-1]

    yield go
    for process in started:
        family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        for each in family:
            each.kill()
        process.kill()
        process.communicate()


def count(ticks: Path) -> int:
    return ticks.read_text().count("\n") if ticks.exists() else 0


def children(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def test_it_ticks_at_once_and_then_again_and_leaves_no_process_between(start: Start, ticks: Path) -> None:
    process = start(1.0)
    wait_for(lambda: count(ticks) >= 3)
    wait_for(lambda: not children(process))


def test_it_waits_for_the_instant_after_the_first_tick(start: Start, ticks: Path) -> None:
    process = start(100_000.0)
    wait_for(lambda: count(ticks) == 1 and not children(process))
    time.sleep(1.5)
    assert count(ticks) == 1


def test_it_holds_no_package_in_memory(start: Start, ticks: Path) -> None:
    process = start(100_000.0)
    wait_for(lambda: count(ticks) == 1)
    maps = Path(f"/proc/{process.pid}/maps").read_text()
    assert not [
        name for name in ("sqlite", "libssl", "msgspec", "psutil", "_json", "site-packages") if name in maps
    ]


def test_when_it_is_told_to_end_the_tick_is_told_too_and_waited_for(start: Start, ticks: Path) -> None:
    process = start(100_000.0, lasts=60)
    wait_for(lambda: count(ticks) == 1)
    (tick,) = children(process)
    process.terminate()
    assert process.wait(8) == 0
    assert not tick.is_running()
    assert process.stderr is not None
    assert process.stderr.read() == b""


def test_a_tick_that_hangs_is_ended_after_its_bound_and_the_next_one_comes(start: Start, ticks: Path) -> None:
    process = start(1.0, lasts=60, bound=0.5)
    wait_for(lambda: count(ticks) >= 2)
    process.terminate()
    process.wait(15)
    assert process.stderr is not None
    assert b"took more than 0.5 s" in process.stderr.read()


def test_a_tick_that_does_not_want_to_end_is_killed(start: Start, ticks: Path) -> None:
    process = start(100_000.0, lasts=300, program=WILL_NOT_END)
    wait_for(lambda: count(ticks) == 1)
    (tick,) = children(process)
    process.terminate()
    assert process.wait(60) == 0
    assert not tick.is_running()


def test_instants_that_passed_during_a_long_tick_are_skipped(start: Start, ticks: Path) -> None:
    process = start(0.2, lasts=1.5)
    time.sleep(5)
    assert len(children(process)) <= 1
    assert count(ticks) <= 4


def test_a_tick_that_cannot_be_started_is_said_and_tried_again(ticks: Path) -> None:
    words = (sys.executable, "-I", "-S", sleeper.__file__, "0.3", "0", "5", str(ticks / "nothing"))
    process = subprocess.Popen(words, stderr=subprocess.PIPE)
    assert process.stderr is not None
    for _ in range(2):
        assert b"could not be started" in process.stderr.readline()
    process.terminate()
    process.communicate()
    assert process.returncode == 0


def test_run_becomes_a_sleeper_that_ticks_and_runs_but_once(tmp_path: Path) -> None:
    settings = tmp_path / "agent.toml"
    settings.write_text(
        '[agent]\ndata = "data"\nlanguage = "en"\n[schedule]\nmeasure = 3600\ndeliver = 3600\n'
    )
    words = [sys.executable, "-m", "schoolwatch_agent", "run", "--config", "agent.toml"]
    process = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: (tmp_path / "data" / "spool.db").exists() and not children(process), 60)
        assert "sleeper.py" in " ".join(psutil.Process(process.pid).cmdline())
        second = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert second.returncode == 1
        assert "does not run twice" in second.stderr
        with lock.held(tmp_path / "data") as is_free:
            assert is_free
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(15) == 0
        with lock.held(tmp_path / "data", lock.RUN) as is_free:
            assert is_free
    finally:
        process.kill()
        process.communicate()


def test_a_tick_that_is_told_to_end_ends_what_it_started(tmp_path: Path) -> None:
    program = tmp_path / "hang"
    program.write_text("#!/bin/sh\nexec sleep 300\n")
    program.chmod(0o755)
    (tmp_path / "agent.toml").write_text('[agent]\ndata = "data"\n')
    code = f"""
import sys
from schoolwatch_agent import commands
from schoolwatch_agent.cli import main
from schoolwatch_agent.probe import Probe
hangs = Probe("system", 0, lambda host: [host.run({str(program)!r}, timeout=200)])
commands.probes_of = lambda *_: (hangs,)
sys.exit(main(["tick", "--config", {str(tmp_path / "agent.toml")!r}]))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    wait_for(lambda: children(process))
    (started,) = children(process)
    process.terminate()
    process.communicate(timeout=15)
    assert process.returncode == 128 + signal.SIGTERM
    wait_for(lambda: not started.is_running())


def test_told_to_end_just_when_a_program_starts_none_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def start(command: tuple[str, ...], asked: str) -> subprocess.Popen[bytes]:
        started.append(really(command, asked))
        signal.raise_signal(signal.SIGTERM)  # the program is there, and nobody holds it yet
        return started[0]

    def end(*_: object) -> None:
        raise SystemExit(128 + signal.SIGTERM)

    really = child._started
    monkeypatch.setattr(child, "_started", start)
    before = signal.signal(signal.SIGTERM, end)
    try:
        with pytest.raises(SystemExit):
            child.finish(("/bin/sleep", "300"), ("sleep",), 200)
        assert signal.getsignal(signal.SIGTERM) is end
    finally:
        signal.signal(signal.SIGTERM, before)
        for pipe in (started[0].stdout, started[0].stderr):
            assert pipe is not None
            pipe.close()
    assert started[0].poll() == -signal.SIGKILL


@given(
    st.floats(3e8, 4.1e9),
    st.floats(0.001, 1e5),
    st.floats(0, 1e5),
)
def test_the_next_instant_is_never_now_and_never_more_than_a_period_away(
    now: float, period: float, phase: float
) -> None:
    wait = sleeper.until_next(now, period, phase)
    assert 0 < wait <= period
    assert sleeper.slot(now + wait + 1e-5 * period + 1e-6, period, phase) >= sleeper.slot(now, period, phase)
