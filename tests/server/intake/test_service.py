"""The intake process on real brokers: killed, restarted, shared, and with a database restored from a copy."""

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select, text

from brokers import RunningBroker, environment
from databases import settings_of
from mqtt import Client, wait_for
from reports import Device, World
from schoolwatch_contract import ack as acks
from schoolwatch_contract.topics import topic
from schoolwatch_server import config as configs
from schoolwatch_server.database import counters, journal
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write, epoch, open_database, renew_epoch

START = """
import logging
import sys
from pathlib import Path
from schoolwatch_server.config import load
from schoolwatch_server.intake.service import run
logging.basicConfig(level=logging.INFO)
run(load(Path(sys.argv[1])), worker=sys.argv[2])
"""


class Intake:
    """Intake processes over one world and one broker."""

    def __init__(self, world: World, broker: RunningBroker) -> None:
        self.world, self.broker = world, broker
        self.running: list[subprocess.Popen[bytes]] = []
        secret = world.folder / "broker-password"
        secret.write_text(broker.password)
        mqtt = configs.Mqtt(
            host=broker.host,
            port=broker.port,
            socket=broker.socket,
            user=broker.user,
            password_file=str(secret),
        )
        self.settings = world.folder / "server.toml"
        self.settings.write_text(configs.render(settings_of(world.folder, mqtt=mqtt)))

    def start(self, worker: str = "") -> subprocess.Popen[bytes]:
        with (self.world.folder / "intake.log").open("ab") as log:
            command = [sys.executable, "-c", START, str(self.settings), worker]
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment())
        self.running.append(process)
        return process

    def stop(self) -> None:
        for process in self.running:
            process.kill()
            process.wait(10)
        self.running = []

    def log(self) -> str:
        return (self.world.folder / "intake.log").read_text()

    def stored(self) -> int:
        with begin_read(self.world.engine) as conn:
            return int(conn.scalar(select(func.count()).select_from(t.journal)) or 0)


Make = Callable[[RunningBroker], Intake]


@pytest.fixture
def make(world: World) -> Iterator[Make]:
    made: list[Intake] = []

    def build(broker: RunningBroker) -> Intake:
        made.append(Intake(world, broker))
        return made[-1]

    yield build
    for one in made:
        one.stop()


def publish(client: Client, device: Device, seqs: range, **more: object) -> None:
    send(client, device, [device.frame(seq, at=time.time(), **more) for seq in seqs])


def send(client: Client, device: Device, frames: list[bytes]) -> None:
    for one in [client.paho.publish(device.topic, frame, qos=1) for frame in frames]:
        one.wait_for_publish(20)
        assert one.is_published()


def mark(client: Client, device: Device) -> dict[str, int]:
    """The marks of the newest ack that came."""
    mine = [payload for to, payload in client.got if to == topic(device.device, "ack")]
    return acks.decode(mine[-1]).spools if mine else {}


def heard(client: Client) -> list[acks.Ack]:
    return [acks.decode(payload) for to, payload in client.got if to.endswith("/ack")]


def test_reports_are_committed_then_acknowledged_retained(
    broker: RunningBroker, world: World, make: Make
) -> None:
    device = world.enrol()[0]
    password = broker.add(device.device)
    intake = make(broker)
    intake.start()
    with Client(broker, device.device, password) as client:
        client.paho.subscribe(topic(device.device, "ack"), qos=1)
        wait_for(lambda: _subscribed(intake))
        publish(client, device, range(1, 31))
        wait_for(lambda: mark(client, device) == {"a" * 16: 30})
    assert intake.stored() == 30
    with Client(broker, device.device, password) as later:
        later.paho.subscribe(topic(device.device, "ack"), qos=1)
        wait_for(lambda: mark(later, device) == {"a" * 16: 30})


def _subscribed(intake: Intake) -> bool:
    return "connected to" in (intake.world.folder / "intake.log").read_text()


def test_intake_killed_again_and_again_loses_nothing_and_stores_nothing_twice(
    mosquitto: RunningBroker, world: World, make: Make
) -> None:
    devices = world.enrol(3)
    passwords = {d.device: mosquitto.add(d.device) for d in devices}
    intake = make(mosquitto)
    process = intake.start()
    wait_for(lambda: _subscribed(intake))
    with Client(mosquitto, devices[0].device, passwords[devices[0].device]) as client:
        for turn in range(6):
            publish(client, devices[0], range(turn * 50 + 1, turn * 50 + 51))
            time.sleep(0.02 * turn)
            process.kill()
            process.wait(10)
            process = intake.start()
        wait_for(lambda: intake.stored() >= 300)
    with begin_read(world.engine) as conn:
        seqs = sorted(conn.scalars(select(t.journal.c.seq)))
        upto = conn.scalar(select(t.generation.c.upto))
    assert (seqs, upto) == (list(range(1, 301)), 300)


