"""A school's work list week by week: what stands, what is new on it, what was mended, and who sees it."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import NOW, World
from schoolwatch_server import rules
from schoolwatch_server.database import faults, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.faults import Fault
from schoolwatch_server.database.incidents import NewIncident
from schoolwatch_server.rules import subject
from schoolwatch_server.scope import Scope
from schoolwatch_server.use import WEEK
from schoolwatch_server.work_list import Week, named, tasks, this_week
from tree import Tree
from website import RunningSite

RULES = {rule.id: rule for rule in rules.load()}
THIS = this_week(NOW)
DAY = 86_400.0


def fault(
    device: str, *, rule: str = "antivirus_off", listed: float = -9.0, ended: float | None = None
) -> Fault:
    """Listed and ended so many days after this Monday."""
    end = None if ended is None else THIS.start + ended * DAY
    return Fault(rule, "high", device, device, None, NOW, THIS.start + listed * DAY, end)


def test_a_week_has_its_number_and_days_in_vietnam() -> None:
    week = named("2026-W48")
    assert week is not None
    assert (week.name, week.number, week.first, week.last) == (
        "2026-W48",
        48,
        date(2026, 11, 23),
        date(2026, 11, 29),
    )
    sunday_night = 1_795_971_600.0 - 1  # 2026-11-30 00:00 in Vietnam
    assert this_week(sunday_night) == week
    assert this_week(sunday_night + 1).name == "2026-W49"
    assert week.before.name == "2026-W47"


@pytest.mark.parametrize(
    "text", ["", "2026-W00", "2026-W54", "2026-48", "0001-W01", "٢٠٢٦-W10", "2026-W48\n"]
)
def test_what_is_no_week_is_none(text: str) -> None:
    assert named(text) is None


@given(st.integers(1971 * 53, 2200 * 53))
def test_every_week_is_found_by_its_name(number: int) -> None:
    week = Week(this_week(0).start + number * WEEK)
    assert named(week.name) == week


def test_what_is_new_and_what_was_mended_in_the_week_is_told_apart() -> None:
    found = [
        fault("old"),
        fault("new", listed=1),
        fault("mended", ended=2),
        fault("mended later", ended=8),
        fault("back", ended=1),
        fault("back", listed=3),
    ]
    (task,) = tasks(found, RULES, THIS)
    assert [each.device for each in task.standing] == ["old", "new", "mended later", "back"]
    assert [each.device for each in task.mended] == ["mended"]
    assert task.fresh == {"new", "back"}


def test_the_most_severe_comes_first_then_what_most_computers_have() -> None:
    found = [fault("a", rule="signatures_old"), fault("a"), fault("a", rule="gone"), fault("b", rule="gone")]
    assert [task.id for task in tasks(found, RULES, THIS)] == ["gone", "antivirus_off", "signatures_old"]
    assert tasks(found, RULES, THIS)[0].rule is None


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def put(world: World, device: int, at: float) -> NewIncident:
    new = NewIncident("antivirus_off", 1, "high", subject.device(device), at, at, late=False, evidence={})
    with begin_write(world.engine) as conn:
        faults.put(conn, new)
    return new


def listed(world: World, school: int, week: Week, scope: Scope | None = None) -> list[str]:
    with begin_read(world.engine) as conn:
        return [
            each.device
            for each in faults.of_school(conn, scope or Scope("all"), school, week.start, week.end)
        ]


def test_a_list_holds_what_stood_in_its_week_on_computers_of_the_school(world: World) -> None:
    first, second = world.enrol(2)
    mended = put(world, first.id, NOW)
    put(world, second.id, NOW)
    put(world, second.id, NOW + DAY)  # it is on the list already
    with begin_write(world.engine) as conn:
        faults.end(conn, mended.fingerprint, NOW + 8 * DAY)
    assert listed(world, world.school, this_week(NOW - 7 * DAY)) == []
    assert listed(world, world.school, this_week(NOW)) == [first.device, second.device]
    assert listed(world, world.school, this_week(NOW + 15 * DAY)) == [second.device]


def test_a_computer_that_moved_is_on_the_list_of_where_it_was_and_then_of_where_it_is(world: World) -> None:
    (device,) = world.enrol()
    put(world, device.id, NOW)
    with begin_write(world.engine) as conn:
        commune = conn.scalar(t.commune.select().with_only_columns(t.commune.c.id))
        other = registry.create_school(conn, commune, "S2", "Trường khác", "TH", NOW)
        registry.move_device(conn, device.id, other, None, NOW + 8 * DAY)
    assert listed(world, world.school, this_week(NOW)) == [device.device]
    assert listed(world, other, this_week(NOW)) == []
    assert listed(world, world.school, this_week(NOW + 15 * DAY)) == []
    assert listed(world, other, this_week(NOW + 15 * DAY)) == [device.device]


def test_nobody_sees_the_list_of_another_school(world: World) -> None:
    (device,) = world.enrol()
    put(world, device.id, NOW)
    assert listed(world, world.school, this_week(NOW), Scope("school", world.school)) == [device.device]
    assert listed(world, world.school, this_week(NOW), Scope("school", world.school + 1)) == []


@pytest.fixture
def tree(tmp_path) -> Iterator[Tree]:
    tree = Tree(tmp_path)
    with begin_write(tree.engine) as conn:
        for school, computer, rule, severity in (
            (0, 0, "antivirus_off", "high"), (0, 1, "autorun_on", "low"), (1, 0, "autorun_on", "low"),
            (1, 1, "autorun_on", "low"), (4, 0, "updates_old", "medium"), (0, 0, "autorun_on", "low"),
        ):  # fmt: skip
            about = subject.device(tree.schools[school].devices[computer].id)
            new = NewIncident(rule, 1, severity, about, tree.now - 60, tree.now - 60, False, {})
            faults.put(conn, new)
        faults.end(conn, new.fingerprint, tree.now)  # mended again: it stands no more
    yield tree
    tree.engine.dispose()


def test_schools_and_communes_stand_in_order_the_worst_first(tree: Tree) -> None:
    week = this_week(tree.now).name
    with RunningSite(tree.config) as site:
        told = site.ask().get("/api/v1/work-lists").json()
        assert told["week"] == week
        assert [
            (one["school_code"], one["tasks"], one["computers"], one["grave"]) for one in told["schools"]
        ] == [("Mark000X", 2, 2, 1), ("Mark001X", 1, 2, 0), ("Mark100X", 1, 1, 0)]
        commune = site.ask(Scope("commune", tree.schools[4].commune))
        assert [one["school_code"] for one in commune.get("/api/v1/work-lists").json()["schools"]] == [
            "Mark100X"
        ]
        of_one = site.ask().get("/api/v1/work-list", params={"school": "Mark000X"}).json()
        assert [(task["rule"], len(task["standing"]), len(task["mended"])) for task in of_one["tasks"]] == [
            ("antivirus_off", 1, 0), ("autorun_on", 1, 1)
        ]  # fmt: skip
        answer = site.ask().get("/api/v1/work-list.csv", params={"school": "Mark000X", "lang": "en"})
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert [row["Rule [rule]"] for row in rows] == ["antivirus_off", "autorun_on", "autorun_on"]
        assert [bool(row["Mended [mended_at]"]) for row in rows] == [False, False, True]
        whole = site.ask().get("/api/v1/work-lists.csv").content.decode("utf-8-sig")
        assert [line.split('","')[3] for line in whole.splitlines()[1:]] == [
            "Mark000X",
            "Mark001X",
            "Mark100X",
        ]
        of_commune = site.ask().get("/api/v1/work-lists.csv?commune=MarkC00X").content.decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(of_commune)))
        links = [cell for row in rows for head, cell in row.items() if "link" in head]
        assert [link.partition("/schools/")[2] for link in links] == [
            f"Mark00{n}X/work-list?week={week}" for n in (0, 1)
        ]
        assert commune.get("/api/v1/work-lists", params={"commune": "MarkC00X"}).status_code == 404
        one = site.ask(Scope("school", tree.schools[0].id))
        assert one.get("/api/v1/work-lists", params={"commune": "MarkC00X"}).status_code == 404
        viewer = site.somebody("so_viewer", language="en")
        assert "work-lists.csv?commune=MarkC00X&amp;" in viewer.get("/communes/MarkC00X/work-list").text
        page = viewer.get("/provinces/MarkP0X/work-list").text
        assert re.findall(r'data-place="(\w+)"', page) == ["MarkC00X"]
        assert "2 schools have something to mend · 4 computers · 1 with a grave fault" in page
        page = viewer.get(f"/communes/MarkC00X/work-list?week={week}").text
        assert re.findall(r'data-place="(\w+)"', page) == ["Mark000X", "Mark001X"]
        assert viewer.get("/communes/MarkC00X/work-list?week=2026-W54").status_code == 422
