"""A server whose PostgreSQL is not up yet waits for it, says so once, and ends when it is told to."""

import logging
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster import cluster
from mqtt import wait_for
from running import RunningUp
from schoolwatch_server.database import awaited
from schoolwatch_server.database.engine import DatabaseError

pytestmark = pytest.mark.database("postgresql")
SOCKET = ".s.PGSQL.5432"


class Away:
    """A server that does not answer until it `comes`: its door is a link that is not there yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = cluster().url(cluster().make()).replace(f"host={cluster().folder}", f"host={folder}")

    def comes(self) -> None:
        (self.folder / SOCKET).symlink_to(cluster().folder / SOCKET)


@pytest.fixture
def away() -> Iterator[Away]:
    folder = Path(tempfile.mkdtemp(prefix="schoolwatch-away-"))  # a socket's path is short
    yield Away(folder)
    shutil.rmtree(folder)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaited, "PAUSES", (0.05, 0.1))


@pytest.mark.usefixtures("impatient")
def test_it_goes_on_when_the_database_comes_and_has_said_once_that_it_waits(
    away: Away, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    waits = threading.Event()
    found: list[bool] = []

    def tell(error: DatabaseError) -> None:
        awaited._say(error)
        waits.set()

    waiting = threading.Thread(
        target=lambda: found.append(awaited.reached(away.url, threading.Event(), tell, 60))
    )
    waiting.start()
    assert waits.wait(20)
    waiting.join(0.5)  # some tries
    assert waiting.is_alive()
    away.comes()
    waiting.join(30)
    assert found == [True]
    said = [record.getMessage() for record in caplog.records if record.name == awaited.log.name]
    assert len(said) == 2
    assert "does not answer" in said[0]
    assert "waiting for it" in said[0]
    assert "\n" not in said[0]
    assert said[1] == "the database answers"


@pytest.mark.usefixtures("impatient")
def test_it_ends_when_told_to_and_when_the_time_is_over(away: Away) -> None:
    stop = threading.Event()
    assert not awaited.reached(away.url, stop, lambda _: stop.set())
    with pytest.raises(DatabaseError, match="does not answer"):
        awaited.reached(away.url, threading.Event(), seconds=0.2)


@pytest.mark.parametrize(
    "url", ["postgresql://schoolwatch@/nowhere?host={}", "sqlite:////nowhere/x.db", "no address"]
)
def test_what_waiting_does_not_mend_is_not_waited_for(url: str) -> None:
    told: list[DatabaseError] = []
    assert awaited.reached(url.format(cluster().folder), threading.Event(), told.append)
    assert told == []


@pytest.fixture
def up(away: Away, tmp_path: Path, free_port: Callable[[], int]) -> Iterator[RunningUp]:
    data = tmp_path / "data"
    data.mkdir()
    (data / "server.toml").write_text(f'[database]\nurl = "{away.url}"\n', encoding="utf-8")
    up = RunningUp(data, free_port(), free_port(), "--broker", "amqtt", "--no-agent")
    up.start()
    wait_for(lambda: "Waiting for the database" in up.said, 60)
    yield up
    up.end()


def test_up_waits_with_one_line_and_starts_when_the_database_comes(up: RunningUp, away: Away) -> None:
    away.comes()
    wait_for(lambda: "SchoolWatch is starting" in up.said, 90)
    assert up.said.count("Waiting for the database") == 1
    assert up.said.splitlines()[0].startswith("postgresql+psycopg://")


def test_up_that_waits_ends_at_once_and_in_order(up: RunningUp) -> None:
    assert up.process is not None
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(20) == 0
    assert len(up.said.splitlines()) == 1
    assert not (up.data / "run" / "parts.json").exists()


def test_a_part_by_itself_waits_too(away: Away, tmp_path: Path) -> None:
    settings = tmp_path / "server.toml"
    settings.write_text(f'data = "{tmp_path}"\n[database]\nurl = "{away.url}"\n', encoding="utf-8")
    said = tmp_path / "said"
    with said.open("wb") as file:
        words = ("-m", "schoolwatch_server", "intake", "--config", str(settings))
        process = subprocess.Popen([sys.executable, *words], stderr=file)
    try:
        wait_for(lambda: b"waiting for it" in said.read_bytes() or process.poll() is not None, 60)
        assert process.poll() is None, said.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == -signal.SIGTERM
    finally:
        process.kill()
    assert len(said.read_text().splitlines()) == 1
