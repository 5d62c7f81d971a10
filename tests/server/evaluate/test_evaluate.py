"""The evaluating process as it runs: alone, twice at once, killed again and again, and with broken files."""

import dataclasses
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import exc, func, select

from alertmanager import Answering
from databases import settings_of
from reports import FINE, NONE, NOW, Device, World, known_fine
from schoolwatch_server import evaluate, incidents, rule_versions, rules, sheets
from schoolwatch_server.config import Evaluation, Notify, ServerConfig
from schoolwatch_server.database import declarations, journal, judged, lease
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.duty import fold
from schoolwatch_server.guard import Guard
from schoolwatch_server.indicators.current import MEASUREMENT
from schoolwatch_server.intake.batch import take
from schoolwatch_server.rules.load import SHIPPED
from schoolwatch_server.strict_yaml import SheetError
from webhook import Webhook, eventually

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
def config(world: World, webhook: Webhook) -> ServerConfig:
    urls = world.folder / "urls"
    urls.write_text(webhook.url + "\n", encoding="utf-8")
    urls.chmod(0o600)
    return settings_of(world.folder, evaluation=Evaluation(every=0.2), notify=Notify(urls_file=str(urls)))


@contextmanager
def running(config: ServerConfig) -> Iterator[None]:
    stop = threading.Event()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            evaluate.run(config, stop)
        except BaseException as error:  # noqa: BLE001  shown by the test
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()
    assert failed == []


def report(world: World, device: Device, seq: int, minute: float, readings: tuple) -> None:
    take(world.engine, [device.message(seq, at=NOW + minute * 60, readings=readings)], Rules())


def count(world: World, column, *conditions) -> int:
    with begin_read(world.engine) as conn:
        return conn.scalar(select(func.count(column)).where(*conditions)) or 0


def read_all(world: World) -> bool:
    with begin_read(world.engine) as conn:
        # the reports are of 2026-09: once read, retention may forget them
        return not journal.rows_after(conn, journal.position(conn, incidents.CURSOR), 1)


def test_an_incident_opens_is_sent_closes_and_is_sent_again(
    world: World, config: ServerConfig, webhook: Webhook
) -> None:
    (device,) = known_fine(world)
    with running(config):
        report(world, device, 1, 0, NONE)
        report(world, device, 2, 10, NONE)
        assert eventually(lambda: len(webhook.of_incidents) == 1)
        report(world, device, 3, 15, FINE)
        assert eventually(lambda: len(webhook.of_incidents) == 2)
    assert [said["title"].split(":")[0] for said in webhook.of_incidents] == [
        "[SchoolWatch] Sự cố mới mức cao",
        "[SchoolWatch] Đã khắc phục",
    ]
    assert count(world, t.notification.c.id, t.notification.c.sent_at.is_not(None)) == 2


def test_an_alertmanager_that_hangs_holds_up_no_message_and_gets_none(
    world: World, config: ServerConfig, webhook: Webhook
) -> None:
    (device,) = known_fine(world)
    hanging = Answering(200, seconds=4)
    try:
        with (world.folder / "urls").open("a", encoding="utf-8") as file:
            file.write(hanging.address + "\n")
        with running(config):
            assert eventually(lambda: hanging.asked > 0), "nothing is open: it is asked whether it is there"
            report(world, device, 1, 0, NONE)
            report(world, device, 2, 10, NONE)
            assert eventually(lambda: len(webhook.of_incidents) == 1)
            assert eventually(lambda: hanging.alerts > 0)
    finally:
        hanging.close()
    assert count(world, t.notification.c.id, t.notification.c.channel.like("alertmanager%")) == 0


