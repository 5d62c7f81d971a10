"""A computer without a clock battery, from its probes over a real broker into the server's journal."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from brokers import RunningBroker
from end_to_end.system import System, eventually
from schoolwatch_agent import config as agent_config
from schoolwatch_agent import cycle
from schoolwatch_agent.host import Host
from schoolwatch_agent.tick import open_spool, tick
from schoolwatch_server.database import tables
from schoolwatch_server.database.engine import begin_read

FLAT = 1_293_840_000.0
"""The first of January of 2011."""


class Flat(Host):
    """This machine with a clock that begins in 2011 at each start, until somebody puts it right."""

    def __init__(self) -> None:
        super().__init__()
        self.start()

    def start(self) -> None:
        self.booted, self.error = time.monotonic(), FLAT - time.time()

    def now(self) -> float:
        return time.time() + self.error

    def uptime(self) -> float:
        return time.monotonic() - self.booted

    def boot_id(self) -> str:
        return f"started at {self.booted}"


@pytest.fixture
def system(broker: RunningBroker, tmp_path: Path) -> Iterator[System]:
    system = System(tmp_path / "data", broker)
    yield system
    system.stop()


def test_what_was_taken_in_2011_lies_when_it_was_or_is_told_to_nobody(system: System, tmp_path: Path) -> None:
    device = system.device()
    config = agent_config.load(system.agent_folder(tmp_path / "agent", device))
    system.start_intake()
    machine, pace = Flat(), cycle.Pace(device.device, "tick", 300.0)

    def measure() -> None:
        with open_spool(config, machine) as spool:
            cycle.run_cycle(machine, (), spool, pace)

    measure()  # and is switched off before anything was delivered
    machine.start()
    began = time.time()
    measure()
    measure()
    ended = time.time()
    machine.error = 0.0  # NTP
    tick(config, machine, ())
    eventually(lambda: system.journal_count() == 4, 60, "not everything was delivered")
    j = tables.journal.c
    with begin_read(system.engine) as conn:
        rows = conn.execute(select(j.taken_at, j.uncertain).order_by(j.id)).all()
        heard = conn.execute(select(tables.state.c.taken_at)).scalar_one()
    assert [row.uncertain for row in rows] == [True, False, False, False]
    slack = 5.0  # seconds on the way here
    assert all(began - slack <= row.taken_at <= ended + slack for row in rows[1:3])
    assert heard == rows[3].taken_at >= ended - slack
