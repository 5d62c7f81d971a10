"""Use of rooms, activation, working order, failing rungs and line tests: as JSON, and as a CSV of all."""

import csv
import io
from collections.abc import Iterator

import pytest

import machines
from reports import tell_day
from schoolwatch_contract.records import Fact, Reading
from schoolwatch_server import packs, reports, texts
from schoolwatch_server.database import registry, room_use, told
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.intake.batch import take
from schoolwatch_server.reports import Asked, Pen, stream
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.use import newest_settled
from tree import Tree

HOUR = 3600.0


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    """The first school has a tested line, told activation, a failing rung and disk, and a room's week."""
    tree = Tree(tmp_path_factory.mktemp("tree"))
    school = tree.schools[0]
    readings = (
        *machines.look("bandwidth", "linux/bandwidth-measured-v4").readings,
        Reading("activation.activated", 1.0, {"product": "windows", "edition": "Professional"}),
        Reading("ipv6.rung", 1.0, {"rung": "0"}),
        Reading("ipv6.rung", 0.0, {"rung": "1"}),
        Reading("disk_health.failure_predicted", 1.0, {"disk": "sda"}),
    )
    facts = (Fact("ipv6.rung.reason", "no_advertisement", {"rung": "1"}),)
    message = school.devices[0].message(9, at=tree.now, readings=readings, facts=facts)
    take(tree.engine, [message], Rules())
    week = newest_settled(tree.now)
    with begin_write(tree.engine) as conn:
        told.set_line_tester(conn, school.id, school.devices[0].id)
        told.set_line_tester(conn, tree.schools[1].id, tree.schools[1].devices[0].id)
        lab = registry.create_room(conn, school.id, f"Phòng máy 2 {school.mark}", "student_lab")
        for number in range(5):
            device = registry.create_device(conn, school.id, lab, f"Máy lab {number}", week)
            school.devices.append(device)  # type: ignore[arg-type]  # only its name is asked for
            tell_day(conn, device.id, week, on=2.5 * HOUR, active=HOUR)
    room_use.sum_weeks(tree.engine, tree.now)
    yield tree
    tree.engine.dispose()


def table(ask, name: str, scope: Scope = EVERYTHING, **params: str) -> list[dict[str, str]]:
    """The rows by column id."""
    answer = ask(scope).get(f"/api/v1/tables/{name}.csv", params=params)
    assert answer.status_code == 200, answer.text
    head, *lines = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    ids = [heading.rpartition("[")[2].rstrip("]") for heading in head]
    return [dict(zip(ids, line, strict=True)) for line in lines]


def test_a_rooms_week_is_told_with_what_it_rests_on(tree: Tree, ask) -> None:
    (use,) = ask().get("/api/v1/room-use").json()["room_use"]
    assert (use["school"]["code"], use["room"]) == ("Mark000X", "Phòng máy 2 Mark000X")
    assert use["on"] == {"mean": 9000.0, "unit": "s/d", "devices": 5, "device_days": 5, "hidden": None}
    assert use["boots"]["mean"] is None
    assert use["boots"]["hidden"] == "nobody_told"
    (row,) = table(ask, "room-use")
    assert (row["use_on"], row["use_on_devices"], row["use_on_device_days"], row["days"]) == (
        *("2.5", "5", "5", "1"),
    )
    assert row["use_boots"] == "chưa rõ"
    assert row["use_boots_hidden"] == "Chưa rõ: không máy nào có số liệu."
    assert table(ask, "room-use", Scope("school", tree.schools[1].id)) == []


def test_activation_is_counted_by_school_and_never_called_licensed(tree: Tree, ask) -> None:
    rows = {one["school"]["code"]: one for one in ask().get("/api/v1/activation").json()["activation"]}
    assert len(rows) == 8
    assert rows["Mark000X"]["windows"] == {"activated": 1, "not_activated": 0, "untold": 1}
    listed = {row["school_code"]: row for row in table(ask, "activation")}
    assert (listed["Mark000X"]["windows_activated"], listed["Mark001X"]["windows_activated"]) == ("1", "0")
    head = ask().get("/api/v1/tables/activation.csv").text.splitlines()[0]
    assert "Windows đã kích hoạt (không có nghĩa là có bản quyền)" in head


