"""A stick between a computer without a line and the server, with real parts at both ends."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from brokers import RunningBroker, environment
from end_to_end.system import System, eventually
from schoolwatch_agent import config as agent_config
from schoolwatch_agent.host import Host
from schoolwatch_agent.probes import listed
from schoolwatch_agent.spool_file import read
from schoolwatch_agent.tick import tick


@pytest.fixture
def system(mosquitto: RunningBroker, tmp_path: Path) -> Iterator[System]:
    system = System(tmp_path / "data", mosquitto)
    yield system
    system.stop()


def program(*words: str) -> str:
    argv = (sys.executable, "-m", *words)
    done = subprocess.run(argv, env=environment(), capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def waiting(folder: Path) -> int:
    db = read(folder / "data" / "spool.db")
    try:
        return int(db.execute("SELECT count(*) FROM envelope WHERE acked_at IS NULL").fetchone()[0])
    finally:
        db.close()


def test_what_was_carried_is_heard_by_the_agent_and_delivered_no_second_time(
    system: System, tmp_path: Path
) -> None:
    device = system.device()
    folder = tmp_path / "agent"
    settings = system.agent_folder(folder, device, "[schedule]\nmeasure = 1\ndeliver = 1\n")
    config = agent_config.load(settings)
    system.broker.kill()  # no line
    for _ in range(12):
        done = tick(config, Host(), [listed("uptime", 0)])
        assert done.outcome is not None
        assert done.outcome.kind == "unreachable"
    stick = tmp_path / "stick"
    stick.mkdir()
    said = program(
        "schoolwatch_agent", "bundle", "--config", str(settings), "--out", str(stick), "--lang", "en"
    )
    assert "12 reports written" in said

    system.broker.start()
    (file,) = stick.iterdir()
    words = ("schoolwatch_server", "import-bundle", str(file), "--data", str(system.data), "--lang", "en")
    assert "12 new, 0 there already\n  The machine hears" in program(*words)
    assert "0 new, 12 there already" in program(*words)
    assert system.journal_count() == 12
    assert waiting(folder) == 12  # nothing has told the agent yet

    system.start_intake()
    tick(
        config, Host(), [listed("uptime", 0)]
    )  # its line is back: it hears first, and sends only what is new
    eventually(lambda: system.journal_count() == 13, 60, "the new report does not come")
    assert system.counters()["duplicates", ""] == 12  # of the second import; none by the line
    tick(config, Host(), [listed("uptime", 0)])
    eventually(lambda: waiting(folder) <= 1, 60, "the agent does not hear the acknowledgement")
