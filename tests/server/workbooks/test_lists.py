"""Lists of what schools have: read, compared, put in place, read again; faults by row and column."""

import io
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from sqlalchemy import select

from reports import World
from schoolwatch_server import roster_words, rosters, texts
from schoolwatch_server.database import audit, contacts, listed, lives, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.rosters import LISTS, NAMES, ROSTERS, Name
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.vietnam import begins, day_of, ends
from schoolwatch_server.workbooks import cells, grid, listing, table, template
from schoolwatch_server.workbooks import contacts as contact_list
from schoolwatch_server.workbooks.listing import Known
from schoolwatch_server.workbooks.schools import Plan

NOW = 1_795_000_000.0  # 18 November 2026
TODAY = date(2026, 11, 29)
SCHOOLS = {
    "A1": Known("TH&THCS", rooms=("Phòng Tin", "Lớp 1A"), computers={"Phòng Tin": 30}),
    "A2": Known("THPT"),
    "A3": Known(""),
}


def planned(name: Name, text: str) -> Plan:
    kind = contact_list.LISTING if name == "contact" else LISTS[name][0]
    return listing.plan(kind, table.read(grid.read(text.encode()), kind.columns), SCHOOLS, TODAY)


def wrong(name: Name, text: str) -> list[tuple[int, str, str]]:
    return [(one.row, one.column, one.reason) for one in planned(name, text).problems]


@pytest.mark.parametrize("name", NAMES)
def test_each_list_is_headed_unambiguously_and_in_both_languages(name: Name) -> None:
    fields = ROSTERS[name].fields
    headings = [table._key(text) for field in fields for text in field.headings]
    assert [one for one in headings if headings.count(one) > 1] == []
    for field in fields:
        assert field.title(is_english=True).isascii(), field.name
        assert all(each[-1].isascii() and field.parse(each[0]) is not None for each in field.words.values())
    said = texts.load()
    assert {
        f"imports.roster.{name}",
        f"audit.{name}_import",
        f"workbook.things.{name}",
    } <= said.entries.keys()
    (sheet, _) = load_workbook(io.BytesIO(template.write(fields))).worksheets
    assert [cell.value.removesuffix(" *") for cell in sheet[1]] == [field.title() for field in fields]


CLASSES = "Mã trường,Năm học,Lớp,Cấp học,Khối,Sĩ số,Nhóm đông nhất,Phòng máy\n"


@pytest.mark.parametrize(
    ("row", "stage"),
    [
        ("A1,2026-2027,6A,,6,40,,", "THCS"),  # the grade says it
        ("A1,2026-2027,1A,Tiểu học,,0,0,phòng tin", "TH"),  # a class of nobody is a class
        ("A2,2026 - 2027,10A1,,,45,23,", "THPT"),  # the school teaches one stage
        ("A3,NH 2026-2027,X,GDTX,,30,,", "GDTX"),
    ],
)
def test_the_stage_of_a_class_is_given_or_follows(row: str, stage: str) -> None:
    (change,) = planned("class", CLASSES + row).changes
    assert (change.after("stage"), change.after("school_year")) == (stage, "2026-2027")


