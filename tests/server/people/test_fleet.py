"""Devices cut off, retired, brought back, replaced, moved and merged: what changes, and what must not."""

import os
import re
import signal
import time
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from brokers import RunningBroker
from databases import settings_of
from mqtt import Client, wait_for
from reports import RULES, Device, World
from schoolwatch_contract.records import Fact
from schoolwatch_contract.topics import topic
from schoolwatch_server import fleet
from schoolwatch_server.database import (
    credentials,
    declarations,
    ghosts,
    lives,
    pages,
    registry,
    retention,
    told,
)
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.counts import count
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.registry import RegistryError
from schoolwatch_server.enrolment import Asking, enrol, issue_enrolment_token
from schoolwatch_server.indicators.current import limits
from schoolwatch_server.intake.batch import take
from schoolwatch_server.packs import load as load_packs
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.supervise.accounts import Accounts
from website import RunningSite, csrf

NOW = time.time()
DAY = 86_400.0


def is_taken(world: World, device: Device, seq: int, at: float = NOW) -> bool:
    return device.device in take(world.engine, [device.message(seq, at=at)], RULES)


def row_of(world: World, device: Device) -> registry.DeviceRow | None:
    with begin_read(world.engine) as conn:
        return registry.device(conn, device.device, EVERYTHING)


def kept(world: World) -> list[tuple[object, ...]]:
    """Every credential, as it lies in the database."""
    c = t.credential.c
    query = select(c.device_id, c.frame_key, c.password_hash, c.changed_at, c.revoked_at)
    with begin_read(world.engine) as conn:
        return [tuple(row) for row in conn.execute(query.order_by(c.device_id))]


def test_a_revoked_device_is_off_an_open_connection_within_five_seconds(
    world: World, broker: RunningBroker
) -> None:
    device = world.enrol()[0]
    password = broker.add(device.device)
    with begin_write(world.engine) as conn:
        credentials.set_credential(conn, device.id, device.key, broker._users[device.device], NOW)
    own = {broker.user: broker._users[broker.user]}
    accounts = Accounts(world.engine, broker.folder, own, broker.user)
    accounts.write()
    reload = partial(os.kill, broker.pid, signal.SIGHUP)
    with Client(broker, device.device, password, name="any-name-it-likes") as client:
        assert client.publish(topic(device.device, "report"), b"x")
        began = time.monotonic()
        fleet.revoke(world.engine, device.device, EVERYTHING, by="lan", now=time.time())

        def is_cut() -> bool:
            accounts.refresh(time.monotonic(), reload)  # as `up` does ten times a second
            return client.closed.is_set()

        wait_for(is_cut)
        assert time.monotonic() - began < 5
    with Client(broker, device.device, password) as again:
        assert again.code == "Not authorized"
    assert not is_taken(world, device, 1)
    row = row_of(world, device)
    assert row is not None, "it stays in the lists until somebody retires it"


def test_what_is_retired_comes_back_where_it_was_with_its_credential(world: World) -> None:
    device = world.enrol()[0]
    with begin_write(world.engine) as conn:
        room = registry.create_room(conn, world.school, "Tin học", "student_lab")
        registry.move_device(conn, device.id, world.school, room, NOW - DAY)
    assert is_taken(world, device, 1)
    before = kept(world)
    fleet.retire(world.engine, device.device, EVERYTHING, by="lan", now=NOW)
    assert row_of(world, device) is None
    assert not is_taken(world, device, 2)
    back = fleet.restore(world.engine, device.device, EVERYTHING, by="lan", now=NOW + 60)
    assert back.room == "Tin học"
    assert is_taken(world, device, 2)
    assert [row[:3] for row in kept(world)] == [row[:3] for row in before]
    with pytest.raises(RegistryError, match="no retired device"):
        fleet.restore(world.engine, device.device, EVERYTHING, by="lan", now=NOW)


def test_a_year_later_a_retired_device_is_enrolled_anew(world: World) -> None:
    (device,) = world.enrol(1)
    fleet.retire(world.engine, device.device, EVERYTHING, by="lan", now=NOW)
    with begin_read(world.engine) as conn:
        assert len(ghosts.retired(conn, EVERYTHING, 9)) == 1
    retention.prune(world.engine, NOW + 366 * 86400)
    with begin_read(world.engine) as conn:
        assert ghosts.retired(conn, EVERYTHING, 9) == ()
    with pytest.raises(RegistryError, match="enrolled anew"):
        fleet.restore(world.engine, device.device, EVERYTHING, by="lan", now=NOW + 366 * 86400)


def test_a_device_that_was_cut_off_before_it_was_retired_stays_cut_off(world: World) -> None:
    device = world.enrol()[0]
    fleet.revoke(world.engine, device.device, EVERYTHING, by="lan", now=NOW)
    fleet.retire(world.engine, device.device, EVERYTHING, by="lan", now=NOW + 1)
    fleet.restore(world.engine, device.device, EVERYTHING, by="lan", now=NOW + 2)
    assert not is_taken(world, device, 1)


