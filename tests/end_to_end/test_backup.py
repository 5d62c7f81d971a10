"""A copy made under load, put back on a clean folder: it holds its moment, and agents send the rest again.

`SCHOOLWATCH_LONG=1` runs it with forty agents for minutes, and kills backups on the way; with
`SCHOOLWATCH_RESEND=3600` they go on for an hour after the restore, measuring anew and sending again.
"""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

import pytest
from sqlalchemy import select

from brokers import RunningBroker, environment
from conftest import Peer
from end_to_end.system import System, eventually
from schoolwatch_agent import config as agent_config
from schoolwatch_agent.host import Host
from schoolwatch_agent.tick import open_spool, tick
from schoolwatch_contract import envelope
from schoolwatch_contract.records import Envelope, Reading
from schoolwatch_server import hint_keys
from schoolwatch_server.backup import status
from schoolwatch_server.config import ServerConfig, of_data
from schoolwatch_server.database import copies, tables
from schoolwatch_server.database.engine import begin_read, open_database

LONG = os.environ.get("SCHOOLWATCH_LONG") == "1"
AGENTS, SECONDS, KILLS = (40, 60.0, 12) if LONG else (2, 1.0, 1)
RESEND = float(os.environ.get("SCHOOLWATCH_RESEND", "0"))
"""Seconds for which agents go on after the restore; each reports every half minute."""
Reports = Counter[tuple[str, int]]
"""Spool generation and number → how often it is stored."""


@pytest.fixture
def system(mosquitto: RunningBroker, tmp_path: Path) -> Iterator[System]:
    system = System(tmp_path / "data", mosquitto)
    yield system
    system.stop()


class Agents:
    """Real agents, each with its own spool, that report as fast as they can until told to stop."""

    def __init__(self, system: System, folder: Path) -> None:
        words = "[schedule]\nmeasure = 1\ndeliver = 1\n[delivery]\nretry_first = 1\nretry_max = 2\n"
        self.configs = [
            agent_config.load(system.agent_folder(folder / f"agent{n}", system.device(), words))
            for n in range(AGENTS)
        ]

    @contextmanager
    def reporting(self, count: int = 10, every: float = 0.3) -> Iterator[Self]:
        """Each measures `count` times and delivers, every so many seconds."""
        stop = threading.Event()
        threads = [
            threading.Thread(target=self._report, args=(one, stop, count, every)) for one in self.configs
        ]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _report(
        self, config: agent_config.AgentConfig, stop: threading.Event, count: int, every: float
    ) -> None:
        while not stop.is_set():
            put(config, count)
            tick(config, Host(), ())
            stop.wait(every)

    def tick(self) -> None:
        for config in self.configs:
            tick(config, Host(), ())

    def held(self) -> Reports:
        """Everything that they ever measured: what was acknowledged stays for days."""
        found: Reports = Counter()
        for config in self.configs:
            with closing(sqlite3.connect(config.data / "spool.db", timeout=10)) as db:
                query = "SELECT g.spool, e.seq FROM envelope e JOIN generation g ON g.id = e.generation"
                found.update((str(spool), int(seq)) for spool, seq in db.execute(query))
        return found


def put(config: agent_config.AgentConfig, count: int) -> None:
    with open_spool(config, Host()) as spool:
        now = time.time()
        one = envelope.encode(Envelope(1, now, "0.1.0", (Reading("uptime.seconds", now),)))
        spool.put([one] * count, spool.memory(now) or b"", now)


def stored(config: ServerConfig) -> Reports:
    engine = open_database(config.database_url, config.master_key)
    try:
        with begin_read(engine) as conn:
            j, g = tables.journal.c, tables.generation.c
            rows = conn.execute(select(g.spool, j.seq).join_from(tables.journal, tables.generation))
            return Counter((spool, seq) for spool, seq in rows)
    finally:
        engine.dispose()


def rows(config: ServerConfig) -> dict[str, int]:
    engine = open_database(config.database_url, config.master_key)
    try:
        with begin_read(engine) as conn:
            return copies.census(conn)
    finally:
        engine.dispose()


def run(*words: str, **more: object) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "schoolwatch_server", *words, "--lang", "en")
    return subprocess.run(command, capture_output=True, text=True, env=environment(), check=False, **more)


@pytest.mark.timeout(1200 + RESEND if LONG else 120)
def test_a_copy_made_under_load_is_put_back_and_agents_send_the_rest(
    system: System, tmp_path: Path, peer: Peer
) -> None:
    peer("restic")
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("a passphrase that only this test has")
    (system.data / "packs").mkdir()
    (system.data / "packs" / "own.yaml").write_text("# ours\n")
    key = hint_keys.school_key(system.data, system.school)
    where = ("--passphrase-file", str(passphrase))
    backup = ("backup", "--data", str(system.data), "--to", str(tmp_path / "copies"), *where)
    system.start_intake()
    system.start("evaluate")

    with Agents(system, tmp_path).reporting() as agents:
        eventually(lambda: system.journal_count() > 50, 60, "nothing is reported")
        kill_some(backup)
        before = system.journal_count()
        time.sleep(SECONDS / 2)
        made = run(*backup)
        assert made.returncode == 0, made.stderr
        after = system.journal_count()
        time.sleep(SECONDS / 2)
    noted = status.read(system.data)
    assert noted is not None
    assert noted.done is not None
    assert before < noted.done.rows["journal"] <= after, "it is no moment of the time in which it was made"
    eventually(lambda: system.journal_count() > noted.done.rows["journal"], 60, "no load after the backup")

    for part in ("intake", "evaluate"):
        system.kill(part)
    system.broker.kill()
    system.broker.forget()
    lost = stored(system.config)
    clean = tmp_path / "clean"
    done = run("restore", "--data", str(clean), "--from", str(tmp_path / "copies"), *where)
    assert done.returncode == 0, done.stderr
    assert f"reports in the journal: {noted.done.rows['journal']}\n" in done.stdout
    told = rows(of_data(clean))  # the audit log holds one line more: that it was restored
    assert told | {"audit": told["audit"] - 1} == noted.done.rows
    assert hint_keys.school_key(clean, system.school) == key
    assert (clean / "packs" / "own.yaml").read_text() == "# ours\n"
    assert stored(of_data(clean)) < lost
    shutil.rmtree(system.data)

    system.data = clean
    system.broker.start()
    system.start_intake()
    if RESEND:
        with agents.reporting(count=1, every=30):
            time.sleep(RESEND)

    def all_there() -> bool:
        agents.tick()
        return stored(system.config) == agents.held()

    eventually(
        all_there, 600 if LONG else 60, lambda: f"{stored(system.config).total()} of {agents.held().total()}"
    )
    now = stored(system.config).total()
    print(f"reports at the backup {noted.done.rows['journal']}, at the disaster {lost.total()}, now {now}")
    assert lost <= stored(system.config), "what was stored before the disaster is not there again"
    assert set(stored(system.config).values()) == {1}


def kill_some(backup: tuple[str, ...]) -> None:
    """Backups that are killed at any moment: the next one goes on as if they had never been."""
    dice = random.Random(2026)
    for _ in range(KILLS):
        command = (sys.executable, "-m", "schoolwatch_server", *backup)
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()
        )
        time.sleep(dice.uniform(0.5, 3))
        process.kill()
        process.wait()
