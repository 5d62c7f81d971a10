"""100,000 hostile payloads through a real broker: each counted with its reason, good reports all stored."""

import collections
import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import psutil
import pytest
from sqlalchemy import select

from brokers import RunningBroker
from end_to_end.hostile import Attacker
from end_to_end.system import Device, System, eventually
from schoolwatch_contract import envelope, frame, topics
from schoolwatch_contract.records import Envelope, Reading
from schoolwatch_server.database import tables
from schoolwatch_server.database.engine import begin_read

HOSTILE = int(os.environ.get("SCHOOLWATCH_HOSTILE", "100000"))
GOOD_EVERY = 500
GROWTH_MAX = 96 * 2**20
"""Bytes that intake may grow by: its bounded queue of frames and the database's caches."""


@pytest.fixture
def system(mosquitto: RunningBroker, tmp_path: Path) -> Iterator[System]:
    system = System(tmp_path / "data", mosquitto, retention={"quarantine_rows": 2000})
    yield system
    system.stop()


class Publisher:
    """A device's connection that never has more than 500 messages in flight."""

    def __init__(self, broker: RunningBroker, device: Device) -> None:
        self.topic = topics.topic(device.device, "report")
        self._room = threading.Semaphore(500)
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, device.device)
        self.client.username_pw_set(device.device, device.password)
        self.client.max_inflight_messages_set(500)
        self.client.on_publish = lambda *_: self._room.release()
        self.client.connect(broker.host, broker.port)
        self.client.loop_start()

    def publish(self, payload: bytes) -> None:
        assert self._room.acquire(timeout=60), "the broker takes no more"
        self.client.publish(self.topic, payload, qos=1)

    def end(self) -> None:
        for _ in range(500):
            assert self._room.acquire(timeout=60), "the broker did not take all"
        self.client.disconnect()
        self.client.loop_stop()


@pytest.mark.timeout(1200)
def test_hostile_payloads_are_counted_and_good_reports_stored(system: System) -> None:
    attacker, victim = system.device(), system.device()
    system.start_intake()
    hostile = Attacker(attacker, victim, seed=20261123, now=time.time())
    bad, good = Publisher(system.broker, attacker), Publisher(system.broker, victim)
    spool = os.urandom(8).hex()
    expected: collections.Counter[str] = collections.Counter()
    sent = 0
    before = 0
    kinds = hostile.kinds()
    for number in range(HOSTILE):
        reason, payload = kinds[number % len(kinds)]()
        expected[reason] += 1
        bad.publish(payload)
        if number % GOOD_EVERY == 0:
            sent += 1
            good.publish(_report(victim, spool, sent))
        if number == HOSTILE // 10:
            before = psutil.Process(system.parts["intake"].pid).memory_info().rss
    bad.end()
    good.end()
    eventually(lambda: sum(_quarantined(system).values()) >= HOSTILE, 300, lambda: str(_quarantined(system)))
    eventually(lambda: system.journal_count() == sent, 60, "not every good report was stored")

    assert _quarantined(system) == dict(expected)
    assert _stored(system, victim) == list(range(1, sent + 1))
    intake = psutil.Process(system.parts["intake"].pid)
    assert system.parts["intake"].poll() is None
    assert intake.memory_info().rss - before < GROWTH_MAX
    with begin_read(system.engine) as conn:
        rows = conn.execute(select(tables.quarantine.c.id)).all()
    assert 0 < len(rows) <= 2000 * 1.5
    assert "Traceback" not in system.log("intake")


def test_ten_megabytes_are_refused_by_the_broker_and_others_go_on(system: System) -> None:
    attacker, victim = system.device(), system.device()
    system.start_intake()
    memory = psutil.Process(system.broker.pid).memory_info().rss
    for _ in range(20):
        _send_raw(system.broker, attacker, 10 * 2**20)
    good = Publisher(system.broker, victim)
    spool = os.urandom(8).hex()
    for seq in range(1, 11):
        good.publish(_report(victim, spool, seq))
    good.end()
    eventually(lambda: system.journal_count() == 10, 60, "good reports were not stored")
    assert psutil.Process(system.broker.pid).memory_info().rss - memory < 16 * 2**20
    assert _quarantined(system) == {}


def _send_raw(broker: RunningBroker, device: Device, size: int) -> None:
    """A PUBLISH of `size` bytes, pushed into the socket until the broker closes it."""
    closed = threading.Event()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, device.device)
    client.username_pw_set(device.device, device.password)
    client.on_disconnect = lambda *_: closed.set()
    client.connect(broker.host, broker.port)
    client.loop_start()
    with contextlib.suppress(OSError, socket.error):
        client.publish(topics.topic(device.device, "report"), b"\x01" * size, qos=1)
    assert closed.wait(20), "the broker took 10 MB"
    client.loop_stop()


def _report(device: Device, spool: str, seq: int) -> bytes:
    now = time.time()
    body = envelope.encode(Envelope(1, now, "0.1.0", (Reading("uptime.seconds", float(seq)),)))
    return frame.seal(frame.Header(device.device, spool, seq, 1, now), body, device.key)


def _quarantined(system: System) -> dict[str, int]:
    return {label: value for (name, label), value in system.counters().items() if name == "quarantined"}


def _stored(system: System, device: Device) -> list[int]:
    j = tables.journal.c
    with begin_read(system.engine) as conn:
        return list(conn.scalars(select(j.seq).where(j.device_id == device.id).order_by(j.seq)))