def test_a_new_computer_takes_over_the_record_of_the_old_one(world: World) -> None:
    old, new = world.enrol(2)
    with begin_write(world.engine) as conn:
        room = registry.create_room(conn, world.school, "Tin học", "student_lab")
        registry.move_device(conn, old.id, world.school, room, NOW - DAY)
        registry.set_device(conn, old.id, label="Máy giáo viên", role="classroom", broken=True)
        lives.set_asset_tag(conn, old.id, "TS-0042")
        told.set_line_tester(conn, world.school, old.id)
    assert is_taken(world, old, 1)
    row = fleet.replace(world.engine, new.device, old.device, EVERYTHING, by="lan", now=NOW)
    assert (row.label, row.room, row.role, row.broken) == ("Máy giáo viên", "Tin học", "classroom", False)
    with begin_read(world.engine) as conn:
        assert lives.asset_tag(conn, new.id) == "TS-0042"
        assert lives.replaced(conn, new.id) == (old.device, "Máy giáo viên")
        assert told.line_tester(conn, world.school) == new.id
        assert conn.scalar(select(t.journal.c.device_id)) == old.id, "its history stays its own"
    assert row_of(world, old) is None
    assert is_taken(world, new, 1)
    for one, other in ((new.device, new.device), (new.device, old.device)):
        with pytest.raises(RegistryError):
            fleet.replace(world.engine, one, other, EVERYTHING, by="lan", now=NOW)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_however_devices_are_moved_and_schools_merged_no_credential_changes(
    world: World, data: st.DataObject
) -> None:
    mark = f"{time.monotonic_ns():x}"[-10:]
    codes = ["S", f"A{mark}", f"B{mark}"]
    with begin_write(world.engine) as conn:
        commune = registry.communes(conn, EVERYTHING)[0].id
        for code in codes[1:]:
            school = registry.create_school(conn, commune, code, code, "THCS", NOW)
            registry.create_room(conn, school, "Tin học", "student_lab")
    fleet_ = world.enrol(3)
    before = kept(world)
    steps = data.draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=5))
    for seq, (who, where) in enumerate(steps, 1):
        room = "Tin học" if where and seq % 2 else ""
        fleet.move(world.engine, fleet_[who].device, codes[where], room, EVERYTHING, by="lan", now=NOW + seq)
    there = sum(row.school_code == codes[1] for row in (row_of(world, d) for d in fleet_) if row)
    assert fleet.merge(world.engine, codes[1], codes[2], by="lan", now=NOW + 100) == there
    assert kept(world) == before
    for device in fleet_:
        row = row_of(world, device)
        assert row is not None
        assert row.school_code != codes[1]
        assert is_taken(world, device, 1, at=NOW + 200)
    with begin_read(world.engine) as conn:
        merged = registry.school_by_code(conn, codes[2], EVERYTHING)
        assert merged is not None
        rooms = [room.name for room in pages.rooms(conn, merged.id)]
    assert rooms == ["Tin học", f"Tin học ({codes[1]})"], "two rooms of the same name are two still"


def test_a_school_that_was_merged_counts_nowhere_and_takes_nothing_more(world: World) -> None:
    with begin_write(world.engine) as conn:
        commune = registry.communes(conn, EVERYTHING)[0]
        gone = registry.create_school(conn, commune.id, "N", "Mới", "THCS", NOW)
        for school, students in ((gone, 300), (world.school, 500)):
            declarations.declare(conn, school, "students", students, NOW, "lan")
        declarations.declare(conn, gone, "devices", 20, NOW, "lan")
    fleet.merge(world.engine, "N", "S", by="lan", now=NOW + 1)
    with begin_read(world.engine) as conn:
        assert [school.code for school in registry.schools(conn, EVERYTHING)] == ["S"]
        (tally,) = pages.tallies(conn, EVERYTHING, heard_after=NOW, working_after=NOW)
        (counted,) = count(conn, EVERYTHING, limits(load_packs(), NOW))
        former = registry.school_by_code(conn, "N", EVERYTHING)
    assert tally.school_id == counted.school_id == world.school
    assert counted.counts.students_declared == 800
    assert counted.counts.devices_declared is None, "one of the two did not say"
    assert former is not None
    assert (former.id, former.code) == (gone, ""), "what it was is still read"
    device = world.enrol(1)[0].device
    with pytest.raises(RegistryError, match="no school with the code 'N'"):
        fleet.move(world.engine, device, "N", "", EVERYTHING, by="lan", now=NOW + 2)
    with pytest.raises(RegistryError, match="no school with one of these codes"):
        fleet.merge(world.engine, "S", "N", by="lan", now=NOW + 2)
    with pytest.raises(ValueError, match="no more"):
        issue_enrolment_token(world.engine, gone, None, 1, 5, now=NOW + 2)


