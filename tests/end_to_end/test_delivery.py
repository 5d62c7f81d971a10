"""Nothing is lost and nothing stored twice, whatever dies, is restored, or is away for long."""

import math
import random
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from sqlalchemy import select

from brokers import RunningBroker
from end_to_end.system import Device, System, eventually
from schoolwatch_agent import config as agent_config
from schoolwatch_agent.host import Host
from schoolwatch_agent.tick import open_spool, tick
from schoolwatch_contract import envelope, frame, topics
from schoolwatch_contract.records import Envelope, Reading
from schoolwatch_server.database import tables
from schoolwatch_server.database.engine import begin_read

KILLS = 50
Stored = Counter[tuple[str, int, bytes]]
"""Spool generation, number, digest of the body → how often."""


class OtherMachine(Host):
    """This machine with another boot and another clock."""

    def __init__(self, boot: str, now: float | None = None) -> None:
        super().__init__()
        self.boot, self.time = boot, now

    def boot_id(self) -> str:
        return self.boot

    def now(self) -> float:
        return time.time() if self.time is None else self.time

    def uptime(self) -> float:
        return self.now() - 1_700_000_000.0


@pytest.fixture
def system(broker: RunningBroker, tmp_path: Path) -> Iterator[System]:
    system = System(tmp_path / "data", broker)
    yield system
    system.stop()


@pytest.fixture
def one_system(mosquitto: RunningBroker, tmp_path: Path) -> Iterator[System]:
    system = System(tmp_path / "data", mosquitto)
    yield system
    system.stop()


@pytest.mark.timeout(900)
def test_fifty_kills_lose_nothing_and_double_nothing(system: System, tmp_path: Path) -> None:
    device = system.device()
    settings = system.agent_folder(
        tmp_path / "agent",
        device,
        "[schedule]\nmeasure = 1\ndeliver = 1\n[delivery]\nretry_first = 2\nretry_max = 4\n",
    )
    system.start_intake()
    system.start("evaluate")
    system.start_agent(settings)
    dice = random.Random(2026)
    for _ in range(KILLS):
        _put(settings, dice.randrange(1, 40))
        time.sleep(dice.uniform(0.05, 0.7))
        victim = dice.choice(("broker", "intake", "evaluate", "agent"))
        if victim == "broker":
            system.broker.kill()
            time.sleep(dice.uniform(0, 0.3))
            system.broker.start()
            continue
        system.kill(victim)
        time.sleep(dice.uniform(0, 0.3))
        system.start_agent(settings) if victim == "agent" else system.start(victim)
    eventually(
        lambda: _waiting(settings) == 0, 90, lambda: f"{_waiting(settings)} wait; {system.log('agent')}"
    )
    system.kill("agent")

    held = _held(settings)
    assert len(held) > KILLS
    assert _stored(system, device) == held
    eventually(lambda: _rolled_up(system), 60, "the store writer did not catch up with the journal")


def test_a_broker_that_forgot_everything_costs_only_a_second_sending(
    one_system: System, tmp_path: Path
) -> None:
    device = one_system.device()
    settings = one_system.agent_folder(
        tmp_path / "agent", device, "[schedule]\nmeasure = 1\ndeliver = 1\n[delivery]\nretry_first = 1\n"
    )
    config = agent_config.load(settings)
    _put(settings, 100)
    tick(config, Host(), ())  # the server's parts are not up: only the broker has it
    assert _waiting(settings) > 100 - 1
    one_system.broker.kill()
    one_system.broker.forget()
    one_system.broker.start()
    one_system.start_intake()
    time.sleep(1.2)

    def delivered() -> bool:
        tick(config, Host(), ())
        return _waiting(settings) == 0

    eventually(delivered, 60, lambda: f"{_waiting(settings)} wait")
    assert _stored(one_system, device) == _held(settings)