@pytest.mark.parametrize(
    ("name", "text", "column", "reason"),
    [
        ("class", CLASSES + "A1,2026-2027,6A,,,40,,", "D", "stage_unclear"),
        ("class", CLASSES + "A3,2026-2027,6A,,6,40,,", "D", "stage_unclear"),
        ("class", CLASSES + "A1,2026-2027,10A,,10,40,,", "E", "grade_elsewhere"),
        ("class", CLASSES + "A2,2026-2027,6A,THCS,6,40,,", "D", "stage_elsewhere"),
        ("class", CLASSES + "A1,2026-2027,6A,THCS,5,40,,", "E", "grade_elsewhere"),
        ("class", CLASSES + "A1,2026-2027,6A,THCS,6,20,21,", "G", "more_than_class"),
        ("class", CLASSES + "A1,2026-2028,6A,THCS,6,20,,", "B", "not_a_school_year"),
        ("class", CLASSES + "A1,2026-2027,6A,THCS,6,201,,", "F", "too_many"),
        ("class", CLASSES + "A1,2026-2027,6A,THCS,6,20,,Phòng Lab", "H", "no_such_room"),
        ("class", CLASSES + "A9,2026-2027,6A,THCS,6,20,,", "A", "no_such_school"),
        ("contract", "Mã trường,Nhà mạng,Từ ngày,Đến ngày\nA1,VNPT,01/02/2026,31/01/2026", "D", "ends_first"),
        ("contract", "Mã trường,Nhà mạng,Băng thông\nA1,VNPT,nhanh", "C", "not_a_speed"),
        ("contract", "Mã trường,Nhà mạng,Băng thông\nA1,VNPT,0", "C", "not_a_speed"),
        ("contract", "Mã trường,Nhà mạng,Hotline\nA1,VNPT,gọi Lan", "C", "not_a_phone"),
        ("asset", "Mã trường,Mã tài sản,Tài sản,Tình trạng\nA1,TS1,Máy in,ổn", "D", "not_one_of"),
        ("asset", "Mã trường,Mã tài sản,Tên tài sản,Phòng\nA1,TS1,Máy in,Kho", "D", "no_such_room"),
        ("contact", "Mã trường,Vai trò,Họ tên,SĐT\nA1,Đầu mối,Lan,12", "D", "not_a_phone"),
        ("contact", "Mã trường,Vai trò,Họ tên,Email\nA1,Đầu mối,Lan,lan@", "D", "not_an_email"),
        ("contact", "Mã trường,Vai trò,Họ tên\nA1,Hiệu trưởng,Lan", "B", "not_one_of"),
        (
            "check",
            "Mã trường,Phòng,Ngày kiểm tra,Số máy hoạt động\nA1,Phòng Tin,1/1/2030,9",
            "C",
            "in_future",
        ),
        ("check", "Mã trường,Phòng,Ngày kiểm tra,Số máy hoạt động\nA1,Phòng Tin,1/9/2026,", "D", "missing"),
        (
            "check",
            "Mã trường,Phòng,Ngày kiểm tra,Số máy hoạt động\nA1,phòng tin,1/9/2026,31",
            "D",
            "more_than_room",
        ),
        ("campus", "Mã trường,Điểm trường\nA1,", "B", "missing"),
    ],
)
def test_what_does_not_fit_is_named_by_row_and_column(
    name: Name, text: str, column: str, reason: str
) -> None:
    assert wrong(name, text) == [(2, column, reason)]


def test_a_thing_stands_once_in_a_list() -> None:
    head = "Mã trường,Nhà mạng,Mã thuê bao\n"
    assert wrong("contract", head + "A1,VNPT,x1\nA1,VNPT,x2\nA2,vnpt,x1") == []
    assert wrong("contract", head + "A1,VNPT,x1\nA1,vnpt,X1") == [(3, "C", "row_twice")]
    assert wrong("contract", head + "A1,VNPT,\nA1,VNPT,") == [(3, "B", "row_twice")]
    assert wrong("check", "Mã trường,Phòng,Ngày kiểm tra,Số máy hoạt động\nA1,Phòng Tin,1/9/2026,9\n" * 2)[
        -1
    ] == (4, "C", "row_twice")


@pytest.mark.parametrize(
    ("written", "speed"), [("150", 150), ("1,5 Mbps", 1.5), ("1 Gbps", 1000), (150.0, 150), ("2.5Gb/s", 2500)]
)
def test_speeds_are_read_as_people_write_them(written: grid.Value, speed: float) -> None:
    assert cells.mbps(written) == speed


def test_a_telephone_number_that_a_spreadsheet_counted_has_lost_its_nought() -> None:
    with pytest.raises(cells.CellError) as error:
        cells.phone(912345678.0)
    assert (error.value.reason, error.value.values["likely"]) == ("noughts_lost", "0912345678")
    assert cells.phone("0912 345 678") == "0912 345 678"
    assert cells.phone(18001166.0) == "18001166"


VALUES = st.one_of(st.none(), st.text(max_size=30), st.floats(allow_nan=False), st.dates())
PARSES = [field.parse for name in NAMES for field in ROSTERS[name].fields]