def test_a_broker_that_dies_is_waited_for(mosquitto: RunningBroker, world: World, make: Make) -> None:
    device = world.enrol()[0]
    password = mosquitto.add(device.device)
    intake = make(mosquitto)
    intake.start()
    wait_for(lambda: _subscribed(intake))
    mosquitto.kill()
    time.sleep(1)
    mosquitto.start()
    with Client(mosquitto, device.device, password) as client:
        client.paho.subscribe(topic(device.device, "ack"), qos=1)
        wait_for(lambda: (world.folder / "intake.log").read_text().count("connected to") == 2)
        publish(client, device, range(1, 4))
        wait_for(lambda: mark(client, device) == {"a" * 16: 3})


def test_a_locked_database_is_waited_for_and_nothing_is_lost(
    mosquitto: RunningBroker, world: World, make: Make
) -> None:
    device = world.enrol()[0]
    password = mosquitto.add(device.device)
    intake = make(mosquitto)
    intake.start()
    wait_for(lambda: _subscribed(intake))
    with Client(mosquitto, device.device, password) as client:
        client.paho.subscribe(topic(device.device, "ack"), qos=1)
        with begin_write(world.engine) as conn:
            conn.execute(t.meta.insert().values(key="held", value="locked"))
            publish(client, device, range(1, 6))
            time.sleep(1)
            assert mark(client, device) == {}, "nothing is acknowledged before it is committed"
        wait_for(lambda: mark(client, device) == {"a" * 16: 5})
    assert intake.stored() == 5


def test_a_database_error_is_followed_by_redelivery(
    mosquitto: RunningBroker, world: World, make: Make
) -> None:
    device = world.enrol()[0]
    password = mosquitto.add(device.device)
    intake = make(mosquitto)
    intake.start()
    wait_for(lambda: _subscribed(intake))
    with begin_write(world.engine) as conn:
        conn.execute(text("ALTER TABLE journal RENAME TO away"))
    with Client(mosquitto, device.device, password) as client:
        client.paho.subscribe(topic(device.device, "ack"), qos=1)
        publish(client, device, range(1, 6))
        wait_for(lambda: "; trying again" in intake.log())
        assert mark(client, device) == {}
        with begin_write(world.engine) as conn:
            conn.execute(text("ALTER TABLE away RENAME TO journal"))
        wait_for(lambda: mark(client, device) == {"a" * 16: 5})
    assert intake.stored() == 5
    with begin_read(world.engine) as conn:
        assert conn.scalar(select(func.count()).select_from(t.quarantine)) == 0


def test_hostile_payloads_are_counted_and_good_reports_between_them_are_all_stored(
    mosquitto: RunningBroker, world: World, make: Make
) -> None:
    device = world.enrol()[0]
    password = mosquitto.add(device.device)
    intake = make(mosquitto)
    process = intake.start()
    wait_for(lambda: _subscribed(intake))
    chance = random.Random(2)
    with Client(mosquitto, device.device, password) as client:
        client.paho.subscribe(topic(device.device, "ack"), qos=1)
        publish(client, device, range(1, 2))
        wait_for(lambda: mark(client, device) == {"a" * 16: 1})
        before = psutil.Process(process.pid).memory_info().rss
        for turn in range(20):
            for n in range(100):
                good = device.frame(turn + 2)
                forged = good[:-1] + bytes([good[-1] ^ 1])
                junk = [chance.randbytes(n * 20), good[: 50 + n % 40], forged, bytes(200_000)]
                client.paho.publish(device.topic, junk[n % 4], qos=1)
            publish(client, device, range(turn + 2, turn + 3))
        wait_for(lambda: mark(client, device) == {"a" * 16: 21}, 60)
        grown = psutil.Process(process.pid).memory_info().rss - before
    with begin_read(world.engine) as conn:
        found = counters.read(conn)
    assert found["committed", ""] == 21
    assert sum(n for (name, _), n in found.items() if name == "quarantined") == 2000
    assert found["quarantined", "hmac"] >= 500
    assert grown < 60e6, "the 500 payloads of 200 kB alone are 100 MB"


def test_two_workers_share_the_reports(mosquitto: RunningBroker, world: World, make: Make) -> None:
    devices = world.enrol(4)
    password = mosquitto.add(devices[0].device)
    intake = make(mosquitto)
    intake.start("one")
    intake.start("two")
    wait_for(lambda: (world.folder / "intake.log").read_text().count("connected to") == 2)
    with Client(mosquitto, devices[0].device, password) as client:
        client.paho.subscribe(topic(devices[0].device, "ack"), qos=1)
        publish(client, devices[0], range(1, 401))
        wait_for(lambda: mark(client, devices[0]) == {"a" * 16: 400})
    assert intake.stored() == 400
    with begin_read(world.engine) as conn:
        assert counters.read(conn)["received", ""] == 400


