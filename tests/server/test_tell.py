"""Devices are told their settings, retained, once each change, whatever broker and whatever is lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import event

from brokers import RunningBroker
from databases import settings_of
from mqtt import wait_for
from reports import NOW, World
from schoolwatch_contract.settings import Settings, decode
from schoolwatch_contract.topics import ROOT, parse
from schoolwatch_server import tell
from schoolwatch_server.config import Mqtt, ServerConfig
from schoolwatch_server.database import registry, told
from schoolwatch_server.database.engine import begin_read, begin_write, renew_epoch
from schoolwatch_server.targets import Bandwidth, Quality
from schoolwatch_server.tell import Teller

NOBODY = "f" * 32
"""Its settings are said by these tests alone."""

OF_NONE = ("0" * 32, NOBODY)
"""What the teller keeps at the broker for itself, and what we say."""


def config_of(world: World, broker: RunningBroker, **sections: Any) -> ServerConfig:
    (world.folder / "password").write_text(broker.password, encoding="utf-8")
    at = Mqtt(
        host=broker.host, port=broker.port, socket=broker.socket, password_file=str(world.folder / "password")
    )
    return settings_of(world.folder, mqtt=at, **sections)


@dataclass
class Heard:
    """What the broker hands to whoever may read all settings, live and retained."""

    client: mqtt.Client
    messages: list[tuple[str, bytes, bool]] = field(default_factory=list)

    def catch_up(self) -> None:
        """Until all has come that the broker had when this was asked: it keeps the order."""
        mark = f"{len(self.messages)}".encode()
        self.client.publish(f"{ROOT}/{NOBODY}/settings", mark, qos=1)
        wait_for(lambda: (NOBODY, mark, False) in self.messages)

    def live(self) -> list[tuple[str, bytes]]:
        """Device → settings as they were told, in order."""
        self.catch_up()
        return [(device, text) for device, text, kept in self.messages if not kept and device not in OF_NONE]

    def settings(self) -> dict[str, Settings]:
        """Device → settings, the newest; a device that was taken back is left out."""
        newest = {device: text for device, text, _ in self.messages if device not in OF_NONE}
        return {device: decode(text) for device, text in newest.items() if text}


@contextmanager
def listening(broker: RunningBroker) -> Iterator[Heard]:
    client, ready = mqtt.Client(CallbackAPIVersion.VERSION2), threading.Event()
    heard = Heard(client)
    client.username_pw_set(broker.user, broker.password)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = lambda _client, _data, m: heard.messages.append(
        (parse(m.topic)[0], bytes(m.payload), m.retain)
    )
    client.connect(broker.host, broker.port)
    client.subscribe(f"{ROOT}/+/settings", qos=1)
    client.loop_start()
    assert ready.wait(60)
    try:
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()


def retained(broker: RunningBroker) -> dict[str, Settings]:
    with listening(broker) as heard:
        heard.catch_up()
    return heard.settings()


def tell_all(teller: Teller) -> int:
    count = 0
    while more := teller.step():
        count += more
    return count


def test_each_device_is_told_by_its_room_and_told_again_when_that_changes(
    world: World, broker: RunningBroker
) -> None:
    lab, staff, unplaced = world.enrol(3)
    with begin_write(world.engine) as conn:
        rooms = {role: registry.create_room(conn, world.school, role, role) for role in registry.ROLES}
        registry.move_device(conn, lab.id, world.school, rooms["student_lab"], NOW)
        registry.move_device(conn, staff.id, world.school, rooms["office"], NOW)
    teller = Teller(config_of(world, broker, quality=Quality(("192.0.2.7",))), world.engine)
    assert tell_all(teller) == 3
    told_now = retained(broker)
    assert {d for d, s in told_now.items() if s.measures_use} == {lab.device}
    assert set(told_now) == {lab.device, staff.device, unplaced.device}
    assert all(s.quality.hosts == ("192.0.2.7",) for s in told_now.values())

    with listening(broker) as heard:
        assert tell_all(teller) == 0, "nothing has changed"
        with begin_write(world.engine) as conn:
            registry.change_room(conn, world.school, rooms["office"], "classroom")
            registry.set_device(conn, lab.id, label="other", role=None, broken=True)
        assert tell_all(teller) == 2
        live = heard.live()
    assert [device for device, _ in live] == [staff.device], "what is the same is not said again"
    assert decode(live[0][1]).measures_use

    with begin_write(world.engine) as conn:
        registry.move_device(conn, unplaced.id, world.school, rooms["student_lab"], NOW)
    assert tell_all(teller) == 1
    assert retained(broker)[unplaced.device].measures_use, "it was told that it stands in a lab now"

    with begin_write(world.engine) as conn:
        registry.retire_device(conn, lab.id, NOW)
    tell_all(teller)
    assert lab.device not in retained(broker)


def test_the_one_that_tests_the_line_is_told_so_and_loses_it_when_it_leaves(
    world: World, mosquitto: RunningBroker
) -> None:
    first, second = world.enrol(2)
    teller = Teller(config_of(world, mosquitto, bandwidth=Bandwidth("https://so.example/")), world.engine)

    def testers() -> set[str]:
        tell_all(teller)
        return {device for device, said in retained(mosquitto).items() if said.bandwidth.url}

    assert testers() == set(), "nobody was chosen"
    for chosen in (first, second):
        with begin_write(world.engine) as conn:
            told.set_line_tester(conn, world.school, chosen.id)
        assert testers() == {chosen.device}
    with begin_write(world.engine) as conn:
        commune = registry.schools(conn, registry.EVERYTHING)[0].commune_id
        other = registry.create_school(conn, commune, "S2", "Trường 2", "THCS", NOW)
        registry.move_device(conn, second.id, other, None, NOW)
    assert testers() == set()


def test_other_targets_reach_everybody_and_a_restart_nobody(world: World, mosquitto: RunningBroker) -> None:
    world.enrol(4)
    config = config_of(world, mosquitto)
    assert tell_all(Teller(config, world.engine)) == 4
    with listening(mosquitto) as heard:
        assert tell_all(Teller(config, world.engine)) == 0
        heard.catch_up()
        assert not [1 for device, _, kept in heard.messages if not kept and device != NOBODY]
    changed = msgspec.structs.replace(config, quality=Quality(("host.example",)))
    assert tell_all(Teller(changed, world.engine)) == 4
    assert {s.quality.hosts for s in retained(mosquitto).values()} == {("host.example",)}


def test_what_a_broker_forgot_is_told_again(world: World, mosquitto: RunningBroker) -> None:
    devices = world.enrol(3)
    config = config_of(world, mosquitto)
    tell_all(Teller(config, world.engine))
    mosquitto.stop()
    mosquitto.forget()
    mosquitto.start()
    assert retained(mosquitto) == {}
    assert tell_all(Teller(config, world.engine)) == 3
    assert set(retained(mosquitto)) == {d.device for d in devices}


def test_a_restored_database_tells_everybody_again(world: World, mosquitto: RunningBroker) -> None:
    world.enrol(2)
    config = config_of(world, mosquitto)
    tell_all(Teller(config, world.engine))
    renew_epoch(world.engine)
    assert tell_all(Teller(config, world.engine)) == 2
    assert tell_all(Teller(config, world.engine)) == 0


def test_what_changes_while_it_is_told_stays_due(world: World) -> None:
    (device,) = world.enrol()
    with begin_write(world.engine) as conn:
        (row,) = told.due(conn, 10)
        told.mark(conn, [device.id])
        told.told(conn, [(row, "digest")])
        (again,) = told.due(conn, 10)
        assert again.due > row.due
        told.told(conn, [(again, "digest")])
        assert told.due(conn, 10) == ()


def test_a_broker_that_does_not_let_the_server_read_is_said_and_asked_no_more(
    world: World, mosquitto: RunningBroker, caplog: pytest.LogCaptureFixture
) -> None:
    world.enrol(2)
    acl = mosquitto.folder / "acl"
    kept = acl.read_text().replace(f"topic read {ROOT}/+/settings\n", "")
    assert kept != acl.read_text()
    acl.write_text(kept)
    mosquitto._reload()
    teller = Teller(config_of(world, mosquitto), world.engine)
    assert tell_all(teller) == 2
    assert "does not let the server read" in caplog.text
    with begin_write(world.engine) as conn:
        told.mark_all(conn)
    assert tell_all(teller) == 2


def test_a_broker_that_is_away_is_said_once(
    world: World, mosquitto: RunningBroker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tell, "TRY_EVERY", 0.05)
    world.enrol(1)
    mosquitto.stop()
    stop, leading, tries = threading.Event(), threading.Event(), list[Teller]()
    leading.set()
    teller = Teller(config_of(world, mosquitto), world.engine)
    step = Teller.step
    monkeypatch.setattr(Teller, "step", lambda each: (tries.append(each), step(each))[1])
    thread = threading.Thread(target=tell.run, args=(teller, stop, leading))
    thread.start()
    try:
        wait_for(lambda: len(tries) > 3)
        assert caplog.text.count("settings wait to be told") == 1
        mosquitto.start()
        wait_for(lambda: retained(mosquitto))
    finally:
        stop.set()
        thread.join()


@pytest.mark.database("sqlite")  # its words of a plan; both have the index
def test_a_look_for_who_is_due_goes_by_the_index_of_those(world: World) -> None:
    """So that a province of 75,000 devices that know everything costs nothing."""
    asked: list[tuple[str, Any]] = []
    listening_to = (world.engine, "before_cursor_execute")
    note = lambda _conn, _cursor, sql, parameters, *_: asked.append((sql, parameters))  # noqa: E731
    event.listen(*listening_to, note)
    with begin_read(world.engine) as conn:
        assert told.due(conn, 500) == ()
        event.remove(*listening_to, note)
        (query,) = [each for each in asked if "device_settings" in each[0]]
        plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {query[0]}", query[1]).all()
    assert any("ix_device_settings_due" in row.detail for row in plan), plan
