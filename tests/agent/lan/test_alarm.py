"""What the watch sees is told at once by an agent that stays, and a flood of it is no flood of reports."""

import json
import threading
import time
from pathlib import Path

import msgspec
import pytest

from schoolwatch_agent.alarm import PAUSE, Alarm
from schoolwatch_agent.chosen import probes_of
from schoolwatch_agent.config import Sensors
from schoolwatch_agent.formats import heard, hints
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import read_credential, write_credential
from schoolwatch_agent.probe import Probe
from schoolwatch_agent.resident import Resident
from schoolwatch_agent.tick import open_spool
from schoolwatch_contract.settings import Settings
from station import Clocked, SmallServer, enrol, settings, wait_for

ROGUE = "c0:25:e9:bb:03:04"


def write(folder: Path, *seen_at: float) -> None:
    """As the watch does: whole, and with a time of its own."""
    link = {"nic": "eth0", "state": "watching", "stations": 4}
    seen = [
        {"kind": "dhcp.offer", "mac": ROGUE, "nic": "eth0", "at": at, "told": {"server": "10.0.0.66"}}
        for at in seen_at
    ]
    fresh = folder / "fresh"
    fresh.write_text(json.dumps({"at": time.time(), "links": [link], "seen": seen}))
    fresh.replace(folder / heard.FILE)


@pytest.fixture
def sensors(tmp_path: Path) -> Sensors:
    return Sensors(("eth0",), folder=str(tmp_path))


def test_it_rings_once_for_each_new_sighting_and_not_too_often(sensors: Sensors, tmp_path: Path) -> None:
    alarm = Alarm(sensors, Host())
    assert not alarm.rings(100.0), "there is no watch"
    write(tmp_path)
    assert not alarm.rings(100.0)
    write(tmp_path, 50.0)
    assert alarm.rings(101.0)
    write(tmp_path, 50.0)
    assert not alarm.rings(101.0 + PAUSE), "written again, and nothing new"
    write(tmp_path, 50.0, 60.0)
    assert alarm.rings(150.0)
    write(tmp_path, 50.0, 60.0, 70.0)
    assert not alarm.rings(151.0), "so soon"
    assert alarm.rings(150.0 + PAUSE)
    (tmp_path / heard.FILE).write_text("{")
    assert not alarm.rings(200.0)


def test_where_nothing_is_to_be_watched_it_never_rings(tmp_path: Path) -> None:
    write(tmp_path, 50.0)
    assert not Alarm(Sensors((), folder=str(tmp_path)), Host()).rings(100.0)


def test_a_rogue_server_is_at_the_department_in_seconds_though_the_cycle_is_a_day(
    server: SmallServer, sensors: Sensors, tmp_path: Path
) -> None:
    data = tmp_path / "agent"
    enrol(data, server.broker)
    credential = read_credential(data)
    assert credential is not None
    write_credential(data, msgspec.structs.replace(credential, hint_key="a5" * 32))
    config = msgspec.structs.replace(settings(data, measure=86_400, deliver=86_400), sensors=sensors)
    host = Clocked(now=time.time())
    host.now = time.time  # type: ignore[method-assign]

    def choice(told: Settings) -> list[Probe]:
        return [probe for probe in probes_of(config, told) if probe.name in ("sensors", "uptime")]

    write(tmp_path)
    stop = threading.Event()
    with open_spool(config, host) as spool:
        thread = threading.Thread(target=Resident(config, host, choice, spool).run, args=(stop,))
        thread.start()
        try:
            wait_for(lambda: len(server.stored) == 1)
            write(tmp_path, time.time())
            wait_for(lambda: len(server.stored) == 2)
        finally:
            stop.set()
            thread.join(60)
    sightings = [sighting for each in server.envelopes() for sighting in each.sightings]
    assert [each.subject for each in sightings] == [hints.station(bytes.fromhex("a5" * 32), ROGUE)]
    assert len(server.readings("uptime.seconds")) == 1, "only the sensor was asked again"