def test_a_reminder_that_a_channel_does_not_take_holds_up_no_incident(
    world: World, config: ServerConfig, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    (device,) = known_fine(world)
    asked, over = threading.Event(), threading.Event()

    def unanswered(*_: object) -> bool:
        asked.set()
        over.wait(90)
        return False

    monkeypatch.setattr(evaluate.reminders, "send_next", unanswered)
    with running(config):
        try:
            assert asked.wait(30)
            report(world, device, 1, 0, NONE)
            report(world, device, 2, 10, NONE)
            assert eventually(lambda: len(webhook.of_incidents) == 1)
        finally:
            over.set()


def test_a_rule_that_is_switched_off_while_it_runs_opens_nothing_more(
    world: World, config: ServerConfig
) -> None:
    first, second = known_fine(world, 2)
    text = (SHIPPED / "antivirus_off.yaml").read_text(encoding="utf-8") + "enabled: false\n"
    with running(config):
        for minute in (0, 10):
            report(world, first, minute + 1, minute, NONE)
        assert eventually(lambda: count(world, t.incident.c.id, t.incident.c.closed_at.is_(None)) == 1)
        later = NOW + 1200
        rule_versions.save(
            world.engine, world.folder / "rules", [], text, None, base=1000, reason="thử", by="so", now=later
        )
        withdrawn = t.incident_event.c.kind == "withdrawn"
        assert eventually(lambda: count(world, t.incident_event.c.id, withdrawn) == 1)
        for minute in (30, 45):
            report(world, second, minute, minute, NONE)
        assert eventually(lambda: read_all(world))
    assert count(world, t.incident.c.id) == 1
    assert count(world, t.incident.c.id, t.incident.c.closed_at.is_(None)) == 0


def test_indicators_are_written_back_while_it_runs(world: World, config: ServerConfig) -> None:
    (device,) = world.enrol()
    report(world, device, 1, 0, FINE)
    with begin_write(world.engine) as conn:
        declarations.declare(conn, world.school, "devices", 1, NOW, "test")

    def written() -> list:
        tags = {"indicator": "antivirus_coverage", "level": "school"}
        with begin_read(world.engine) as conn:
            return list(judged.latest(conn, MEASUREMENT, tags))

    with running(config):
        assert eventually(lambda: bool(written()))
    (point,) = written()
    assert point.at % config.evaluation.indicators_every == 0
    assert point.pack == "security@1"
    assert point.tags["school"] == str(world.school)


def test_it_says_that_it_is_alive_though_nothing_comes(world: World, config: ServerConfig) -> None:
    def moved() -> float:
        with begin_read(world.engine) as conn:
            return conn.scalar(select(t.cursor.c.moved_at).where(t.cursor.c.name == incidents.CURSOR)) or 0

    with running(config):
        assert eventually(lambda: moved() > 0)
        first = moved()
        assert eventually(lambda: moved() > first)


def test_two_at_once_do_the_work_once(
    world: World, config: ServerConfig, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold, "BURST", 1000)  # this many at once would be one message
    devices = known_fine(world, 20)
    with running(config), running(config):
        for minute in (0, 10, 15):
            for device in devices:
                report(world, device, minute + 1, minute, FINE if minute == 15 else NONE)
        assert eventually(lambda: len(webhook.of_incidents) == 40)
        assert eventually(lambda: read_all(world))
    assert count(world, t.incident.c.id) == 20
    assert count(world, t.notification.c.id) == 40
    assert len(webhook.of_incidents) == 40


def test_the_next_one_takes_over_at_once_when_the_first_stops(
    world: World, config: ServerConfig, webhook: Webhook
) -> None:
    (device,) = known_fine(world)
    with running(config):
        report(world, device, 1, 0, NONE)
        assert eventually(lambda: read_all(world))
    with running(config):
        report(world, device, 2, 10, NONE)
        assert eventually(lambda: len(webhook.of_incidents) == 1, evaluate.LEASE_SECONDS / 2)


def test_a_lease_is_held_by_one(world: World) -> None:
    with begin_write(world.engine) as conn:
        assert lease.hold(conn, "x", "a", 100.0, 10.0)
        assert not lease.hold(conn, "x", "b", 105.0, 10.0)
        assert lease.hold(conn, "x", "a", 108.0, 10.0)
        assert not lease.hold(conn, "x", "b", 117.0, 10.0)
        assert lease.hold(conn, "x", "b", 119.0, 10.0)
        lease.release(conn, "x", "a")
        assert not lease.hold(conn, "x", "a", 120.0, 10.0)
        lease.release(conn, "x", "b")
        assert lease.hold(conn, "x", "a", 120.0, 10.0)
        assert lease.hold(conn, "x", "b", 50.0, 10.0)  # the clock was set back


def test_a_locked_database_is_waited_for(world: World, config: ServerConfig, webhook: Webhook) -> None:
    (device,) = known_fine(world)
    report(world, device, 1, 0, NONE)
    report(world, device, 2, 10, NONE)
    path = world.folder / "schoolwatch.db"
    locker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    locker.execute("BEGIN IMMEDIATE")
    unlock = threading.Timer(2, lambda: locker.execute("ROLLBACK"))
    unlock.start()
    try:
        with running(config):
            assert eventually(lambda: len(webhook.of_incidents) == 1)
    finally:
        unlock.join()
        locker.close()


def test_a_database_that_fails_is_said_once_and_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    guard = Guard("rules")

    def fails() -> int:
        raise exc.OperationalError("SELECT", {}, Exception("database is locked"))

    assert [guard.attempt(fails), guard.attempt(fails), guard.attempt(lambda: 3)] == [None, None, 3]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_a_broken_override_stops_it_at_start_and_names_the_file(world: World, config: ServerConfig) -> None:
    folder = world.folder / "rules"
    folder.mkdir()
    (folder / "mine.yaml").write_text("id: mine\n", encoding="utf-8")
    with pytest.raises(SheetError, match=r"mine\.yaml"):
        evaluate.run(config, threading.Event())


def test_an_override_counts_as_soon_as_it_is_written(world: World, config: ServerConfig) -> None:
    folder = world.folder / "rules"
    folder.mkdir()
    held = sheets.rules_in_force(config)

    def waits() -> list[float]:
        held.look()
        return [rule.open_after for rule in held.now().at(NOW) if rule.id == "antivirus_off"]

    assert waits() == [600]
    text = (SHIPPED / "antivirus_off.yaml").read_text(encoding="utf-8")
    quick = text.replace("version: 1", "version: 2").replace("open_after: 600", "open_after: 5")
    (folder / "quick.yaml").write_text(quick, encoding="utf-8")
    assert waits() == [5]
    (folder / "quick.yaml").write_text(quick + "colour: red\n", encoding="utf-8")
    assert waits() == [5]
    (folder / "quick.yaml").unlink()
    assert waits() == [600]
    assert held.now().at(NOW) == rules.load()


def test_a_version_that_came_while_the_database_went_away_is_read_when_it_is_back(
    world: World, config: ServerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = sheets.rules_in_force(config, world.engine)
    text = (
        (SHIPPED / "antivirus_off.yaml")
        .read_text(encoding="utf-8")
        .replace("open_after: 600", "open_after: 5")
    )
    since = (
        rule_versions.save(
            world.engine, world.folder / "rules", (), text, None, base=1000, reason="thử", by="sở", now=NOW
        ).since
        or 0.0
    )

    def away(_: object) -> tuple[rules.Stored, ...]:
        raise exc.OperationalError("", None, sqlite3.OperationalError("database is locked"))

    with monkeypatch.context() as broken:
        broken.setattr(held, "_kept", dataclasses.replace(held._kept, stored=away))
        with pytest.raises(exc.OperationalError):
            held.look()
    held.look()
    assert [rule.open_after for rule in held.now().at(since) if rule.id == "antivirus_off"] == [5]


def test_sigterm_ends_it(world: World) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "schoolwatch_server", "evaluate", "--data", str(world.folder)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None
    assert "evaluating" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.stderr.close()
