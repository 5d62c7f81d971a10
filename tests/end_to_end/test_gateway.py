"""A PC that reaches nothing but its school's gateway: enrolled, let in, delivering, renewed; a power cut."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from brokers import environment
from conftest import Peer
from gated import Gated
from mqtt import wait_for
from running import RunningUp
from schoolwatch_agent import config as agent_config
from schoolwatch_agent import identity, on_the_way, settings
from schoolwatch_agent.host import Host
from schoolwatch_agent.probes import listed
from schoolwatch_agent.tick import tick
from schoolwatch_contract import pin
from schoolwatch_server.database import tables
from schoolwatch_server.database.engine import begin_read, open_database
from schoolwatch_server.enrolment import issue_enrolment_token

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not run: needs root for network namespaces")
SCHOOL = "TRUONG-MAU"


@pytest.fixture
def gated(peer: Peer) -> Iterator[Gated]:
    for program in ("ip", "tc", "mosquitto", "faketime"):
        peer(program)
    with Gated() as made:
        yield made


@pytest.fixture
def up(gated: Gated, free_port: Callable[[], int], tmp_path: Path) -> Iterator[RunningUp]:
    made = RunningUp(
        tmp_path / "server", free_port(), free_port(), "--broker", "mosquitto", host=gated.server
    )
    made.start()
    try:
        made.wait_ready(60)
        yield made
    finally:
        made.end()


class Machine:
    """A folder of an agent on a computer that is somewhere in the school."""

    def __init__(self, gated: Gated, at: str, folder: Path, config: str) -> None:
        self.gated, self.at, self.data = gated, at, folder / "data"
        self.ticks = 0
        folder.mkdir()
        self.file = folder / "agent.toml"
        bounds = "[schedule]\nmeasure = 1\ndeliver = 1\n[delivery]\nconnect_wait = 2\nretry_first = 1\n"
        self.file.write_text(f'[agent]\ndata = "data"\n{bounds}{config}')

    def agent(self, *words: str, clock: str = "", text: str = "") -> subprocess.CompletedProcess[str]:
        wrong = ("faketime", "-f", f"@{clock}") if clock else ()
        own = ("-P", "-m", "schoolwatch_agent", *words, "--config", str(self.file), "--lang", "en")
        argv = self.gated.command(self.at, *wrong, sys.executable, *own)
        clean = {name: value for name, value in environment().items() if "proxy" not in name.lower()}
        return subprocess.run(
            argv, env=clean, capture_output=True, text=True, input=text, timeout=120, check=False
        )

    def tick(self) -> str:
        """One cycle; how its delivery ended."""
        config = agent_config.load(self.file)
        self.ticks += 1
        done = self.gated.inside(self.at, lambda: tick(config, Host(), [listed("uptime", 0)]))
        assert done.outcome is not None
        return done.outcome.kind

    def looks(self) -> list[str]:
        """What the doctor says of the way to the server."""
        config = agent_config.load(self.file)

        def look() -> list[str]:
            found = (*on_the_way.server(config, self.credential), *on_the_way.passage(config))
            return [finding.key for finding in found]

        return self.gated.inside(self.at, look)

    @property
    def credential(self) -> identity.Credential:
        found = identity.read_credential(self.data)
        assert found is not None
        return found


class Passage:
    """The gateway's passage as a process that can lose its power."""

    def __init__(self, machine: Machine, log: Path) -> None:
        self._machine, self._log = machine, log

    def start(self) -> None:
        argv = self._machine.gated.command(
            "gate", sys.executable, "-P", "-m", "schoolwatch_agent", "gateway", "--config",
            str(self._machine.file), "--lang", "en",
        )  # fmt: skip
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(argv, stderr=log)
        wait_for(self._listens)

    def _listens(self) -> bool:
        assert self.process.poll() is None, self._log.read_text()
        try:
            self._machine.gated.connect((self._machine.gated.lan, 3128)).close()
        except OSError:
            return False
        return True

    def lose_power(self) -> None:
        """Nobody is told: the cable is silent before the process ends."""
        self._machine.gated.set("gate", "lan", "down")
        self._machine.gated.set("gate", "wan", "down")
        self.process.kill()
        self.process.wait(10)

    def come_back(self) -> None:
        for link in ("wan", "lan"):
            self._machine.gated.set("gate", link, "up")
        self.start()

    def end(self) -> str:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(10) == 0
        return self._log.read_text()


