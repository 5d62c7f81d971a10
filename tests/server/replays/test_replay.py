"""What a rule would have done: as it was judged, in a child that writes nothing and has its time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, sleep

import msgspec
import pytest
from sqlalchemy import insert, select

from reports import NOW, Device, World
from schoolwatch_contract.records import Reading
from schoolwatch_server import incidents, rules
from schoolwatch_server.config import of_data
from schoolwatch_server.database import journal, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.intake.batch import take
from schoolwatch_server.replays import histories, program
from schoolwatch_server.replays.job import Count, Found, Said
from schoolwatch_server.replays.running import BusyError, Replays, Running
from schoolwatch_server.replays.wanted import Prepared, RefusedError, Wanted, actual, prepare
from schoolwatch_server.rules.load import SHIPPED, shipped
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
    kept = (t.rule_state, t.rule_memory, t.standing_fault)
    tables = (*kept, t.incident, t.incident_event, t.cursor, t.journal, t.audit)
    with begin_read(world.engine) as conn:
        return {table.name: [tuple(row) for row in conn.execute(select(table))] for table in tables}


@dataclass
class Done:
    """What a replay came to that ran in this process, as the child would run it."""

    prepared: Prepared
    said: Said
    found: list[list[Found]]

    @property
    def counts(self) -> tuple[Count, ...]:
        return self.said.counts


def replay(
    world: World, rule: str, texts: list[str], wanted: Wanted, now: float, scope: Scope = EVERYTHING
) -> Done:
    prepared = prepare(world.engine, of_data(world.folder), rule, texts, wanted, scope, now)
    said = list(program.replay(prepared.job))
    assert [one.is_end for one in said[-2:]] == [False, True][-len(said) :]
    found = [[one for each in said for one in each.found[n]] for n in range(len(texts))]
    return Done(prepared, said[-1], found)


def ends(running: Running) -> None:
    until = monotonic() + 120
    while not running.is_over:
        assert monotonic() < until
        sleep(0.02)


def about(device: Device) -> str:
    return str(device.id)


def test_it_finds_what_was_judged_and_what_a_draft_would_find_and_writes_nothing(world: World) -> None:
    short, long, old = world.enrol(3)
    report(world, short, (0, FINE), (5, NONE), (9, FINE))
    report(world, long, (0, FINE), (5, NONE), (20, NONE), (60, FINE), (70, NONE), (90, NONE), (400, FINE))
    report(world, old, (0, NONE), (30, NONE))
    while incidents.judge_next(world.engine, rules.load(), (), NOW + 9999):
        pass
    before = rows(world)
    now = NOW + 86_400
    found = replay(world, "antivirus_off", [TEXT, SOON], Wanted(), now)
    assert rows(world) == before
    assert (found.said.done, found.said.rows, found.prepared.schools) == (3, 12, (world.school,))
    assert found.prepared.rows == 12
    in_force, draft = found.counts
    assert (in_force.opened, in_force.listed, in_force.still_open) == (1, 1, 0)
    assert actual(world.engine, found.prepared) == 1
    assert (draft.opened, draft.listed) == (2, 1)
    (really,) = (one for one in before["incident"])
    (incident,) = (one for one in found.found[0] if not one.is_listed)
    assert incident.since == really[t.incident.c.keys().index("since")]
    assert incident.at == really[t.incident.c.keys().index("opened_at")]
    assert incident.until == pytest.approx(NOW + 400 * 60), "it returned within the hour"
    assert incident.subject == about(long)
    assert incident.evidence.readings == {"antivirus.products": 0.0}
    assert {(one.subject, one.in_both) for one in found.found[1] if not one.is_listed} == {
        (about(short), False), (about(long), True),
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
    found = replay(world, "device_clone", [text], Wanted(days=92), now)
    assert [(one.since, one.until) for one in found.found[0]] == really
    assert found.counts[0].opened == actual(world.engine, found.prepared) == len(really) > 0


def test_the_window_the_scope_and_the_place_bound_it(world: World) -> None:
    with begin_write(world.engine) as conn:
        commune = registry.create_commune(conn, registry.create_province(conn, "Q", "Tỉnh"), "D", "Xã")
        other = registry.create_school(conn, commune, "E", "Trường", "TH", NOW)
    here, there = world.enrol(2)
    with begin_write(world.engine) as conn:
        registry.move_device(conn, there.id, other, None, NOW)
    for pc in (here, there):
        report(world, pc, (0, FINE), (5, NONE), (20, NONE))

    def done(place: str = "", scope: Scope = EVERYTHING, now: float = NOW + 86_400, **more) -> set[int]:
        found = replay(world, "antivirus_off", [TEXT], Wanted(place, **more), now, scope)
        assert found.counts[0].opened == found.said.done
        return set(found.prepared.job.devices)

    assert done() == {here.id, there.id}
    assert done("E") == done("D") == done(scope=Scope("commune", commune)) == {there.id}
    assert len(done(schools=1)) == 1
    assert len(done(schools=0)) == 2
    with pytest.raises(RefusedError, match="no_place"):
        done("E", Scope("school", world.school))
    much_later = replay(world, "antivirus_off", [TEXT], Wanted(days=1), NOW + 10 * 86_400)
    assert (much_later.said.rows, much_later.counts[0].opened) == (0, 0)
    assert much_later.prepared.since == pytest.approx(NOW)
    until = replay(world, "antivirus_off", [TEXT], Wanted(until=NOW + 600), NOW + 10 * 86_400)
    assert (until.said.rows, until.counts[0].opened) == (4, 0)
    with pytest.raises(RefusedError, match="nothing_then"):
        done(until=NOW - 60)


def test_it_can_be_stopped_waits_for_others_and_is_the_accounts_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pc in world.enrol(3):
        report(world, pc, (0, FINE), (5, NONE), (20, NONE))
    replays = Replays()
    prepared = prepare(
        world.engine, of_data(world.folder), "antivirus_off", [TEXT], Wanted(), EVERYTHING, NOW + 3600
    )
    with replays._one:
        mine, theirs = (replays.start(name, prepared, {}) for name in ("mine", "theirs"))
        with pytest.raises(BusyError):
            replays.start("mine", prepared, {})
        with pytest.raises(LookupError):
            replays.one(mine.id, "theirs")
        assert replays.one(mine.id, "mine").state == "waiting"
        replays.one(mine.id, "mine").stop.set()
        ends(mine)
        assert (mine.state, mine.said.done) == ("cancelled", 0)
    ends(theirs)
    assert (theirs.state, theirs.counts[0].opened) == ("done", 3)
    monkeypatch.setattr("schoolwatch_server.replays.running.KEPT", 1)
    assert [one.id for one in replays.of("mine")] == [mine.id]
    newer = replays.start("mine", prepared, {})
    ends(newer)
    assert [one.id for one in replays.of("mine")] == [newer.id]


def test_a_child_that_breaks_off_says_so_and_keeps_what_it_had(world: World) -> None:
    (pc,) = world.enrol()
    report(world, pc, (0, FINE))
    prepared = prepare(
        world.engine, of_data(world.folder), "antivirus_off", [TEXT], Wanted(), EVERYTHING, NOW + 3600
    )
    gone = msgspec.structs.replace(prepared.job, url="sqlite:////nowhere/at/all.db")
    running = Replays().start("somebody", replace(prepared, job=gone), {})
    ends(running)
    assert running.state == "failed"


def test_every_shipped_rule_is_replayed_or_says_why_not(world: World) -> None:
    (pc,) = world.enrol()
    report(world, pc, (0, FINE))
    refused = {}
    for held in shipped():
        try:
            prepare(
                world.engine, of_data(world.folder), held.rule.id, [held.text.decode()], Wanted(until=None),
                EVERYTHING, NOW + 3600,
            )  # fmt: skip
        except RefusedError as error:
            refused[held.rule.id] = error.trouble
    kept = {name for name, trouble in refused.items() if trouble == "no_history"}
    assert kept == {
        "grafana_alert", "server_backup", "server_behind", "server_certificate", "server_channels",
        "server_clock", "server_disk", "server_store_behind",
    }  # fmt: skip
    assert {histories.why_not(held.rule) for held in shipped()} - {""} == kept
    unseen = {name for name, trouble in refused.items() if trouble == "nothing_then"}
    assert unseen == {
        "site_down", "site_certificate", "site_ipv6_lost", "site_untrusted", "indicator_fell",
        "indicator_fell_widely", "line_slow",
    }, "nobody has looked, judged or measured yet"  # fmt: skip