def test_a_device_tells_its_working_order_with_its_facts_and_its_first_failing_rung(tree: Tree, ask) -> None:
    school = tree.schools[0]
    listed = ask().get("/api/v1/devices", params={"school": school.code}).json()["devices"]
    one = next(device for device in listed if device["device"] == school.devices[0].device)
    assert one["working"]["verdict"] is True
    assert one["working"]["reasons"] == ["disk_failing"]
    rests_on = one["working"]["rests_on"]
    assert rests_on["taken_at"] == one["taken_at"]
    assert [disk["disk"] for disk in rests_on["failing_disks"]] == ["sda"]
    first = one["ipv6"]["first"]
    assert (first["rung"], first["standing"], first["reason"]) == (1, "failed", "no_advertisement")
    assert first["remedy"]["vi"]
    assert one["ipv6"]["rungs"][:3] == ["ok", "failed", "unknown"]
    rows = {row["device"]: row for row in table(ask, "devices", school=school.code)}
    row = rows[one["device"]]
    assert (row["working"], row["failing_disks"], row["broken"]) == ("Đang hoạt động", "sda", "không")
    assert (row["ipv6_first"], row["ipv6_remedy"]) == ("1", first["remedy"]["vi"])
    silent = rows[school.devices[-1].device]
    assert (silent["working"], silent["ipv6"]) == ("Chưa rõ có hoạt động không", "chưa rõ")
    assert silent["taken_at"] == "chưa rõ"


def test_a_line_is_told_with_its_tests_or_why_there_are_none(tree: Tree, ask) -> None:
    rows = {one["school"]["code"]: one for one in ask().get("/api/v1/lines").json()["lines"]}
    assert [rows[f"Mark00{n}X"]["state"] for n in (0, 1)] == ["tested", "untested"]
    assert rows["Mark010X"]["state"] == "no_device_chosen"
    (test,) = rows["Mark000X"]["tests"]
    assert test["family"] == "4"
    assert test["download"] > 1e6
    assert test["limited_by"] == []
    listed = {row["school_code"]: row for row in table(ask, "lines")}
    assert float(listed["Mark000X"]["download"]) == pytest.approx(test["download"] / 1e6, abs=1e-6)
    assert listed["Mark001X"]["line_state"].startswith("Máy được chọn chưa gửi")
    assert (listed["Mark010X"]["download"], listed["Mark010X"]["line_state"]) == (
        "chưa rõ",
        "Chưa chọn máy nào để đo tốc độ đường truyền.",
    )


@pytest.mark.parametrize("path", ["activation", "lines"])
@pytest.mark.parametrize("limit", [1, 3, 8])
def test_pages_of_schools_hold_each_once(ask, path: str, limit: int) -> None:
    cursor, seen = 0, []
    while cursor is not None:
        answer = ask().get(f"/api/v1/{path}", params={"limit": limit, "cursor": cursor}).json()
        assert len(answer[path]) <= limit
        seen += [row["school"]["code"] for row in answer[path]]
        cursor = answer["next"]
    assert len(seen) == len(set(seen)) == 8


def test_the_indicators_of_all_schools_are_one_file_and_the_same_as_one_by_one(tree: Tree, ask) -> None:
    rows = table(ask, "indicators")
    assert {row["school_code"] for row in rows} == {school.code for school in tree.schools}
    one = table(ask, "indicators", school="Mark011X")
    mine = [row for row in rows if row["school_code"] == "Mark011X"]
    for row in (*one, *mine):
        del row["at"]
    assert one == mine
    assert len(mine) > 1


def test_the_form_for_excel_is_utf16_with_tabs_and_a_decimal_comma(ask) -> None:
    answer = ask().get("/api/v1/tables/room-use.csv", params={"excel": "vi"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-16"
    assert answer.content.startswith(b"\xff\xfe")
    assert '"2,5"' in answer.content.decode("utf-16").split("\t")
    assert ask().get("/api/v1/tables/room-use.csv", params={"excel": "fr"}).status_code == 422
    assert ask().get("/api/v1/tables/passwords.csv").status_code == 404


def test_a_table_is_sent_school_by_school_and_holds_no_transaction_meanwhile(tree: Tree, ask) -> None:
    with begin_read(tree.engine) as conn:
        schools = registry.schools(conn, EVERYTHING)
    read = []

    def one_by_one() -> Iterator[registry.SchoolRow]:
        for school in schools:
            read.append(school.code)
            yield school

    asked = Asked(EVERYTHING, tree.now, packs.load(), 5, ())
    parts = stream(reports.TABLES["indicators"], tree.engine, one_by_one(), asked, Pen(texts.load()))
    assert b"[value]" in next(parts)
    assert read == []
    next(parts)
    assert len(read) == 1
    assert tree.engine.pool.checkedout() == 0
    with ask().stream("GET", "/api/v1/tables/indicators.csv") as answer:
        assert answer.headers["transfer-encoding"] == "chunked"