def test_a_frozen_pc_that_gets_yesterdays_folder_at_each_boot(one_system: System, tmp_path: Path) -> None:
    device = one_system.device()
    settings = one_system.agent_folder(
        tmp_path / "agent", device, "[schedule]\nmeasure = 1\ndeliver = 1\n[delivery]\nretry_first = 1\n"
    )
    config = agent_config.load(settings)
    one_system.start_intake()
    first = OtherMachine("the boot of the image")
    for _ in range(3):
        tick(config, first, ())
    _put(settings, 20, first)
    yesterday = tmp_path / "yesterday"
    shutil.copytree(tmp_path / "agent", yesterday)
    ever = _held(settings)
    for number in range(10):
        shutil.rmtree(tmp_path / "agent")
        shutil.copytree(yesterday, tmp_path / "agent")
        machine = OtherMachine(f"boot {number}")
        for _ in range(3):
            _put(settings, 5, machine)
            tick(config, machine, ())
        eventually(lambda m=machine: _drained(config, m, settings), 60, "the restored PC is not acknowledged")
        ever |= _held(settings)
    assert len(ever) >= 20 + 10 * 3 * 6
    assert _stored(one_system, device) == ever


def test_a_server_restored_from_an_old_copy_gets_the_rest_again(one_system: System, tmp_path: Path) -> None:
    device = one_system.device()
    settings = one_system.agent_folder(
        tmp_path / "agent", device, "[schedule]\nmeasure = 1\ndeliver = 1\n[delivery]\nretry_first = 3600\n"
    )
    config, machine = agent_config.load(settings), Host()
    one_system.start_intake()
    _put(settings, 50)
    eventually(lambda: _drained(config, machine, settings), 60, "the first 50 are not acknowledged")
    copy = tmp_path / "copy.db"
    _copy_database(one_system, copy)
    _put(settings, 70)
    eventually(lambda: _drained(config, machine, settings), 60, "the next 70 are not acknowledged")
    complete = _stored(one_system, device)

    one_system.kill("intake")
    _restore_database(one_system, copy)
    assert len(_stored(one_system, device)) < len(complete)
    one_system.start_intake()
    eventually(
        lambda: _drained(config, machine, settings) and complete <= _stored(one_system, device),
        60,
        lambda: f"not sent again: {len(_stored(one_system, device))} of {len(complete)}",
    )
    assert _stored(one_system, device) == _held(settings)


def test_a_poison_frame_in_the_middle_is_quarantined_and_the_rest_flows(
    one_system: System, tmp_path: Path
) -> None:
    device = one_system.device()
    settings = one_system.agent_folder(tmp_path / "agent", device, "[schedule]\nmeasure = 1\ndeliver = 1\n")
    config, machine = agent_config.load(settings), Host()
    _put(settings, 10)
    with open_spool(config, machine) as spool:
        spool.put([b"no deflate stream at all"], spool.memory(time.time()) or b"", time.time())
    _put(settings, 10)
    one_system.start_intake()
    eventually(lambda: _drained(config, machine, settings), 60, "what follows the poison does not flow")

    held, stored = _held(settings), _stored(one_system, device)
    assert [key[2] for key in held - stored] == [frame.digest(b"no deflate stream at all")]
    assert stored <= held
    q = tables.quarantine.c
    with begin_read(one_system.engine) as conn:
        rows = conn.execute(select(q.device, q.reason, q.verified)).all()
    assert [tuple(row) for row in rows] == [(device.device, "deflate", True)]


@pytest.mark.timeout(200)
def test_ten_hours_without_a_server_cost_a_bounded_number_of_bytes(
    one_system: System, tmp_path: Path
) -> None:
    """Ticks each 5 minutes, delivery each 15: every envelope is published at most at +0, 1, 3 and 7 hours."""
    device = one_system.device()
    settings = one_system.agent_folder(tmp_path / "agent", device, "[delivery]\nack_wait = 0\n")
    config = agent_config.load(settings)
    one_system.start_intake()  # the broker keeps its session from now on
    one_system.kill("intake")
    start = time.time()
    machine = OtherMachine("one boot", start)
    seen: Counter[tuple[str, int]] = Counter()
    watcher = _watch(one_system, device, seen)
    for number in range(120):
        machine.time = start + number * 300.0
        tick(config, machine, ())
    watcher.disconnect()
    watcher.loop_stop()

    assert len(seen) > 110
    for (_, seq), times in seen.items():
        age = (119 - (seq - 1)) * 300.0
        assert times <= 1 + math.floor(math.log2(age / 3600.0 + 1)), (seq, times)
    machine.time = start + 120 * 300.0
    one_system.start_intake()
    eventually(
        lambda: one_system.journal_count() >= len(seen), 60, "the server does not get the broker's queue"
    )
    settings.write_text(settings.read_text().replace("ack_wait = 0", "ack_wait = 2"))
    patient = agent_config.load(settings)
    eventually(lambda: _drained(patient, machine, settings), 60, "the server's return is not noticed")
    assert _stored(one_system, device) == _held(settings)