@given(VALUES, st.sampled_from(PARSES))
def test_a_cell_is_understood_or_a_fault_of_which_there_are_words(
    value: grid.Value, parse: cells.Parse
) -> None:
    fault = None
    try:
        parse(value)
    except cells.CellError as error:
        fault = error
    if fault is not None:
        assert TEXTS.get("vi", f"workbook.problem.{fault.reason}", **fault.values)


TEXTS = texts.load()


@given(st.dates(date(1980, 1, 1), date(2100, 1, 1)))
def test_a_day_is_the_day_it_was(day: date) -> None:
    assert day_of(begins(day)) == day == day_of(ends(day) - 1)
    assert ends(day) - begins(day) == 86400


# --- in the database ------------------------------------------------------------------------------------

FILES: dict[Name, str] = {
    "campus": "Mã trường,Điểm trường\n{code},Điểm Bản Mây\n",
    "room": "Mã trường,Phòng,Loại phòng,Số máy,Điểm trường,Đang dùng,Trình chiếu,Projection works,"
    "Xác nhận Internet\n{code},Phòng Tin,Phòng máy,30,Điểm Bản Mây,Có,Máy chiếu,Không,01/11/2026\n"
    "{code},Lớp 6A,Phòng học,,,,,,\n",
    "class": CLASSES + "{code},2026-2027,6A,THCS,6,41,21,Phòng Tin\n{code},2025-2026,6A,THCS,6,38,,\n",
    "contract": "Mã trường,Nhà mạng,Mã thuê bao,Công nghệ,Tốc độ,Upload (Mbps),Hotline,Từ ngày,Đến ngày\n"
    "{code},VNPT,hni_ftth_1,Cáp quang,150,150,18001166,01/01/2026,31/12/2026\n{code},Viettel,,,,,,,\n",
    "asset": "Mã trường,Mã tài sản,Tên tài sản,Loại,Phòng,Công dụng,Tình trạng,Có số serial,"
    "Bảo hành đến,Chức danh phụ trách\n"
    "{code},TS-01,Máy tính 1,PC,Phòng Tin,Dạy Tin,Đang dùng,Có,30/06/2027,Giáo viên Tin\n",
    "contact": "Mã trường,Vai trò,Họ tên,SĐT,Email\n{code},Đầu mối CNTT,Đỗ Thị Lan,0912 345 678,"
    "lan@truong.edu.vn\n{code},Người thay thế,Vũ Văn Nam,,\n",
    "check": "Mã trường,Phòng,Ngày kiểm tra,Số máy hoạt động\n{code},phòng tin,10/11/2026,27\n",
}


@pytest.fixture
def school(world: World) -> registry.SchoolRow:
    with begin_write(world.engine) as conn:
        (one, *_) = registry.schools(conn, EVERYTHING)
        conn.execute(t.school.update().where(t.school.c.id == one.id).values(level="THCS"))
    return one


def imported(world: World, name: Name, text: str, code: str) -> rosters.Preview:
    data = text.replace("{code}", code).encode()
    found = rosters.take_in(world.engine, name, data, EVERYTHING, by="lan", now=NOW)
    assert found.plan.problems == ()
    return found