@pytest.mark.database("sqlite")  # its file is put back under the server
def test_a_database_restored_from_a_copy_begins_a_new_epoch_and_tells_the_devices(
    broker: RunningBroker, world: World, make: Make
) -> None:
    device = world.enrol()[0]
    password = broker.add(device.device)
    intake = make(broker)
    process = intake.start()
    wait_for(lambda: _subscribed(intake))
    file = world.folder / "schoolwatch.db"
    with Client(broker, device.device, password) as client:
        client.paho.subscribe(topic(device.device, "ack"), qos=1)
        publish(client, device, range(1, 11))
        wait_for(lambda: mark(client, device) == {"a" * 16: 10})
        with begin_read(world.engine) as conn:
            before = epoch(conn)
        _copy(file, world.folder / "copy.db")
        later = [device.frame(seq, at=time.time()) for seq in range(11, 21)]
        send(client, device, later)
        wait_for(lambda: mark(client, device) == {"a" * 16: 20})
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        world.engine.dispose()
        for name in ("schoolwatch.db-wal", "schoolwatch.db-shm"):
            (world.folder / name).unlink(missing_ok=True)
        shutil.copy(world.folder / "copy.db", file)
        intake.start()
        wait_for(lambda: any(ack.epoch != before for ack in heard(client)))
        newest = next(ack for ack in heard(client) if ack.epoch != before)
        assert newest.spools == {"a" * 16: 10}
        send(client, device, later)  # some may be there: what the broker had not seen acknowledged came again
        wait_for(lambda: mark(client, device) == {"a" * 16: 20})
    engine = open_database(world.url, world.folder)
    with begin_read(engine) as conn:
        assert epoch(conn) == newest.epoch
        assert conn.scalar(select(func.count()).select_from(t.journal)) == 20
    engine.dispose()
    log = (world.folder / "intake.log").read_text()
    assert "knows less than was acknowledged" in log


def _copy(source: Path, target: Path) -> None:
    """A copy of a database in use, as a backup makes it."""
    with sqlite3.connect(source) as used, sqlite3.connect(target) as copy:
        used.backup(copy)
    used.close()
    copy.close()


def test_an_epoch_renewed_by_hand_is_told_to_the_devices(
    mosquitto: RunningBroker, world: World, make: Make
) -> None:
    device = world.enrol()[0]
    password = mosquitto.add(device.device)
    intake = make(mosquitto)
    process = intake.start()
    wait_for(lambda: _subscribed(intake))
    with Client(mosquitto, device.device, password) as client:
        client.paho.subscribe(topic(device.device, "ack"), qos=1)
        publish(client, device, range(1, 3))
        wait_for(lambda: mark(client, device) == {"a" * 16: 2})
        process.kill()
        process.wait(10)
        new = renew_epoch(world.engine)
        intake.start()
        wait_for(lambda: acks.decode(client.got[-1][1]).epoch == new)
        assert mark(client, device) == {"a" * 16: 2}


def test_a_restart_without_a_restore_keeps_the_epoch(broker: RunningBroker, world: World, make: Make) -> None:
    device = world.enrol()[0]
    password = broker.add(device.device)
    intake = make(broker)
    with begin_read(world.engine) as conn:
        before = epoch(conn)
    with Client(broker, device.device, password) as client:
        client.paho.subscribe(topic(device.device, "ack"), qos=1)
        for turn in range(3):
            process = intake.start()
            wait_for(lambda n=turn: (world.folder / "intake.log").read_text().count("connected to") == n + 1)
            publish(client, device, range(turn + 1, turn + 2))
            wait_for(lambda n=turn: mark(client, device) == {"a" * 16: n + 1})
            process.kill()
            process.wait(10)
    with begin_read(world.engine) as conn:
        assert epoch(conn) == before
        assert [row.id for row in journal.rows_after(conn, 0, 9)] == [1, 2, 3]


def test_a_report_that_waited_for_intake_does_not_seem_to_come_from_a_slow_clock(
    mosquitto: RunningBroker, world: World, make: Make
) -> None:
    device = world.enrol()[0]
    password = mosquitto.add(device.device)
    intake = make(mosquitto)
    process = intake.start()
    wait_for(lambda: _subscribed(intake))
    with Client(mosquitto, device.device, password) as client:
        publish(client, device, range(1, 2))
        wait_for(lambda: intake.stored() == 1)
        process.kill()
        process.wait(10)
        publish(client, device, range(1, 2), spool="b" * 16)
        time.sleep(4)
        intake.start()
        wait_for(lambda: intake.stored() == 2)
    with begin_read(world.engine) as conn:
        first, second = conn.scalars(select(t.generation.c.clock_offset).order_by(t.generation.c.id))
        taken = list(conn.scalars(select(t.journal.c.taken_at).order_by(t.journal.c.id)))
        received = list(conn.scalars(select(t.journal.c.received_at).order_by(t.journal.c.id)))
    assert second == first
    assert received[1] - taken[1] >= 3
