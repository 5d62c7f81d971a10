"""Schools' networks inside as series: what holds, and that nothing is said of what nobody hears."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from reports import NOW, Device, World
from schoolwatch_contract.records import Fact, Reading, Sighting
from schoolwatch_server import packs
from schoolwatch_server.database import faults, judged
from schoolwatch_server.database import incidents as kept
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.intake.batch import take
from schoolwatch_server.rules import load
from schoolwatch_server.rules.subject import Subject, device
from schoolwatch_server.standings.keeping import Standings
from schoolwatch_server.store import names
from schoolwatch_server.store.series import Judged

HOUR, DAY = 3600.0, 86400.0
RULES, PACKS = load(), packs.load()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.engine.dispose()


def gateway(world: World) -> Device:
    (made,) = world.enrol()
    with begin_write(world.engine) as conn:
        conn.execute(t.device.update().where(t.device.c.id == made.id).values(role="gateway"))
    return made


def tell(
    world: World, made: Device, seq: int, *more: Reading, at: float = NOW, seen: tuple[Sighting, ...] = ()
) -> None:
    readings = (Reading("probe.ok", 1.0, {"probe": "sensors"}), *more)
    take(world.engine, [made.message(seq, at=at, readings=readings, sightings=seen)], Rules())


def sensor(nic: str = "eth0", up: float = 1.0, stations: float = 12.0) -> tuple[Reading, ...]:
    labels = {"nic": nic}
    if not up:
        return (Reading("sensor.up", 0.0, labels),)
    return (
        Reading("sensor.up", 1.0, labels),
        Reading("lan.stations", stations, labels),
        Reading("lan.new_stations", None, labels),
    )


def offer(who: str, kind: str = "dhcp.offer", nic: str = "eth0", at: float = NOW) -> Sighting:
    return Sighting(kind, who * 32, {"nic": nic, "server": "192.168.1.1"}, at)


def note(world: World, at: float = NOW + 60, standings: Standings | None = None) -> Standings:
    standings = standings or Standings(world.engine)
    standings.note_open(RULES, at, 300.0)
    standings.note_lans(RULES, PACKS, at)
    return standings


def last(world: World, measurement: str, **tags: str) -> list[Judged]:
    with begin_read(world.engine) as conn:
        return list(judged.latest(conn, measurement, tags))


def what(world: World) -> dict[str, tuple[float | None, float | None]]:
    return {row.tags["what"]: (row.value, row.denominator) for row in last(world, names.LAN)}


def segments(world: World, kind: str) -> dict[str, tuple[float | None, float | None, float | None]]:
    rows = last(world, names.LAN_SEGMENT, what=kind)
    return {row.tags["segment"]: (row.value, row.numerator, row.denominator) for row in rows}


def open_incident(world: World, rule: str, about: Subject) -> None:
    with begin_write(world.engine) as conn:
        kept.open_incident(conn, kept.NewIncident(rule, 1, "high", about, NOW, NOW, False, {}), NOW)


def test_a_school_without_anything_has_no_gateway_and_no_more_is_said(world: World) -> None:
    note(world)
    assert what(world) == {"gateways": (0.0, 0.0)}
    assert last(world, names.LAN_LINKS) == []
    assert last(world, names.LAN_SEGMENT) == []


def test_what_a_gateway_hears(world: World) -> None:
    seen = (
        offer("a"), offer("a"), offer("b"), offer("c", "ra.router"), offer("d", "dhcp6.advertise", "eth0.20"),
    )  # fmt: skip
    made = gateway(world)
    tell(world, made, 1, at=NOW - 2 * DAY, seen=(offer("e", at=NOW - 2 * DAY),))
    tell(world, made, 2, *sensor(), *sensor("eth0.20", stations=3.0), *sensor("eth0.30", up=0.0), seen=seen)
    note(world)
    assert what(world)["gateways"] == (1.0, 1.0)
    assert what(world)["segments"] == (2.0, 3.0)
    assert what(world)["strange"] == (0.0, None)
    assert segments(world, "heard") == {
        "eth0": (12.0, None, 1.0),
        "eth0.20": (3.0, None, 1.0),
        "eth0.30": (None, None, 0.0),
    }
    assert segments(world, "machines") == {"eth0": (1.0, 2.0, 0.0), "eth0.20": (0.0, 0.0, 1.0)}


def test_what_a_silent_gateway_told_holds_no_more(world: World) -> None:
    made = gateway(world)
    tell(world, made, 1, *sensor())
    standings = note(world)
    note(world, NOW + 3 * HOUR, standings)
    assert what(world)["gateways"] == (0.0, 1.0)
    assert what(world)["segments"] == (0.0, 1.0)
    assert what(world)["strange"] == (None, None), "nobody listens: 0 would be a lie"
    assert segments(world, "heard") == {"eth0": (None, None, 0.0)}
    assert segments(world, "machines") == {"eth0": (None, None, None)}


def test_links_of_two_gateways_are_told_apart(world: World) -> None:
    for n, made in enumerate((gateway(world), gateway(world))):
        tell(world, made, 1, *sensor(stations=float(n)))
    note(world)
    assert len(segments(world, "heard")) == 2
    assert {value for value, _, _ in segments(world, "heard").values()} == {0.0, 1.0}


def test_incidents_of_sensors_are_counted(world: World) -> None:
    made = gateway(world)
    tell(world, made, 1, *sensor())
    open_incident(world, "dhcp_server_new", Subject("school", world.school, "x"))
    open_incident(world, "router_killed", device(made.id))
    open_incident(world, "antivirus_off", device(made.id))
    note(world)
    assert what(world)["strange"] == (2.0, None)


def test_how_computers_are_connected(world: World) -> None:
    rows = (("wired", 1e7, True), ("wired", 1e8, False), ("wired", 1e9, None), ("wired", None, None),
            ("wireless", 3e8, True), (None, None, None))  # fmt: skip
    devices = world.enrol(len(rows) + 2)
    with begin_write(world.engine) as conn:
        for made, (medium, speed, works) in zip(devices, rows, strict=False):
            row = {"device_id": made.id, "seq": 1, "agent": "1", "taken_at": NOW, "heard_at": NOW}
            conn.execute(
                insert(t.state).values(**row, link_medium=medium, link_speed=speed, ipv6_works=works)
            )
        old = {
            "device_id": devices[-1].id,
            "seq": 1,
            "agent": "1",
            "taken_at": NOW - 300 * DAY,
            "heard_at": NOW,
        }
        conn.execute(insert(t.state).values(**old, link_medium="wired", link_speed=1e9))
        mended = kept.NewIncident("link_slow", 1, "low", device(devices[0].id), NOW, NOW, False, {})
        faults.put(conn, mended)
    open_incident(world, "link_very_slow", device(devices[0].id))
    open_incident(world, "link_half_duplex", device(devices[1].id))
    note(world)
    links = {row.tags["speed"]: row.value for row in last(world, names.LAN_LINKS)}
    assert links == {"slow": 1.0, "100": 1.0, "1000": 1.0, "wireless": 1.0, "unknown": 4.0}
    assert what(world)["ipv6"] == (2.0, 3.0)
    assert what(world)["slow_link"] == (1.0, 3.0), "one computer, however many rules say so"
    assert what(world)["half_duplex"] == (1.0, 3.0)
    assert what(world)["link_errors"] == (0.0, 3.0)


def test_of_cables_that_nobody_knows_nothing_is_said(world: World) -> None:
    world.enrol(2)
    note(world)
    assert set(what(world)) == {"gateways"}
    assert {row.tags["speed"]: row.value for row in last(world, names.LAN_LINKS)} == {"unknown": 2.0}


def test_a_class_of_links_that_is_empty_now_ends_with_a_zero_also_after_a_restart(world: World) -> None:
    (made,) = world.enrol()
    facts = (Fact("link.medium", "wired", {"nic": "eth0"}),)
    readings = (Reading("link.up", 1.0, {"nic": "eth0"}), Reading("link.speed", 1e8, {"nic": "eth0"}))
    take(world.engine, [made.message(1, at=NOW, readings=readings, facts=facts)], Rules())
    note(world)
    assert [row.value for row in last(world, names.LAN_LINKS, speed="100")] == [1.0]
    with begin_write(world.engine) as conn:
        conn.execute(t.state.update().values(link_speed=1e9))
    note(world, NOW + 2 * HOUR)
    assert [row.value for row in last(world, names.LAN_LINKS, speed="100")] == [0.0]
    assert [row.value for row in last(world, names.LAN_LINKS, speed="1000")] == [1.0]
