"""What every test may ask for: real peer programs, free ports and a running broker."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from brokers import RunningBroker

_LINES = Path(__file__).with_name("peers.txt").read_text(encoding="utf-8").splitlines()
PEERS = dict(line.split(maxsplit=1) for line in _LINES if line and line[0] not in "#!")
"""Program → the Debian packages that carry it; "-" when Debian has none."""

ELSEWHERE = tuple(line[1:].strip() for line in _LINES if line.startswith("!"))
"""What no test can run here, whatever is installed."""

settings.register_profile("schoolwatch", deadline=None)
settings.load_profile("schoolwatch")  # a busy machine is no wrong answer; what hangs, pytest's timeout ends

Peer = Callable[[str], Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: no worker begins with one when all the others are done."""
    items.sort(key=lambda item: "end_to_end" not in item.path.parts)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Before pytest's last line: what `./schoolwatch test` found besides, and what is never run here."""
    for what in ELSEWHERE:
        terminalreporter.write_line(f"not run here: {what}")
    for name in ("SCHOOLWATCH_NOT_RUN", "SCHOOLWATCH_FAILED"):
        if os.environ.get(name):
            said = os.environ[name].strip()
            terminalreporter.write_line(
                said if name.endswith("RUN") else f"checks that FAILED: {said}", red=True
            )


def find_program(name: str) -> Path | None:
    """The program's path; Debian keeps daemons in sbin, which a user's PATH leaves out."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin")
    return Path(found) if found else None


@pytest.fixture(scope="session")
def peer() -> Peer:
    """`peer("mosquitto")` is its path; without it the test is skipped, or fails when CI=true."""

    def ask(name: str) -> Path:
        found = find_program(name)
        if found is None:
            package = PEERS[name]
            where = "not in Debian" if package == "-" else f"Debian package {package}"
            missing = f"not run: needs {name} ({where})"
            if os.environ.get("CI") == "true" and package != "-":
                pytest.fail(missing, pytrace=False)
            pytest.skip(missing)
        return found

    return ask


@pytest.fixture
def free_port() -> Callable[[], int]:
    """`free_port()` is a TCP port of 127.0.0.1 that nothing listens on now; another one each call."""
    given: set[int] = set()

    def ask() -> int:
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = int(probe.getsockname()[1])
            if port not in given:
                given.add(port)
                return port

    return ask


@pytest.fixture
def mosquitto(peer: Peer, free_port: Callable[[], int], tmp_path: Path) -> Iterator[RunningBroker]:
    """A real mosquitto with our own settings, running; see tests/brokers.py."""
    broker = RunningBroker("mosquitto", tmp_path / "broker", free_port(), peer("mosquitto"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def amqtt(free_port: Callable[[], int], tmp_path: Path) -> Iterator[RunningBroker]:
    """Our amqtt child, running."""
    broker = RunningBroker("amqtt", tmp_path / "broker", free_port())
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(params=["mosquitto", "amqtt"])
def broker(
    request: pytest.FixtureRequest, peer: Peer, free_port: Callable[[], int], tmp_path: Path
) -> Iterator[RunningBroker]:
    """The test runs twice: on a real mosquitto, and on our amqtt child."""
    program = peer("mosquitto") if request.param == "mosquitto" else None
    broker = RunningBroker(request.param, tmp_path / "broker", free_port(), program)
    broker.start()
    yield broker
    broker.stop()
