"""What the server told the device is kept, and never in the way of measuring."""

import threading
from pathlib import Path

import pytest

import station
from schoolwatch_agent import settings
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Probe
from schoolwatch_agent.resident import Resident
from schoolwatch_agent.tick import open_spool, tick
from schoolwatch_contract.settings import DEFAULTS, Quality, Settings, encode
from station import Clocked, SmallServer, counting, enrol


def test_what_was_said_is_read_in_the_next_cycle(tmp_path: Path) -> None:
    assert settings.read(tmp_path) == DEFAULTS
    assert settings.keep(tmp_path, encode(Settings(measures_use=True)))
    assert settings.read(tmp_path).measures_use
    assert not settings.keep(tmp_path, encode(Settings(measures_use=True))), "it is not news"


def test_nonsense_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings.keep(tmp_path, encode(Settings(measures_use=True)))
    assert not settings.keep(tmp_path, b"{")
    assert "ignored" in caplog.text
    assert settings.read(tmp_path).measures_use


def test_a_damaged_file_is_as_none(tmp_path: Path) -> None:
    (tmp_path / settings.FILE).write_bytes(b"\xff")
    assert settings.read(tmp_path) == DEFAULTS


def test_a_folder_that_cannot_be_written_is_said_and_the_delivery_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert not settings.keep(tmp_path / "file", encode(Settings(measures_use=True)))
    assert "cannot be kept" in caplog.text


TOLD = Settings(measures_use=True, quality=Quality(("192.0.2.1",)))


def test_a_tick_hears_what_is_retained_while_it_delivers(server: SmallServer, tmp_path: Path) -> None:
    enrol(tmp_path, server.broker)
    server.tell(encode(TOLD))
    done = tick(station.settings(tmp_path), Clocked(), [counting()])
    assert done.outcome is not None
    assert done.outcome.kind == "delivered"
    assert settings.read(tmp_path) == TOLD


@pytest.mark.parametrize("text", [b"", b"\xff", b"[" * 5000, b'{"measures_use": 1}', b" " * 20_000])
def test_hostile_settings_are_ignored_and_the_delivery_goes_on(
    mosquitto_server: SmallServer, tmp_path: Path, text: bytes
) -> None:
    enrol(tmp_path, mosquitto_server.broker)
    settings.keep(tmp_path, encode(TOLD))
    mosquitto_server.tell(text)
    done = tick(station.settings(tmp_path), Clocked(), [counting()])
    assert done.outcome is not None
    assert done.outcome.kind == "delivered"
    assert settings.read(tmp_path) == TOLD


def test_a_resident_agent_measures_the_next_cycle_with_what_it_heard(
    server: SmallServer, tmp_path: Path
) -> None:
    enrol(tmp_path, server.broker)
    made_with: list[Settings] = []

    def choose(told: Settings) -> list[Probe]:
        made_with.append(told)
        return []

    config, stop, host = station.settings(tmp_path, measure=1, deliver=1), threading.Event(), Host()
    with open_spool(config, host) as spool:
        resident = Resident(config, host, choose, spool)
        thread = threading.Thread(target=resident.run, args=(stop,))
        thread.start()
        try:
            station.wait_for(lambda: bool(server.stored))
            assert made_with[-1] == DEFAULTS
            server.tell(encode(TOLD))
            station.wait_for(lambda: made_with[-1] == TOLD)
        finally:
            stop.set()
            thread.join()