def test_every_list_is_put_in_place_once_and_says_the_same_when_it_comes_again(
    world: World, school: registry.SchoolRow
) -> None:
    (device,) = world.enrol(1)
    with begin_write(world.engine) as conn:
        conn.execute(t.device.update().values(asset_tag="TS-01"))
    for name, text in FILES.items():
        rows = text.count("\n") - 1
        assert len(imported(world, name, text, school.code).plan.changes) == rows, name
        again = imported(world, name, text, school.code)
        assert (again.plan.changes, again.plan.same) == ((), rows), name
    with begin_read(world.engine) as conn:
        (lab,) = conn.execute(select(t.room).where(t.room.c.name == "Phòng Tin")).mappings()
        one, other = conn.execute(select(t.school_class).order_by(t.school_class.c.id)).mappings()
        fibre, bare = conn.execute(select(t.line_contract).order_by(t.line_contract.c.id)).mappings()
        (asset,) = conn.execute(select(t.asset)).mappings()
        (check,) = conn.execute(select(t.hand_check)).mappings()
        campus = conn.scalar(select(t.campus.c.id))
        enrolled = conn.scalar(select(t.device.c.id).where(t.device.c.device == device.device))
        actions = {line.action for line in audit.newest(conn, 40)}
    assert (lab["campus_id"], lab["projection"], lab["projection_ok"]) == (campus, "projector", False)
    assert (lab["in_use"], lab["internet_by_hand_at"]) == (True, begins(date(2026, 11, 1)))
    assert (one["students"], one["group_students"], one["room_id"]) == (41, 21, lab["id"])
    assert (one["year_ends"], other["year_ends"]) == (
        ends(date(2027, 8, 31)),
        ends(date(2026, 8, 31)),
    )
    assert (fibre["technology"], fibre["download_mbps"], fibre["hotline"]) == ("fibre", 150.0, "18001166")
    assert (fibre["starts"], fibre["ends"]) == (begins(date(2026, 1, 1)), begins(date(2027, 1, 1)))
    assert (bare["technology"], bare["download_mbps"], bare["ends"]) == ("", None, None)
    assert (asset["kind"], asset["has_serial"], asset["room_id"]) == ("computer", True, lab["id"])
    assert asset["device_id"] == enrolled, "the device that bears the asset's number"
    assert (check["room_id"], check["computers_working"], check["checked_by"]) == (lab["id"], 27, "lan")
    assert {f"{name}.import" for name in FILES} <= actions


def test_a_device_that_is_given_the_number_of_an_asset_is_that_asset(
    world: World, school: registry.SchoolRow
) -> None:
    (device,) = world.enrol(1)
    text = "Mã trường,Mã tài sản,Tên tài sản\n{code},TS-1,Máy 1\n{code},TS-2,Máy 2\n"
    imported(world, "asset", text, school.code)
    for tag, expected in (("TS-1", {"TS-1"}), ("TS-2", {"TS-2"}), ("TS-9", set()), ("", set())):
        with begin_write(world.engine) as conn:
            lives.set_asset_tag(conn, device.id, tag)
            linked = conn.scalars(select(t.asset.c.tag).where(t.asset.c.device_id == device.id)).all()
        assert set(linked) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("class", "Mã trường,Năm học,Lớp,Xóa\n{code},2026-2027,6a,Có\n{code},2025-2026,6A,Không\n"),
        ("contact", "Mã trường,Vai trò,Xóa\n{code},Người thay thế,x\n"),
        ("check", "Mã trường,Phòng,Ngày kiểm tra,Xóa\n{code},phòng tin,10/11/2026,Có\n"),
    ],
)
def test_what_stands_there_by_mistake_is_taken_away(
    world: World, school: registry.SchoolRow, name: Name, text: str
) -> None:
    for each in ("campus", "room", name):
        imported(world, each, FILES[each], school.code)
    table_ = {"class": t.school_class, "contact": t.contact, "check": t.hand_check}[name]
    with begin_read(world.engine) as conn:
        before = len(conn.execute(select(table_.c.id)).all())
    preview = rosters.look(world.engine, name, text.replace("{code}", school.code).encode(), EVERYTHING, NOW)
    voice = texts.Voice(TEXTS, "vi", "workbook")
    assert roster_words.change(preview.plan.changes[0], ROSTERS[name].fields, voice).startswith("dòng 2: xóa")
    assert "Sẽ xóa 1 " in roster_words.counts(preview, voice, done=False)
    imported(world, name, text, school.code)
    with begin_read(world.engine) as conn:
        assert len(conn.execute(select(table_.c.id)).all()) == before - 1
    again = rosters.look(world.engine, name, text.replace("{code}", school.code).encode(), EVERYTHING, NOW)
    assert [(one.row, one.reason) for one in again.plan.problems] == [(2, "nothing_to_remove")]


def test_of_a_list_with_one_fault_nothing_is_imported(world: World, school: registry.SchoolRow) -> None:
    text = CLASSES + f"{school.code},2026-2027,6A,THCS,6,40,,\n{school.code},2026-2027,6B,THCS,6,nhiều,,\n"
    found = rosters.take_in(world.engine, "class", text.encode(), EVERYTHING, by="lan", now=NOW)
    assert [(one.row, one.column, one.reason) for one in found.plan.problems] == [(3, "F", "not_a_count")]
    with begin_read(world.engine) as conn:
        assert conn.execute(select(t.school_class)).all() == []


