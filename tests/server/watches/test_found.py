"""What watches find in the database: IPv6 that was lost, a line below its contract, many refused frames."""

from collections.abc import Mapping

import pytest
from sqlalchemy import insert

from reports import NOW, Device, World
from schoolwatch_contract.records import Envelope, Reading
from schoolwatch_server import incidents, rules, watches
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import incident_rows, quarantine
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.upsert import upsert
from schoolwatch_server.intake.batch import take
from schoolwatch_server.line_history import extended
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.rules.watch import Finding
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.watches.sight import Sight

RULES = {rule.id: rule for rule in rules.load()}
DAY, HOUR = 86_400.0, 3600.0


def look(world: World, rule: str, now: float) -> tuple[Finding, ...]:
    with begin_read(world.engine) as conn:
        return watches.look(Sight(conn, ServerConfig(), now), [RULES[rule]])[rule]


def verdict(world: World, rule: str, now: float = NOW) -> bool | None:
    """A subject that is not found is in order."""
    found = look(world, rule, now)
    return found[0].value if found else False


def tell(world: World, devices: list[Device], rung: int, at: float) -> None:
    """Each computer reaches the rung and none above it."""
    readings = tuple(Reading("ipv6.rung", float(n <= rung), {"rung": str(n)}) for n in range(5))
    ran = Reading("probe.ok", 1.0, {"probe": "ipv6"})
    messages = [device.message(int(at - NOW) + 1, at=at, readings=(*readings, ran)) for device in devices]
    take(world.engine, messages, Rules())


def test_a_school_that_lost_ipv6_is_one_incident_that_lasts_over_the_night(world: World) -> None:
    devices = world.enrol(5)
    tell(world, devices, 4, NOW)
    assert verdict(world, "ipv6_lost", NOW + 60) is False
    events = []
    for hours, rung in ((1.0, 2), (1.3, 2), (1.6, 2), (2.1, 2), (14.0, None), (24.0, 4), (24.6, 4)):
        now = NOW + hours * HOUR
        if rung is not None:
            tell(world, devices, rung, now)
        findings = {"ipv6_lost": look(world, "ipv6_lost", now + 1)}
        if incidents.judge_found(world.engine, [RULES["ipv6_lost"]], findings, (), now):
            events.append(hours)
    assert events == [2.1, 24.6], "it opens after an hour, and closes when all have it again for half an hour"
    with begin_read(world.engine) as conn:
        (incident,) = incident_rows.incidents(conn, EVERYTHING)
    assert incident.device is None
    assert incident.evidence["last"]["readings"] == {
        "finding.computers_lost": 5.0,
        "finding.computers_work": 0.0,
    }


@pytest.mark.parametrize(
    ("lost", "works", "expected"),
    [(3, 0, True), (3, 3, True), (3, 4, False), (2, 0, None), (2, 1, False), (0, 5, False)],
)
def test_how_many_computers_make_a_loss(world: World, lost: int, works: int, expected: bool | None) -> None:
    devices = world.enrol(lost + works)
    tell(world, devices, 4, NOW)
    tell(world, devices[:lost], 3, NOW + 300)
    assert verdict(world, "ipv6_lost", NOW + 301) is expected


def test_a_school_that_never_had_ipv6_has_lost_nothing_and_a_silent_one_is_not_known(world: World) -> None:
    devices = world.enrol(4)
    tell(world, devices, 0, NOW)
    assert look(world, "ipv6_lost", NOW + 60) == ()
    tell(world, devices, 4, NOW + 600)
    assert verdict(world, "ipv6_lost", NOW + 12 * HOUR) is None
    assert look(world, "ipv6_lost", NOW + 31 * DAY) == (), "it is how the school is by now"


def test_ipv6_that_was_lost_long_ago_is_not_back_by_that(world: World) -> None:
    devices = world.enrol(5)
    tell(world, devices, 4, NOW)
    tell(world, devices, 2, NOW + 31 * DAY)
    since = {Subject("school", world.school): NOW + HOUR}
    with begin_read(world.engine) as conn:
        sight = Sight(conn, ServerConfig(), NOW + 31 * DAY + 1, open_now={"ipv6_lost": since})
        (found,) = watches.look(sight, [RULES["ipv6_lost"]])["ipv6_lost"]
    assert found.value is True


