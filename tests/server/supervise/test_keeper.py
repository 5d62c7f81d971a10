"""One part's life, with real processes: started, died, started again with longer pauses, stopped."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mqtt import wait_for
from schoolwatch_server.api.parts import read_parts
from schoolwatch_server.supervise import keeper, status
from schoolwatch_server.supervise.keeper import Keeper, Part

PYTHON = sys.executable


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[list[Keeper]]:
    made: list[Keeper] = []
    yield made
    for one in made:
        one.wait_ended(0.1, 0)


def _keep(kept: list[Keeper], tmp_path: Path, code: str) -> Keeper:
    one = Keeper(Part("p", (PYTHON, "-c", code), tmp_path / "p.log"), 0)
    kept.append(one)
    return one


def _wait(one: Keeper, now: float, state: str) -> None:
    def reached() -> bool:
        one.look(now)
        return one.status.state == state

    wait_for(reached)


def test_a_part_runs_once_it_has_lived_a_moment(kept: list[Keeper], tmp_path: Path) -> None:
    one = _keep(kept, tmp_path, "import time; time.sleep(60)")
    one.start(100)
    assert one.status.state == "starting"
    assert not one.look(100.5)
    assert one.look(101.5)
    assert (one.status.state, one.status.since, one.status.restarts) == ("running", 101.5, 0)
    assert one.status.pid is not None
    assert psutil.pid_exists(one.status.pid)


def test_a_part_that_answers_is_running_only_then(kept: list[Keeper], tmp_path: Path) -> None:
    answers = [False]
    part = Part("p", (PYTHON, "-c", "import time; time.sleep(60)"), tmp_path / "p.log", lambda: answers[0])
    one = Keeper(part, 0)
    kept.append(one)
    one.start(0)
    assert not one.look(50)
    answers[0] = True
    assert one.look(51)
    assert one.is_running


def test_a_dead_part_says_why_and_comes_back_after_longer_and_longer_pauses(
    kept: list[Keeper], tmp_path: Path
) -> None:
    one = _keep(kept, tmp_path, "import sys; print('no\\x1b[2J disk', file=sys.stderr); sys.exit(3)")
    now = 1000.0
    one.start(now)
    for restarts, pause in enumerate((1, 2, 4, 8, 16, 30, 30), 1):
        _wait(one, now, "restarting")
        assert one.status.restarts == restarts
        assert one.status.why == ("no[2J disk", "exit code 3")
        assert not one.look(now + pause - 0.01)
        now += pause
        assert one.look(now)
        assert one.status.state == "starting"


def test_a_part_that_was_steady_is_started_again_soon(kept: list[Keeper], tmp_path: Path) -> None:
    one = _keep(kept, tmp_path, "raise SystemExit(1)")
    one.start(0)
    for died in (61.0, 161.0, 261.0):
        _wait(one, died, "restarting")
        assert not one.look(died + keeper.FIRST_PAUSE - 0.01)
        assert one.look(died + keeper.FIRST_PAUSE)


def test_a_clock_that_was_set_back_does_not_delay_a_part(kept: list[Keeper], tmp_path: Path) -> None:
    one = _keep(kept, tmp_path, "raise SystemExit(1)")
    one.start(10_000)
    _wait(one, 10_000, "restarting")
    assert one.look(5)
    assert one.status.state == "starting"


def test_a_program_that_is_not_there_is_a_death_with_its_reason(kept: list[Keeper], tmp_path: Path) -> None:
    one = Keeper(Part("p", ("/nonexistent/program",), tmp_path / "p.log"), 0)
    kept.append(one)
    one.start(0)
    _wait(one, 0, "restarting")
    assert "/nonexistent/program: No such file or directory" in one.status.why


def test_stopping_takes_the_stubborn_and_their_children_too(kept: list[Keeper], tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); print('up'); time.sleep(60)"
    )
    one = _keep(kept, tmp_path, code)
    one.start(0)
    wait_for(lambda: "up" in (tmp_path / "p.log").read_text())
    family = [psutil.Process(one.status.pid), *psutil.Process(one.status.pid).children(recursive=True)]
    assert len(family) == 2
    one.send(signal.SIGTERM)
    one.wait_ended(0.3, 7)
    assert one.status.state == "stopped"
    assert psutil.wait_procs(family, timeout=60)[1] == []


def test_a_child_does_not_outlive_us_however_we_die(tmp_path: Path) -> None:
    parent = (
        "import sys, time; from pathlib import Path; from schoolwatch_server import child;"
        "command = (sys.executable, '-c', 'import time; time.sleep(60)');"
        f"p = child.spawn(command, Path({str(tmp_path / 'l')!r}));"
        "print(p.pid, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([PYTHON, "-c", parent], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    child = psutil.Process(pid)
    time.sleep(0.5)
    assert child.is_running()
    process.kill()
    process.communicate()
    assert psutil.wait_procs([child], timeout=60)[1] == []


def test_what_is_written_down_is_what_the_console_reads(kept: list[Keeper], tmp_path: Path) -> None:
    one = _keep(kept, tmp_path, "import time; time.sleep(60)")
    one.start(5)
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "parts.json"
    status.write(path, kept)
    (part,) = read_parts(tmp_path)
    assert (part.name, part.state, part.since, part.restarts) == ("p", "starting", 5, 0)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