def test_contacts_are_sealed_and_no_preview_log_or_list_says_them(
    world: World, school: registry.SchoolRow, tmp_path: Path
) -> None:
    imported(world, "contact", FILES["contact"], school.code)
    other = FILES["contact"].replace("0912 345 678", "0987 654 321").replace("{code}", school.code)
    found = rosters.look(world.engine, "contact", other.encode(), EVERYTHING, NOW)
    (change,) = found.plan.changes
    voice = texts.Voice(TEXTS, "vi", "workbook")
    said = roster_words.change(change, ROSTERS["contact"].fields, voice)
    assert said == f"dòng 2: sửa {school.code} Đầu mối CNTT: Điện thoại công vụ: có thay đổi (không hiển thị)"
    rosters.take_in(world.engine, "contact", other.encode(), EVERYTHING, by="lan", now=NOW)
    with begin_read(world.engine) as conn:
        (lan, nam) = contacts.opened(conn, EVERYTHING)[school.id]
        assert (lan.name, lan.phone, lan.email) == ("Đỗ Thị Lan", "0987 654 321", "lan@truong.edu.vn")
        assert (nam.kind, nam.name, nam.phone) == ("deputy", "Vũ Văn Nam", "")
        assert contacts.opened(conn, Scope("school", school.id + 999)) == {}
        assert set(contacts.kinds(conn, school.id, EVERYTHING)) == {"it_contact", "deputy"}
        told = str([(line.subject, line.detail) for line in audit.newest(conn, 20)])
    assert "Lan" not in told
    assert "0987" not in told
    world.engine.dispose()
    files = b"".join(path.read_bytes() for path in world.folder.glob("schoolwatch.db*"))
    for secret in ("Đỗ Thị Lan", "0912 345 678", "0987 654 321", "lan@truong.edu.vn", "Vũ Văn Nam"):
        assert secret.encode() not in files


def test_a_contact_that_somebody_altered_hides_no_other_and_is_entered_anew(
    world: World, school: registry.SchoolRow
) -> None:
    imported(world, "contact", FILES["contact"], school.code)
    with begin_write(world.engine) as conn:
        c = t.contact.c
        deputy = select(c.name).where(c.kind == "deputy").scalar_subquery()
        conn.execute(t.contact.update().where(c.kind == "it_contact").values(name=deputy))
    with begin_read(world.engine) as conn:
        (lan, nam) = contacts.opened(conn, EVERYTHING)[school.id]
    assert (lan.name, lan.phone, lan.is_altered) == ("", "0912 345 678", True)
    assert (nam.name, nam.is_altered) == ("Vũ Văn Nam", False)
    imported(world, "contact", FILES["contact"], school.code)
    with begin_read(world.engine) as conn:
        assert [one.is_altered for one in contacts.opened(conn, EVERYTHING)[school.id]] == [False, False]


def test_what_a_scope_does_not_see_is_no_school_of_a_list(world: World, school: registry.SchoolRow) -> None:
    with begin_read(world.engine) as conn:
        kind, store = LISTS["class"]
        assert listed.known(conn, kind, store, Scope("school", school.id)).keys() == {school.code}
        assert listed.known(conn, kind, store, Scope("school", school.id + 999)) == {}


def test_who_sees_one_school_need_not_write_its_code(world: World) -> None:
    school = world.school
    own = Scope("school", school)
    text = "STT,Tên phòng,Loại phòng,Số máy tính\n1,Phòng Tin,Phòng máy,30\n\n2,Lớp 6A,Phòng học,\n"
    found = rosters.take_in(world.engine, "room", text.encode(), own, by="lan", now=NOW)
    assert found.plan.problems == ()
    assert [(one.code, one.name) for one in found.plan.changes] == [("S", "Phòng Tin"), ("S", "Lớp 6A")]
    again = rosters.take_in(world.engine, "room", text.encode(), own, by="lan", now=NOW)
    assert (again.plan.changes, again.plan.same) == ((), 2)
    everybody = rosters.look(world.engine, "room", text.encode(), EVERYTHING, NOW)
    assert [one.reason for one in everybody.plan.problems] == ["no_column"]
