"""A server's data folder with one copy of it; what tests do to a copy, they do to one of their own."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

import databases
from conftest import Peer
from reports import World
from schoolwatch_server import hint_keys
from schoolwatch_server.backup import make
from schoolwatch_server.backup.make import Made
from schoolwatch_server.config import ServerConfig, of_data, render
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.intake.batch import take
from schoolwatch_server.sections import Backup, Notify

PASSPHRASE = "a passphrase that only tests have"
DEVICES, REPORTS = 3, 20


WORTH = {"packs/own.yaml", "tls/server.pem", "agent/credential.json"}
MADE_ANEW = {
    "run/up.lock",
    "log/intake.log",
    "broker/passwords",
    "agent/spool.db",
    "secrets/.x.1.new",
    "schoolwatch.db.set-aside-1",
}


@dataclass(frozen=True)
class Stocked:
    """A server with reports, and its one copy in `copies`."""

    config: ServerConfig
    passphrase: Path
    copies: Path
    made: Made


def passphrase_file(folder: Path, text: str = PASSPHRASE) -> Path:
    path = folder / "passphrase"
    path.touch(mode=0o600)
    path.write_text(text + "\n")
    return path


def furnish(folder: Path, kind: str = "sqlite") -> ServerConfig:
    """A data folder with everything that belongs in a copy, and with what does not."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(databases, "kind", kind)
        world = World(data)
    for device in world.enrol(DEVICES):
        take(world.engine, [device.message(seq) for seq in range(1, REPORTS + 1)], Rules())
    world.engine.dispose()
    hint_keys.school_key(data, world.school)
    for name in WORTH | MADE_ANEW:
        (data / name).parent.mkdir(exist_ok=True)
        (data / name).write_text(name)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "channels").touch(mode=0o600)
    (elsewhere / "channels").write_text("json://hooks.example.org\n")
    config = msgspec.structs.replace(
        of_data(data),
        notify=Notify(str(elsewhere / "channels")),
        backup=Backup(target=str(folder / "copies"), passphrase_file=str(passphrase_file(folder))),
    )
    (data / "server.toml").write_text(render(config))
    return config


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory, peer: Peer) -> Stocked:
    peer("restic")
    folder = tmp_path_factory.mktemp("stocked")
    config = furnish(folder)
    made = make.back_up(config)
    return Stocked(config, folder / "passphrase", folder / "copies", made)


def moved(stocked: Stocked, to: Path) -> ServerConfig:
    """The same server in a place of its own, and the same copies."""
    shutil.copytree(stocked.config.folder, to / "data")
    shutil.copytree(stocked.copies, to / "copies")
    config = of_data(to / "data")
    return make.named(config, target=str(to / "copies"), passphrase_file=str(stocked.passphrase))


@pytest.fixture
def all_of_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of one day, of which else the newest alone is kept."""
    monkeypatch.setattr(make, "_thin", lambda *_: None)


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("restore", …)`: exit code, and what it printed in English."""
    from schoolwatch_server import cli

    def do(*words: object) -> tuple[int, str]:
        code = cli.main([*map(str, words), "--lang", "en"])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return do
