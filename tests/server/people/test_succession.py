"""Old codes and names of schools and communes lead on to what they are now."""

from datetime import date

import pytest

from reports import World
from schoolwatch_server import fleet, rosters
from schoolwatch_server.database import registry, roster, succession
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.rosters import Name, Preview
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.vietnam import begins

NOW = 1_795_000_000.0  # 18 November 2026
JULY = date(2025, 7, 1)


@pytest.fixture
def world(world: World) -> World:
    with begin_write(world.engine) as conn:
        commune = registry.communes(conn, EVERYTHING)[0].id
        for code in ("N", "M"):
            registry.create_school(conn, commune, code, f"Trường {code}", "THCS", NOW - 5)
    return world


def take(world: World, name: Name, text: str, now: float = NOW) -> Preview:
    return rosters.take_in(world.engine, name, text.encode(), EVERYTHING, by="lan", now=now)


def test_a_merged_school_leads_to_what_it_is_part_of_today(world: World) -> None:
    fleet.merge(world.engine, "S", "N", by="lan", now=NOW)
    fleet.merge(world.engine, "N", "M", by="lan", now=NOW + 9)
    with begin_read(world.engine) as conn:
        gone = registry.school_by_code(conn, "S", EVERYTHING)
        last = registry.school_by_code(conn, "M", EVERYTHING)
        assert gone is not None
        assert last is not None
        now = succession.successor(conn, gone.id, EVERYTHING)
        taken = succession.taken_in(conn, last.id, EVERYTHING)
        assert now == last
        assert succession.successor(conn, last.id, EVERYTHING) is None
    assert [(one.code, one.merged_at) for one in taken] == [("N", NOW + 9)]


def test_a_code_of_july_2025_is_entered_though_the_school_came_later(world: World) -> None:
    text = "Mã trường,Tên trường,Mã trường cũ,Áp dụng từ ngày\nN2,Trường N,N,01/07/2025\n"
    assert take(world, "school", text).plan.problems == ()
    assert take(world, "school", text).plan.changes == ()
    with begin_read(world.engine) as conn:
        school = registry.school_by_code(conn, "N", EVERYTHING)
        assert school is not None
        (former,) = roster.former_codes(conn, school.id, EVERYTHING)
    assert (school.code, former.code, former.valid_to) == ("N2", "N", begins(JULY))
    again = take(world, "school", text.replace("N2,Trường N,N,01/07/2025", "N3,Trường N,N2,30/06/2025"))
    assert [one.reason for one in again.plan.problems] == ["before_present_code"], "no first code"


def test_a_code_from_before_the_registry_is_kept_when_its_last_day_is_told(world: World) -> None:
    head = "Mã trường,Tên trường,Mã xã,Mã trường cũ,Áp dụng từ ngày\n"
    with begin_read(world.engine) as conn:
        commune = registry.communes(conn, EVERYTHING)[0].code
    for row, reason in (
        (f"P,Trường P,{commune},OLD1,", "no_school"),
        (f"P,Trường P,{commune},OLD1,01/01/2030", "in_future"),
    ):
        assert [one.reason for one in take(world, "school", head + row).plan.problems] == [reason]
    text = head + f"P,Trường P,{commune},OLD1,01/07/2025\nM,Trường M,{commune},OLD2,01/07/2025"
    assert take(world, "school", text).plan.problems == ()
    assert take(world, "school", text).plan.changes == ()
    with begin_read(world.engine) as conn:
        found = {old: registry.school_by_code(conn, old, EVERYTHING) for old in ("OLD1", "OLD2")}
    assert {old: one.code for old, one in found.items() if one} == {"OLD1": "P", "OLD2": "M"}


def test_what_communes_were_called_and_what_became_part_of_them_is_kept(world: World) -> None:
    with begin_read(world.engine) as conn:
        (old,) = registry.communes(conn, EVERYTHING)
    head = "Mã xã,Tên xã,Mã xã cũ,Sáp nhập vào xã (mã)\n"
    text = head + f"14900,Phường Hoa Lư,{old.code},\n"
    assert take(world, "commune", text).plan.problems == ()
    assert take(world, "commune", text, NOW + 1).plan.changes == ()
    both = head + "14901,Phường Yên,,\n14900,Phường Hoa Lư,,14901\n"
    assert take(world, "commune", both, NOW + 2).plan.problems == ()
    with begin_read(world.engine) as conn:
        for code in (old.code, "14900"):
            now = succession.commune_now(conn, code, EVERYTHING)
            assert now is not None
            assert now.code == "14901"
        former = succession.former_communes(conn, now.id)
        assert {school.commune for school in registry.schools(conn, EVERYTHING)} == {"Phường Yên"}
    assert [(one.code, one.name) for one in former] == [("14900", "Phường Hoa Lư"), (old.code, old.name)]
    wrong = take(world, "commune", head + "14901,Phường Yên,14900,\n")
    assert [one.reason for one in wrong.plan.problems] == ["both_communes"]
    wrong = take(world, "commune", head + "14902,Xã Mới,99999,\n")
    assert [one.reason for one in wrong.plan.problems] == ["no_such_commune"]