@pytest.mark.parametrize("how", ["moved", "merged"])
def test_a_frozen_computer_comes_back_as_itself_after_a_move_and_a_merge(world: World, how: str) -> None:
    hints = {"system": frozenset({"a" * 32}), "disk": frozenset({"b" * 32})}
    token = issue_enrolment_token(world.engine, world.school, None, 1, 5, now=NOW, admits="at_once")
    first = enrol(world.engine, token, Asking("before-the-move", hints, frozen=True), now=NOW)
    with begin_write(world.engine) as conn:
        commune = registry.communes(conn, EVERYTHING)[0].id
        registry.create_school(conn, commune, "N", "Mới", "THCS", NOW)
    if how == "moved":
        fleet.move(world.engine, first.device, "N", "", EVERYTHING, by="lan", now=NOW + 1)
    else:
        fleet.merge(world.engine, "S", "N", by="lan", now=NOW + 1)
    again = enrol(world.engine, token, Asking("after-a-restart", hints, frozen=True), now=NOW + 2)
    assert again.device == first.device
    with begin_read(world.engine) as conn:
        (row,) = registry.devices(conn, EVERYTHING)
    assert row.school_code == "N"


# --- ghosts -------------------------------------------------------------------------------------------------


def found(world: World, now: float = NOW, scope: Scope = EVERYTHING) -> dict[str, str]:
    with begin_read(world.engine) as conn:
        return {row.device: row.reason for row in ghosts.proposed(conn, scope, now)}


def identity_of(number: int) -> tuple[Fact, ...]:
    return tuple(
        Fact("identity.hint", f"{number:031x}{n}", {"kind": kind})
        for n, kind in enumerate(("system", "board", "disk"))
    )


def test_the_silent_are_proposed_only_while_others_of_their_school_report(world: World) -> None:
    silent, never, alive = world.enrol(3)
    assert is_taken(world, silent, 1, at=NOW - 70 * DAY)
    assert found(world) == {}, "in the holidays everybody is silent"
    assert is_taken(world, alive, 1)
    assert found(world) == {silent.device: "silent", never.device: "never_heard"}
    assert found(world, scope=Scope("school", 999)) == {}
    fleet.keep(world.engine, silent.device, EVERYTHING, by="lan", now=NOW)
    assert found(world) == {never.device: "never_heard"}
    with begin_read(world.engine) as conn:
        assert len(registry.devices(conn, EVERYTHING)) == 3, "nobody is dropped by a proposal"


def test_a_computer_that_reports_anew_and_a_clone_are_proposed_with_their_reasons(world: World) -> None:
    old, new, cloned = world.enrol(3)
    for device, at in ((old, NOW - DAY), (new, NOW)):
        message = device.message(1, at=at, facts=identity_of(1))
        assert device.device in take(world.engine, [message], RULES)
    for hour, machine in enumerate((2, 3, 2)):
        message = cloned.message(hour + 1, at=NOW + 3600 * hour, facts=identity_of(machine))
        assert cloned.device in take(world.engine, [message], RULES)
    assert found(world, NOW + 4 * 3600) == {old.device: "installed_anew", cloned.device: "clone"}
    with begin_read(world.engine) as conn:
        heirs = {row.device: row.heir for row in ghosts.proposed(conn, EVERYTHING, NOW + 4 * 3600)}
    assert heirs == {old.device: new.device, cloned.device: None}
    fleet.replace(world.engine, new.device, old.device, EVERYTHING, by="lan", now=NOW + 5 * 3600)
    assert set(found(world, NOW + 6 * 3600)) == {cloned.device}


# --- the console --------------------------------------------------------------------------------------------


@pytest.fixture
def site(world: World) -> Iterator[RunningSite]:
    with RunningSite(settings_of(world.folder)) as site:
        yield site


def test_a_technician_cleans_up_undoes_it_and_puts_many_into_a_room(world: World, site: RunningSite) -> None:
    first, second = world.enrol(2)
    assert is_taken(world, second, 1)
    with begin_write(world.engine) as conn:
        room = registry.create_room(conn, world.school, "Tin học", "student_lab")
        conn.execute(t.membership.update().values(valid_from=NOW - 30 * DAY))
    technician = site.somebody("technician", Scope("school", world.school))
    page = technician.get("/ghosts").text
    assert "chưa từng gửi số liệu" in page
    assert first.device in page
    form = {"csrf": csrf(technician), "back": "ghosts"}
    path = f"/devices/{first.device}/life"
    assert technician.post(path, data={**form, "decision": "retire"}).status_code == 303
    assert row_of(world, first) is None
    assert "Khôi phục" in technician.get("/ghosts").text
    assert technician.post(path, data={**form, "decision": "restore"}).status_code == 303
    ticked = {"csrf": csrf(technician), "device": [first.device, second.device], "room": str(room)}
    assert technician.post("/schools/S/devices", data=ticked).status_code == 303
    assert {row.room for row in (row_of(world, d) for d in (first, second)) if row} == {"Tin học"}
    assert technician.post(path, data={**form, "decision": "revoke", "back": "device"}).status_code == 303
    page = technician.get(f"/devices/{first.device}").text
    assert "Máy đã bị thu hồi kết nối" in page
    assert re.search(r'value="revoke" disabled', page)
