"""What every test may ask for: real peer programs, free ports and a running broker."""

import contextlib
import itertools
import os
import random
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import settings

import databases
import in_memory
from brokers import RunningBroker
from schoolwatch_agent import limits
from schoolwatch_agent.config import Limits
from schoolwatch_agent.processes import Taken
from webhook import Webhook

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_LINES = Path(__file__).with_name("peers.txt").read_text(encoding="utf-8").splitlines()
PEERS = dict(line.split(maxsplit=1) for line in _LINES if line and line[0] not in "#!")
"""Program → the Debian packages that carry it; "-" when Debian has none."""

ELSEWHERE = tuple(line[1:].strip() for line in _LINES if line.startswith("!"))
"""What no test can run here, whatever is installed."""

settings.register_profile("schoolwatch", deadline=None)
settings.load_profile("schoolwatch")  # a busy machine is no wrong answer; what hangs, pytest's timeout ends

Peer = Callable[[str], Path]

CHROMIUM = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


@pytest.hookimpl(tryfirst=True)  # pytest's own then takes what is set here
def pytest_configure(config: pytest.Config) -> None:
    """Has files of all workers in memory; whoever gives --basetemp or TMPDIR has them there."""
    of_worker = hasattr(config, "workerinput")
    if of_worker or config.option.collectonly or config.option.basetemp or "TMPDIR" in os.environ:
        return
    if in_memory.has_room():
        folder = in_memory.folder()
        config.option.basetemp = str(folder / "t")
        os.environ["TMPDIR"] = str(folder)
        tempfile.tempdir = None  # what was found before


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: no worker begins with one when all the others are done."""
    items.sort(key=lambda item: "end_to_end" not in item.path.parts)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What rests on the database the most runs on both; with SCHOOLWATCH_TEST_DATABASE all is on that one."""
    test = metafunc.definition
    asks = {"world", "tree", "engine", "commune"} & {*metafunc.fixturenames}
    if not asks or test.name in databases.SLOW or "SCHOOLWATCH_TEST_DATABASE" in os.environ:
        return
    module = str(test.path.relative_to(Path(__file__).parent))
    if module.startswith(databases.ON_BOTH) and not test.get_closest_marker("database"):
        metafunc.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def database_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the test's databases are on; a test about one kind of them is on that, whatever is asked for."""
    alone = request.node.get_closest_marker("database")
    kind = alone.args[0] if alone else str(getattr(request, "param", databases.KIND))
    monkeypatch.setattr(databases, "kind", kind)
    return kind


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


@pytest.fixture
def on_disk() -> Iterator[Path]:
    """A folder on a disk, as none of the others may be: for what is large, or about disks."""
    with tempfile.TemporaryDirectory(prefix="schoolwatch-test-", dir=in_memory.DISK) as folder:
        yield Path(folder)


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


@pytest.fixture(scope="module")
def browser(peer: Peer) -> Iterator["Browser"]:
    """A Chromium without a window, that asks nobody for anything by itself."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=peer("chromium"), args=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def ports() -> Iterator[int]:
    """Ports of this worker, below those that the system gives to connections that go out."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first, count = 12_000 + 1500 * (worker % 12), 1500
    begin = random.SystemRandom().randrange(count)
    return itertools.cycle(first + (begin + n) % count for n in range(count))


@pytest.fixture(scope="session")
def free_port(ports: Iterator[int]) -> Callable[[], int]:
    """`free_port()` is a TCP port of 127.0.0.1 that nothing listens on now; another one each call.

    None that the system would give to whoever connects: a broker's port could be taken before it listens, and
    whoever looks whether it listens could be answered by itself.
    """

    def ask() -> int:
        for port in ports:
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
                return port
        raise AssertionError("no port is free")

    return ask


@pytest.fixture(autouse=True)
def _an_agent_here_ends_no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent over its memory ends its largest child; in the tests' own process that is a broker."""
    over = limits.over

    def with_room(bounds: Limits, taken: tuple[Taken, ...], used: float, left: float) -> limits.Limit:
        if taken and taken[0].pid == os.getpid():
            bounds = msgspec.structs.replace(bounds, memory_max=16_000_000_000)
        return over(bounds, taken, used, left)

    monkeypatch.setattr(limits, "over", with_room)


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


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    webhook = Webhook()
    yield webhook
    webhook.close()
