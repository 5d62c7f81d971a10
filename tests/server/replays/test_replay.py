"""What a rule would have done: as it was judged, in a child that writes nothing and has its time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from reports import NOW, Device, World
from schoolwatch_contract.records import Reading
from schoolwatch_server import incidents, rules
from schoolwatch_server.database import journal, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.intake.batch import take
from schoolwatch_server.replays import run
from schoolwatch_server.replays.run import BusyError, Wanted, replay
from schoolwatch_server.rules.load import SHIPPED
from schoolwatch_server.scope import EVERYTHING, Scope

TEXT = (SHIPPED / "antivirus_off.yaml").read_text(encoding="utf-8")
SOON = TEXT.replace("open_after: 600", "open_after: 0")
NONE = (Reading("antivirus.products", 0.0), Reading("probe.ok", 1.0, {"probe": "antivirus"}))
FINE = (
    Reading("antivirus.products", 1.0),
    Reading("antivirus.running", 1.0, {"product": "clamav"}),
    Reading("probe.ok", 1.0, {"probe": "antivirus"}),
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    with begin_write(world.engine) as conn:
        journal.create_cursor(conn, incidents.CURSOR, NOW)
    yield world
    world.engine.dispose()


def report(world: World, pc: Device, *told: tuple[float, tuple[Reading, ...]], **more) -> None:
    """Reports of (minute, readings)."""
    messages = [
        pc.message(seq, at=NOW + minute * 60, readings=readings, **more)
        for seq, (minute, readings) in enumerate(told, 1)
    ]
    take(world.engine, messages, Rules())


def rows(world: World) -> dict[str, list[tuple]]:
    tables = (t.rule_state, t.incident, t.incident_event, t.cursor, t.journal, t.standing_fault, t.audit)
    with begin_read(world.engine) as conn:
        return {table.name: [tuple(row) for row in conn.execute(select(table))] for table in tables}


def test_it_finds_what_was_judged_and_what_a_draft_would_find_and_writes_nothing(world: World) -> None:
    short, long, old = world.enrol(3)
    report(world, short, (0, FINE), (5, NONE), (9, FINE))
    report(world, long, (0, FINE), (5, NONE), (20, NONE), (60, FINE), (70, NONE), (90, NONE), (400, FINE))
    report(world, old, (0, NONE), (30, NONE))
    while incidents.judge_next(world.engine, rules.load(), (), NOW + 9999):
        pass
    before = rows(world)
    now = NOW + 86_400
    found = replay(world.engine, "antivirus_off", [TEXT, SOON], Wanted(), EVERYTHING, now)
    assert rows(world) == before
    assert (found.done, found.reports, found.is_whole, found.schools) == (3, 12, True, 1)
    in_force, draft = found.counts
    assert (in_force.opened, in_force.listed, in_force.still_open) == (1, 1, 0)
    assert found.actual == 1
    assert (draft.opened, draft.listed) == (2, 1)
    (really,) = (one for one in before["incident"])
    (incident,) = (one for one in found.found[0] if not one.is_listed)
    assert incident.since == really[t.incident.c.keys().index("since")]
    assert incident.at == really[t.incident.c.keys().index("opened_at")]
    assert incident.until == pytest.approx(NOW + 400 * 60), "it returned within the hour"
    assert found.computer(incident.device).device == long.device
    assert incident.evidence.readings == {"antivirus.products": 0.0}
    assert {(one.device, one.in_both) for one in found.found[1] if not one.is_listed} == {
        (short.id, False), (long.id, True),
    }  # fmt: skip
    assert sum(draft.by_day.values()) == 2


def test_a_rule_of_sightings_is_replayed_as_it_was_judged(world: World) -> None:
    text = (SHIPPED / "device_clone.yaml").read_text(encoding="utf-8")
    (pc,) = world.enrol()
    report(world, pc, (0, FINE), (5, FINE), (60 * 48, FINE))
    with begin_write(world.engine) as conn:
        for row in conn.execute(select(t.journal.c.id, t.journal.c.taken_at)).all():
            at = {"seen_at": row.taken_at, "received_at": row.taken_at, "late": False}
            what = {"kind": "device.clone", "subject": "spool", "detail": {}}
            conn.execute(insert(t.sighting).values(device_id=pc.id, journal_id=row.id, **what, **at))
    now = NOW + 90 * 86_400
    while incidents.judge_next(world.engine, rules.load(), (), now):
        pass
    incidents.judge_quiet(world.engine, rules.load(), (), now)
    i = t.incident.c
    with begin_read(world.engine) as conn:
        query = select(i.since, i.closed_at).where(i.rule == "device_clone").order_by(i.id)
        really = [tuple(row) for row in conn.execute(query)]
    found = replay(world.engine, "device_clone", [text], Wanted(days=92), EVERYTHING, now)
    assert [(one.since, one.until) for one in found.found[0]] == really
    assert found.counts[0].opened == found.actual == len(really) > 0


def test_the_window_the_scope_and_the_place_bound_it(world: World) -> None:
    with begin_write(world.engine) as conn:
        commune = registry.create_commune(conn, registry.create_province(conn, "Q", "Tỉnh"), "D", "Xã")
        other = registry.create_school(conn, commune, "E", "Trường", "TH", NOW)
    here, there = world.enrol(2)
    with begin_write(world.engine) as conn:
        registry.move_device(conn, there.id, other, None, NOW)
    for pc in (here, there):
        report(world, pc, (0, FINE), (5, NONE), (20, NONE))

    def done(place: str = "", scope: Scope = EVERYTHING, now: float = NOW + 86_400, **more) -> set[str]:
        found = replay(world.engine, "antivirus_off", [TEXT], Wanted(place, **more), scope, now)
        assert found.counts[0].opened == found.done
        return {one.device for one in found.computers}

    assert done() == {here.device, there.device}
    assert done("E") == done("D") == done(scope=Scope("commune", commune)) == {there.device}
    assert len(done(schools=1)) == 1
    with pytest.raises(LookupError):
        done("E", Scope("school", world.school))
    much_later = replay(world.engine, "antivirus_off", [TEXT], Wanted(days=1), EVERYTHING, NOW + 10 * 86_400)
    assert (much_later.reports, much_later.counts[0].opened) == (0, 0)
    assert much_later.data_since == pytest.approx(NOW)


def test_it_stops_in_time_and_says_how_far_it_got(world: World) -> None:
    for pc in world.enrol(3):
        report(world, pc, (0, FINE), (5, NONE), (20, NONE))
    found = replay(world.engine, "antivirus_off", [TEXT], Wanted(), EVERYTHING, NOW + 3600, seconds=0.0)
    assert (found.done, len(found.computers), found.is_whole) == (0, 3, False)


def test_one_runs_at_a_time(world: World) -> None:
    with run._one, pytest.raises(BusyError):
        replay(world.engine, "antivirus_off", [TEXT], Wanted(), EVERYTHING, NOW)