def journal(up: RunningUp, device: str) -> int:
    """Reports of a device that the server has committed."""
    with sqlite3.connect(f"file:{up.data}/schoolwatch.db?mode=ro", uri=True) as db:
        (count,) = db.execute(
            "SELECT count(*) FROM journal JOIN device ON device.id = device_id WHERE device.device = ?",
            (device,),
        ).fetchone()
    return int(count)


def code(up: RunningUp) -> str:
    """What a technician is given: a token whose devices wait, with the pin of the server's authority."""
    engine = open_database(f"sqlite:///{up.data}/schoolwatch.db")
    with begin_read(engine) as conn:
        (school,) = conn.scalars(select(tables.school.c.id))
    token = issue_enrolment_token(engine, school, None, 1, 5, now=time.time(), admits="wait")
    engine.dispose()
    return pin.join(token, (up.data / "tls" / "ca.pem").read_text())


def test_a_computer_behind_a_gateway_enrols_delivers_and_is_renewed(
    gated: Gated, up: RunningUp, tmp_path: Path
) -> None:
    token, told = code(up), f'[server]\nurl = "{up.url}"\n'
    gate = Machine(gated, "gate", tmp_path / "gate", f'{told}[passage]\nlisten = ["{gated.lan}:3128"]\n')
    enrolled = gate.agent("enrol", text=token)
    assert enrolled.returncode == 0, enrolled.stderr
    passage = Passage(gate, tmp_path / "passage.log")
    try:
        passage.start()
        bare = Machine(gated, "pc", tmp_path / "bare", told)
        assert "could not be reached" in bare.agent("enrol", text=token).stderr
        pc = Machine(gated, "pc", tmp_path / "pc", f'{told}proxy = "http://{gated.lan}:3128"\n')
        enrolled = pc.agent("enrol", text=token, clock="1970-01-02 03:04:05")
        assert enrolled.returncode == 0, enrolled.stderr
        assert "1970-01-0" in enrolled.stderr
        assert pc.credential.pending

        assert pc.tick() == "pending"
        up.command("device", "approve", "--school", SCHOOL)
        wait_for(lambda: pc.tick() == "delivered")
        assert pc.looks() == ["proxy_ok", "login_ok"]
        assert gate.looks()[-1] == "passage_ok"

        cut_in_the_middle(passage, pc, up)

        up.command("device", "rotate", pc.credential.device)
        wait_for(lambda: pc.tick() and settings.read(pc.data).renew)
        wait_for(lambda: pc.tick() and pc.credential.renewed)
    finally:
        said = passage.end()
    assert f"leads to {gated.server}:{up.http}, {gated.server}:{up.mqtt} alone" in said
    assert "let through" in said
    assert gated.pc not in said, "counts, and nobody's address"


def cut_in_the_middle(passage: Passage, pc: Machine, up: RunningUp) -> None:
    """The gateway's power fails while what waited is on its way: nothing is lost, nothing comes twice."""
    device, waiting = pc.credential.device, 40
    wait_for(lambda: journal(up, device) == pc.ticks)
    passage.end()
    assert {pc.tick() for _ in range(waiting)} == {"unreachable"}
    passage.start()
    pc.gated.slow_down("pc", "eth0", 60)
    before = pc.ticks - waiting
    delivering = threading.Thread(target=pc.tick)
    delivering.start()
    wait_for(lambda: journal(up, device) > before)
    passage.lose_power()
    delivering.join(60)
    assert not delivering.is_alive()
    assert before < journal(up, device) < pc.ticks, "it was cut in the middle"
    passage.come_back()
    wait_for(lambda: pc.tick() == "delivered" and journal(up, device) == pc.ticks, 60)
