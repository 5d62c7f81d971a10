"""A real clamd stops: an incident opens, a real webhook hears of it, and it closes when clamd is back."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from brokers import RunningBroker
from conftest import Peer
from end_to_end.system import System, eventually
from schoolwatch_agent import config as agent_config
from schoolwatch_agent.host import Host
from schoolwatch_agent.probes import PROBES
from schoolwatch_agent.tick import tick
from schoolwatch_server.database import tables
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.rules.load import SHIPPED
from webhook import Webhook


class Clamd:
    """ClamAV's daemon with one signature, in a folder that the agent takes for a machine."""

    def __init__(self, program: Path, root: Path) -> None:
        self.program, self.root = program, root
        self.socket = root / "run" / "clamav" / "clamd.ctl"
        for folder in (root / "signatures", self.socket.parent, root / "usr" / "sbin"):
            folder.mkdir(parents=True)
        (root / "signatures" / "test.hdb").write_text("44d88612fea8a8f36de82e1278abb02f:68:Test.File\n")
        (root / "usr" / "sbin" / "clamd").symlink_to(program)
        user = "User root\n" if os.getuid() == 0 else ""
        (root / "clamd.conf").write_text(
            f"{user}Foreground yes\nDatabaseDirectory {root}/signatures\nLocalSocket {self.socket}\n"
            f"TemporaryDirectory {root}\nConcurrentDatabaseReload no\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.root / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [self.program, "-c", self.root / "clamd.conf"], stdout=log, stderr=log
            )
        eventually(self._answers, 60, "clamd does not answer")

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return Host(self.root).ask("/run/clamav/clamd.ctl", b"zPING\0") == b"PONG\0"
        return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)


class Machine(Host):
    """The folder's machine, with this one's boot."""

    def boot_id(self) -> str:
        return Host().boot_id()


@pytest.fixture
def clamd(peer: Peer, tmp_path: Path) -> Iterator[Clamd]:
    daemon = Clamd(peer("clamd"), tmp_path / "machine")
    yield daemon
    daemon.stop()


@pytest.fixture
def system(mosquitto: RunningBroker, tmp_path: Path, webhook: Webhook) -> Iterator[System]:
    system = System(tmp_path / "data", mosquitto)
    urls = system.data / "notify.urls"
    urls.touch(0o600)
    urls.write_text(webhook.url + "\n")
    config = (system.data / "server.toml").read_text()
    (system.data / "server.toml").write_text(config.replace('urls_file = ""', f'urls_file = "{urls}"'))
    rule = (SHIPPED / "antivirus_off.yaml").read_text()
    (system.data / "rules").mkdir()
    (system.data / "rules" / "antivirus_off.yaml").write_text(
        rule.replace("version: 1", "version: 2").replace("open_after: 600", "open_after: 2")
    )
    yield system
    system.stop()


def test_an_antivirus_that_stops_is_an_incident_until_it_is_back(
    system: System, clamd: Clamd, webhook: Webhook, tmp_path: Path
) -> None:
    device = system.device()
    settings = system.agent_folder(tmp_path / "agent", device, "[schedule]\nmeasure = 1\ndeliver = 1\n")
    config, machine = agent_config.load(settings), Machine(clamd.root)
    always = (msgspec.structs.replace(next(one for one in PROBES if one.name == "antivirus"), every=0),)
    system.start_intake()
    system.start("evaluate")

    def measured() -> None:
        assert tick(config, machine, always).trouble is None
        time.sleep(0.5)

    def incidents() -> list[tuple[str, bool]]:
        measured()
        i = tables.incident.c
        with begin_read(system.engine) as conn:
            return [(rule, closed is None) for rule, closed in conn.execute(select(i.rule, i.closed_at))]

    clamd.start()
    measured()
    assert incidents() == []
    clamd.stop()
    eventually(lambda: incidents() == [("antivirus_off", True)], 60, lambda: system.log("evaluate"))
    eventually(lambda: len(webhook.of_incidents) == 1, 60, "the webhook was not told that it opened")
    clamd.start()
    eventually(lambda: incidents() == [("antivirus_off", False)], 60, lambda: system.log("evaluate"))
    eventually(lambda: len(webhook.of_incidents) == 2, 60, "the webhook was not told that it closed")

    opened, closed = webhook.of_incidents
    assert "Trường mẫu" in opened["message"]
    assert "diệt vi-rút" in opened["title"] + opened["message"]
    assert opened["title"] != closed["title"]