def contract(world: World, **values: object) -> None:
    row = {"school_id": world.school, "isp": "Viettel", "technology": "fibre", "subscriber": "1", **values}
    with begin_write(world.engine) as conn:
        conn.execute(insert(t.line_contract).values(row))


def line_tested(world: World, tests: list[tuple[float, float, float]]) -> None:
    """(days ago, download, upload in Mbit/s), as the device that tests the school's line keeps them."""
    (device,) = world.enrol()
    take(world.engine, [device.message(1)], Rules())
    kept = None
    for days, down, up in tests:
        told = (Reading("bandwidth.download", down * 1e6), Reading("bandwidth.upload", up * 1e6))
        kept = extended(kept, Envelope(1, NOW, "1", told), NOW - days * DAY)
    with begin_write(world.engine) as conn:
        conn.execute(t.state.update().where(t.state.c.device_id == device.id).values(line_tests=kept))
        upsert(conn, t.line_tester, [{"school_id": world.school, "device_id": device.id}])


FOUR = (0.2, 0.9, 1.5, 2.5)


@pytest.mark.parametrize(
    ("paid", "tests", "expected"),
    [
        ({"download_mbps": 100.0}, [(day, 50.0, 50.0) for day in FOUR], True),
        ({"download_mbps": 100.0}, [(day, 61.0, 50.0) for day in FOUR], None),
        ({"download_mbps": 100.0}, [(day, 75.0, 1.0) for day in FOUR], False),  # no upload is promised
        ({"download_mbps": 100.0, "upload_mbps": 100.0}, [(day, 99.0, 20.0) for day in FOUR], True),
        ({"download_mbps": 100.0}, [(day, 50.0, 50.0) for day in FOUR[:3]], None),  # too few
        ({"download_mbps": 100.0}, [(day + 3, 50.0, 50.0) for day in FOUR], None),  # too long ago
        ({"download_mbps": 100.0}, [(0.1, 1.0, 1.0), *((day, 90.0, 90.0) for day in FOUR)], False),
        ({"download_mbps": None}, [(day, 1.0, 1.0) for day in FOUR], False),  # nothing is promised
        ({"download_mbps": 100.0, "ends": NOW - DAY}, [(day, 1.0, 1.0) for day in FOUR], False),
        ({"download_mbps": 100.0}, [], False),
    ],
)
def test_a_line_is_held_against_its_contract(
    world: World,
    paid: Mapping[str, object],
    tests: list[tuple[float, float, float]],
    expected: bool | None,
) -> None:
    contract(world, **paid)
    line_tested(world, tests)
    assert verdict(world, "line_slow") is expected


def test_the_fastest_of_several_contracts_counts_and_the_evidence_is_for_the_call(world: World) -> None:
    contract(world, download_mbps=20.0, isp="VNPT")
    contract(world, download_mbps=100.0)
    line_tested(world, [(day, 30.0, 30.0) for day in FOUR])
    (found,) = look(world, "line_slow", NOW)
    assert found.readings == {
        "finding.line_measured": 30.0,
        "finding.line_contract": 100.0,
        "finding.tests": 4.0,
    }
    assert found.facts == {"finding.provider": "Viettel"}


def refuse(world: World, count: int, at: float, reason: str = "frame") -> None:
    rows = [
        quarantine.row(
            received_at=at, topic="x", device=None, reason=reason, detail="", verified=False, frame=b"x"
        )
        for _ in range(count)
    ]
    with begin_write(world.engine) as conn:
        quarantine.add(conn, rows)


def test_many_refused_frames_are_an_incident_of_the_server(world: World) -> None:
    refuse(world, 500, NOW - 2 * HOUR)
    assert verdict(world, "quarantine_growth") is False
    refuse(world, 60, NOW - 1800, "signature")
    assert verdict(world, "quarantine_growth") is None
    refuse(world, 40, NOW - 60)
    (found,) = look(world, "quarantine_growth", NOW)
    assert (str(found.subject), found.value) == ("server:0", True)
    assert found.facts == {"finding.reason": "signature"}
    assert verdict(world, "quarantine_growth", NOW + HOUR) is False
