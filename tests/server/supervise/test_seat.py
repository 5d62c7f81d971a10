"""What reaches a broker before intake has ever been there waits for intake, and is not dropped."""

import tempfile
from pathlib import Path

import pytest

from brokers import RunningBroker
from databases import settings_of
from mqtt import Client
from schoolwatch_contract.topics import REPORTS, topic
from schoolwatch_server import config as configs
from schoolwatch_server.intake.mqtt import Login, Session, session_id
from schoolwatch_server.supervise import seat

DEVICE = "a" * 32


def _login(broker: RunningBroker) -> Login:
    return Login(broker.host, broker.port, broker.user, broker.password, socket=broker.socket)


def _keep(broker: RunningBroker, folder: Path) -> None:
    """As `up` does before it starts this broker."""
    secret = folder / "broker-password"
    secret.write_text(broker.password)
    mqtt = configs.Mqtt(host=broker.host, port=broker.port, user=broker.user, password_file=str(secret))
    seat.keep(settings_of(broker.folder.parent, mqtt=mqtt), broker.program)


def _send(broker: RunningBroker, password: str, *payloads: bytes) -> None:
    """A device that believes the broker's acknowledgement."""
    with Client(broker, DEVICE, password) as device:
        assert all(device.publish(topic(DEVICE, "report"), one) for one in payloads)


def _taken(broker: RunningBroker) -> list[bytes]:
    """What intake is given at its first connection; all of it is acknowledged."""
    session = Session(_login(broker), session_id(_login(broker)))
    session.subscribe(REPORTS)
    while session.read(1.0):
        pass
    got, session.waiting = session.waiting, []
    session.done(got)
    session.flush(5.0)
    session.close()
    return [one.payload for one in got]


def test_what_comes_before_intakes_first_start_waits_for_it(broker: RunningBroker, tmp_path: Path) -> None:
    password = broker.add(DEVICE)
    broker.stop()
    broker.forget()
    _keep(broker, tmp_path)
    broker.start()
    _send(broker, password, b"1", b"2")
    assert _taken(broker) == [b"1", b"2"]
    _send(broker, password, b"3")
    assert _taken(broker) == [b"3"], "from now on it is the session that intake has had"


def test_a_broker_alone_drops_what_nobody_has_asked_for_yet(broker: RunningBroker) -> None:
    """Why the seat is kept: both brokers acknowledge it, and nobody is ever given it."""
    _send(broker, broker.add(DEVICE), b"1")
    assert _taken(broker) == []


def test_a_computer_let_in_before_intakes_first_start_is_heard_too(
    broker: RunningBroker, tmp_path: Path
) -> None:
    broker.stop()
    broker.forget()
    _keep(broker, tmp_path)
    broker.start()
    assert seat.take(_login(broker))
    _send(broker, broker.add(DEVICE), b"1")  # the broker reads its accounts again
    assert _taken(broker) == [b"1"]


def test_a_broker_killed_at_once_still_has_the_seat(broker: RunningBroker, tmp_path: Path) -> None:
    password = broker.add(DEVICE)
    broker.stop()
    broker.forget()
    _keep(broker, tmp_path)
    for number in range(2):
        broker.start()
        _send(broker, password, str(number).encode())
        broker.kill()
    broker.start()
    _send(broker, password, b"last")
    assert _taken(broker) == [b"last"], "what it had acknowledged died with it; agents send that again"


def test_a_memory_that_is_there_is_left_as_it_is(mosquitto: RunningBroker, tmp_path: Path) -> None:
    _taken(mosquitto)
    _send(mosquitto, mosquitto.add(DEVICE), b"waits")
    mosquitto.stop()
    before = (mosquitto.folder / seat.MEMORY).read_bytes()
    _keep(mosquitto, tmp_path)
    assert (mosquitto.folder / seat.MEMORY).read_bytes() == before


def test_a_program_that_is_no_broker_is_said_and_holds_nothing_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seat.take, "__defaults__", (0.2,))
    program = tmp_path / "mosquitto"
    program.write_text("#!/bin/sh\necho no such library\nexit 1\n")
    program.chmod(0o700)
    assert seat.first_memory(program, Login("127.0.0.1", 9, "server", "secret"), 1 << 20) is None
    assert "without intake's session" in caplog.text
    for elsewhere in (tmp_path / ("long" * 30), tmp_path / "not there"):
        if "long" in elsewhere.name:
            elsewhere.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
        caplog.clear()
        assert seat.first_memory(program, Login("127.0.0.1", 9, "server", "secret"), 1 << 20) is None
        assert "without intake's session" in caplog.text
