"""What a technician is told on the gateway: which device it is, and whether the watch works at all."""

import json
import time
from pathlib import Path

import pytest

import machines
from schoolwatch_agent import cli, doctor, nearby, watching
from schoolwatch_agent.config import AgentConfig, Sensors
from schoolwatch_agent.formats import hints
from schoolwatch_agent.formats.heard import FILE, Heard, Station
from schoolwatch_agent.identity import Broker, Credential, write_credential
from schoolwatch_agent.recorded import RecordedHost
from schoolwatch_agent.texts import Texts

KEY = machines.KEY
ROGUE, PC = "c0:25:e9:bb:03:04", "02:00:00:00:00:09"
HEARD = Heard(
    1000.0,
    stations=(
        Station(PC, "eth0", 400.0, ("10.0.0.9",)),
        Station(ROGUE, "eth0", 940.0, ("10.0.0.66", "fe80::66")),
    ),
)


def test_devices_are_found_by_how_their_pseudonym_begins_the_newest_first() -> None:
    every = nearby.devices(HEARD, KEY, "", 1000.0)
    assert [(row.mac, row.ago) for row in every] == [(ROGUE, 60.0), (PC, 600.0)]
    wanted = hints.station(KEY, PC)
    assert [row.mac for row in nearby.devices(HEARD, KEY, wanted[:12], 1000.0)] == [PC]


def test_a_router_is_found_by_the_pseudonym_of_its_address_too() -> None:
    router = hints.pseudonym(KEY, "address", "fe80::66")
    assert [row.mac for row in nearby.devices(HEARD, KEY, router, 1000.0)] == [ROGUE]


def settings(folder: Path, *, enrolled: bool = True) -> str:
    file = folder / "agent.toml"
    file.write_text(
        f"[agent]\ndata = '{folder}/data'\n[sensors]\ninterfaces = ['eth0']\nfolder = '{folder}'\n"
    )
    if enrolled:
        credential = Credential("ab" * 16, "5c" * 32, "x", Broker("127.0.0.1", 9), hint_key=KEY.hex())
        write_credential(folder / "data", credential)
    return str(file)


def test_why_there_is_nothing_to_list_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["lan", "--lang", "en", "--config"]
    assert cli.main([*command, settings(tmp_path, enrolled=False)]) == 1
    assert "not enrolled" in capsys.readouterr().out
    assert cli.main([*command, settings(tmp_path)]) == 1
    assert "does not run" in capsys.readouterr().out


def test_the_list_names_devices_and_says_that_it_stays_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stations = [{"mac": ROGUE, "nic": "eth0", "last": time.time() - 125, "addresses": ["10.0.0.66"]}]
    (tmp_path / FILE).write_text(json.dumps({"at": time.time(), "stations": stations}))
    assert cli.main(["lan", "--lang", "en", "--config", settings(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert f"{hints.station(KEY, ROGUE)}  {ROGUE}  eth0" in shown
    assert "2 min ago" in shown
    assert "sent nowhere" in shown


def test_a_watch_without_links_says_how_to_switch_it_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert watching.become(AgentConfig(), Texts("cli", "en")) == 1
    assert "sensors.interfaces" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("recording", "found"),
    [
        ("sensors-rogue-router", {"eth0": "ok", "eth1": "bad"}),
        ("sensors-not-running", {"eth0": "bad", "eth1": "bad"}),
    ],
)
def test_the_doctor_looks_at_each_link(recording: str, found: dict[str, str]) -> None:
    config = AgentConfig(sensors=Sensors(("eth0", "eth1")))
    host = RecordedHost(machines.RECORDINGS / "linux" / f"{recording}.json")
    findings = [
        each
        for each in doctor.findings(config, None, host, (), Texts("doctor", "en"))
        if each.check == "sensors"
    ]
    assert {str(each.values["nic"]): each.state for each in findings} == found
    host.system = "windows"
    (only,) = [
        each
        for each in doctor.findings(config, None, host, (), Texts("doctor", "en"))
        if each.check == "sensors"
    ]
    assert only.key == "sensors_windows"