def _put(settings: Path, count: int, machine: Host | None = None) -> None:
    """Envelopes with contents of their own, as a cycle would store them."""
    machine = machine or Host()
    with open_spool(agent_config.load(settings), machine) as spool:
        now = machine.now()
        bodies = [
            envelope.encode(Envelope(1, now, "0.1.0", (Reading("uptime.seconds", random.random() * 1e6),)))
            for _ in range(count)
        ]
        spool.put(bodies, spool.memory(now) or b"", now)


def _drained(config: agent_config.AgentConfig, machine: Host, settings: Path) -> bool:
    """After another tick: the server has acknowledged everything that the agent holds."""
    if isinstance(machine, OtherMachine) and machine.time is not None:
        machine.time += 3600.0
    tick(config, machine, ())
    return _waiting(settings) == 0


def _spool(settings: Path) -> sqlite3.Connection:
    return sqlite3.connect(settings.parent / "data" / "spool.db", timeout=10)


def _waiting(settings: Path) -> int:
    with closing(_spool(settings)) as db:
        return int(db.execute("SELECT count(*) FROM envelope WHERE acked_at IS NULL").fetchone()[0])


def _held(settings: Path) -> Stored:
    """Everything the agent's spool holds, acknowledged or not (it keeps both for days)."""
    with closing(_spool(settings)) as db:
        rows = db.execute(
            "SELECT g.spool, e.seq, e.body FROM envelope e JOIN generation g ON g.id = e.generation"
        ).fetchall()
    return Counter((spool, seq, frame.digest(body)) for spool, seq, body in rows)


def _stored(system: System, device: Device) -> Stored:
    j, g = tables.journal.c, tables.generation.c
    query = (
        select(g.spool, j.seq, j.digest)
        .join_from(tables.journal, tables.generation)
        .where(j.device_id == device.id)
    )
    with begin_read(system.engine) as conn:
        return Counter((spool, seq, bytes(digest)) for spool, seq, digest in conn.execute(query))


def _rolled_up(system: System) -> bool:
    """Every dirty bucket of an ended hour is written, and the rules have read the journal to its end."""
    with begin_read(system.engine) as conn:
        newest = conn.scalar(select(tables.journal.c.id).order_by(tables.journal.c.id.desc()).limit(1))
        rules = conn.scalar(select(tables.cursor.c.position).where(tables.cursor.c.name == "rules"))
    return bool(newest == rules)


def _copy_database(system: System, copy: Path) -> None:
    with closing(sqlite3.connect(system.data / "schoolwatch.db")) as db, closing(sqlite3.connect(copy)) as to:
        db.backup(to)


def _restore_database(system: System, copy: Path) -> None:
    """As an operator does it: the server is down, its files are replaced by the copy."""
    system.engine.dispose()
    for leftover in system.data.glob("schoolwatch.db-*"):
        leftover.unlink()
    shutil.copy(copy, system.data / "schoolwatch.db")


def _watch(system: System, device: Device, seen: Counter[tuple[str, int]]) -> mqtt.Client:
    """A second reader with the server's rights, that counts what is published."""

    def count(_client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        header = frame.parse(message.payload).header
        seen[header.spool, header.seq] += 1

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "watcher")
    client.username_pw_set(system.broker.user, system.broker.password)
    client.on_message = count
    client.connect(system.broker.host, system.broker.port)
    client.subscribe(topics.topic(device.device, "report"), 1)
    client.loop_start()
    return client
