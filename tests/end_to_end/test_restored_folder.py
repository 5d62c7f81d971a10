"""A whole data folder put back, and a broker that remembers nothing: `migrate --restored` gets the rest."""

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from brokers import RunningBroker
from end_to_end.system import System, eventually
from schoolwatch_agent import config as agent_config
from schoolwatch_agent.host import Host
from schoolwatch_agent.tick import open_spool, tick
from schoolwatch_contract import envelope
from schoolwatch_contract.records import Envelope, Reading
from schoolwatch_server import cli
from schoolwatch_server.database import tables
from schoolwatch_server.database.engine import begin_read


@pytest.fixture
def system(broker: RunningBroker, tmp_path: Path) -> Iterator[System]:
    system = System(tmp_path / "data", broker)
    yield system
    system.stop()


def put(config: agent_config.AgentConfig, count: int) -> None:
    with open_spool(config, Host()) as spool:
        now = time.time()
        one = envelope.encode(Envelope(1, now, "0.1.0", (Reading("uptime.seconds", now),)))
        spool.put([one] * count, spool.memory(now) or b"", now)


def held(config: agent_config.AgentConfig) -> set[tuple[str, int]]:
    with closing(sqlite3.connect(config.data / "spool.db", timeout=10)) as db:
        query = "SELECT g.spool, e.seq FROM envelope e JOIN generation g ON g.id = e.generation"
        return {(str(spool), int(seq)) for spool, seq in db.execute(query)}


def stored(system: System) -> set[tuple[str, int]]:
    j, g = tables.journal.c, tables.generation.c
    with begin_read(system.engine) as conn:
        rows = conn.execute(select(g.spool, j.seq).join_from(tables.journal, tables.generation))
        return {(spool, seq) for spool, seq in rows}


def test_agents_send_again_what_a_restored_folder_lacks(system: System, tmp_path: Path) -> None:
    settings = system.agent_folder(
        tmp_path / "agent", system.device(), "[schedule]\nmeasure = 1\ndeliver = 1\n"
    )
    config = agent_config.load(settings)

    def all_stored() -> bool:
        tick(config, Host(), ())
        return stored(system) == held(config)

    system.start_intake()
    put(config, 10)
    eventually(all_stored, 60, "the first ones are not stored")
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(system.data / "schoolwatch.db")) as db, closing(sqlite3.connect(copy)) as to:
        db.backup(to)
    put(config, 10)
    eventually(all_stored, 60, "the next ones are not stored")

    system.kill("intake")
    system.broker.kill()
    system.broker.forget()
    system.engine.dispose()
    for leftover in system.data.glob("schoolwatch.db-*"):
        leftover.unlink()
    shutil.copy(copy, system.data / "schoolwatch.db")
    assert len(stored(system)) < len(held(config))
    system.broker.start()
    assert cli.main(["migrate", "--restored", "--data", str(system.data)]) == 0
    system.start_intake()
    eventually(all_stored, 60, lambda: f"{len(stored(system))} of {len(held(config))}")
