"""What leaves a gateway of what its LAN watch heard: pseudonyms, never a MAC or an identifier."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import machines
from schoolwatch_agent.config import Sensors
from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.formats import heard, hints
from schoolwatch_agent.formats.heard import Heard, Link, Seen
from schoolwatch_agent.probe import NotHere
from schoolwatch_agent.probes import sensors
from schoolwatch_agent.recorded import RecordedHost
from schoolwatch_contract.records import Fact, Reading, Sighting

ROGUE, ROUTER = "c0:25:e9:bb:03:04", "3c:52:82:aa:01:02"


def test_a_watched_link_tells_what_it_heard_and_who_is_the_gateway() -> None:
    seen = machines.look("sensors", "linux/sensors-rogue-router")
    assert machines.readings(seen) == {
        "sensor.up eth0": 1.0,
        "sensor.frames eth0": 5120.0,
        "sensor.dropped eth0": 0.0,
        "sensor.untold eth0": 1.0,
        "lan.stations eth0": 43.0,
        "lan.new_stations eth0": 2.0,
        "sensor.up eth1": 0.0,
    }
    facts = machines.facts(seen)
    assert facts["sensor.state eth1"].value == "no_link"
    assert facts["lan.gateway eth0"].value == hints.station(machines.KEY, ROUTER)


def test_a_device_with_an_agent_has_the_same_pseudonym_as_its_hint() -> None:
    (told,) = hints.digests(machines.KEY, {"mac": ["C0-25-E9-BB-03-04"]})["mac"]
    seen = machines.look("sensors", "linux/sensors-rogue-router").sightings
    assert {sighting.subject for sighting in seen if sighting.detail["oui"] == "c0:25:e9"} == {told}


def test_a_rogue_server_is_described_without_its_numbers() -> None:
    by_kind = {s.kind: s for s in machines.look("sensors", "linux/sensors-rogue-router").sightings}
    assert by_kind["dhcp.offer"].detail == {
        "nic": "eth0",
        "oui": "c0:25:e9",
        "server": "192.168.0.1",
        "router": "192.168.0.1",
        "resolvers": "192.168.0.1",
        "gives": "address proxy resolvers router",
        "relayed": "yes",
    }
    assert by_kind["ra.router"].detail["prefixes"] == "2001:db8:7::/64 2001:db8:8:1::/64"
    assert by_kind["dhcp6.advertise"].detail["resolvers"] == "fe80:: 2001:db8:7::/64"
    assert by_kind["arp.moved"].detail["was"] == hints.station(machines.KEY, ROUTER)
    assert by_kind["arp.moved"].detail["was_oui"] == "3c:52:82"
    text = msgspec.json.encode(list(by_kind.values())).decode()
    assert not re.search(
        r"(..:){3,}..\b(?<!:)|ff:fe|bb0304|::53", text.replace("c0:25:e9", "").replace("3c:52:82", "")
    )


def test_a_watch_that_is_gone_is_deaf_and_what_it_saw_before_is_told() -> None:
    seen = machines.look("sensors", "linux/sensors-stale")
    assert machines.readings(seen) == {"sensor.up eth0": 0.0, "sensor.up eth1": 0.0}
    assert machines.facts(seen)["sensor.state eth0"].value == "not_running"
    assert [sighting.kind for sighting in seen.sightings] == ["dhcp.offer"]


def test_without_a_watch_every_wanted_link_is_deaf() -> None:
    seen = machines.look("sensors", "linux/sensors-not-running")
    assert machines.readings(seen) == {"sensor.up eth0": 0.0, "sensor.up eth1": 0.0}


def test_a_damaged_file_is_a_failure_and_says_nothing_good() -> None:
    seen = machines.look("sensors", "linux/sensors-damaged")
    assert (machines.failure(seen) or "").startswith("NotUnderstood: not what the LAN watch writes")
    assert machines.readings(seen) == {}


def test_on_the_first_day_nobody_can_say_who_is_new() -> None:
    seen = machines.look("sensors", "linux/sensors-first-day")
    assert machines.readings(seen)["lan.new_stations eth0"] is None


def test_without_a_key_no_device_is_told_but_the_counts_are() -> None:
    link = Link("eth0", "watching", 5, stations=2, gateway=ROUTER)
    found = Heard(100.0, (link,), (Seen("dhcp.offer", ROGUE, "eth0", 99.0),))
    told = list(sensors.parse(found, ("eth0",), b"", 101.0))
    assert Reading("lan.stations", 2.0, {"nic": "eth0"}) in told
    assert Fact("lan.gateway", None, {"nic": "eth0"}, "not enrolled") in told
    assert not any(isinstance(each, Sighting) for each in told)


def test_where_nothing_is_to_be_watched_and_on_windows_there_is_no_sensor() -> None:
    host = RecordedHost(machines.RECORDINGS / "linux" / "sensors-rogue-router.json")
    with pytest.raises(NotHere):
        next(sensors.read(host, Sensors(), machines.KEY))
    host.system = "windows"
    with pytest.raises(NotHere):
        next(sensors.read(host, Sensors(("eth0",)), machines.KEY))


@given(st.text())
def test_any_text_is_understood_or_not(text: str) -> None:
    try:
        found = heard.parse(text)
    except NotUnderstood:
        return
    assert isinstance(found, Heard)


@given(st.dictionaries(st.text(), st.text(), max_size=6), st.sampled_from(["dhcp.offer", "ra.router"]))
def test_a_detail_without_a_rule_never_leaves(told: dict[str, str], kind: str) -> None:
    seen = Seen(kind, ROGUE, "eth0", 1.8e9, {"secret": ROGUE, "hostname": "may-cua-co-lan"} | told)
    try:
        sighting = sensors.sighting(seen, machines.KEY)
    except ValueError:  # an address that is none
        return
    assert "may-cua-co-lan" not in str(sighting)
    assert "secret" not in sighting.detail
