"""A workbook of 2,000 rows as provinces send them: each fault is named by its row and column."""

import io
import random
import unicodedata
from dataclasses import dataclass, field
from datetime import date

import pytest
from openpyxl import Workbook, load_workbook

from reports import World
from schoolwatch_server import roster_words, rosters, texts
from schoolwatch_server.database import audit, registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.workbooks import template
from schoolwatch_server.workbooks.schools import FIELDS

NOW = 1_795_000_000.0  # November 2026
ROWS = 2000
COMMUNES = 100
NAMES = ("Lê Lợi", "Nguyễn Trãi", "Trần Hưng Đạo", "Đinh Tiên Hoàng", "Hoa Lư", "Yết Kiêu")
TOP = 6
"""Rows above the list: a letterhead, a title, and a heading of two rows."""


@dataclass
class Sheet:
    """A workbook, and where its faults are: (row, column) → reason."""

    book: Workbook = field(default_factory=Workbook)
    faults: dict[tuple[int, str], str] = field(default_factory=dict)

    def bytes(self) -> bytes:
        out = io.BytesIO()
        self.book.save(out)
        return out.getvalue()


def good_row(number: int) -> list[object]:
    """STT, code, name, level, commune code and name, day, students, computers, for students, remarks."""
    commune = number % COMMUNES
    name = f"Trường Tiểu học {NAMES[number % len(NAMES)]} số {number}"
    return [
        number + 1,
        f"{1000 + number:08d}",
        name,
        ("Tiểu học", "THCS", "TH và THCS", "TH&THCS", "Trung học phổ thông")[number % 5],
        f"{100 + commune:05d}",
        f"Xã Phúc Lộc {commune}",
        "01/07/2025" if number % 2 else date(2025, 7, 1),
        f"1.{number % 900 + 100}" if number % 3 else 500 + number % 100,
        40,
        30,
        "",
    ]


def spoil(sheet: Sheet, row: int, cells: list[object], kind: int) -> None:
    """One fault of each kind in turn."""
    column, reason, value = (
        ("B", "noughts_lost", 1000 + row),
        ("B", "twice", "00001000"),
        ("B", "not_a_code", "Trường 12"),
        ("B", "missing", None),
        ("C", "missing", ""),
        ("D", "not_a_level", "Trường chuyên"),
        ("F", "other_name", "Xã Khác"),
        ("G", "not_a_day", "31/02/2025"),
        ("G", "day_number", 45839),
        ("G", "in_future", "01/01/2030"),
        ("H", "not_a_count", "khoảng 400"),
        ("I", "formula_error", "#REF!"),
        ("J", "more_than_all", 41),
        ("H", "not_a_count", date(2025, 1, 30)),
    )[kind]
    cells["ABCDEFGHIJK".index(column)] = value
    sheet.faults[row, column] = reason


def messy(*, faults: int, seed: int = 5) -> Sheet:
    """A list with that many faults; harmless mess is in it always."""
    sheet, chance = Sheet(), random.Random(seed)
    page = sheet.book.active
    assert page is not None
    page["A1"] = "SỞ GIÁO DỤC VÀ ĐÀO TẠO"
    page["A3"] = "DANH SÁCH TRƯỜNG NĂM HỌC 2026-2027"
    page.merge_cells("A3:K3")
    for cell, text in {
        "A5": "STT", "B5": "Mã trường", "C5": "Tên trường", "D5": "Cấp học", "E5": "Địa bàn",
        "G5": "Áp dụng từ ngày", "H5": "Số học sinh", "I5": "Máy tính (cái)", "K5": "Ghi chú",
        "E6": "Mã xã", "F6": "Tên xã", "I6": "Tổng số máy tính", "J6": "Máy tính cho học sinh",
    }.items():  # fmt: skip
        page[cell] = text
    for area in ("A5:A6", "B5:B6", "C5:C6", "D5:D6", "E5:F5", "G5:G6", "H5:H6", "I5:J5", "K5:K6"):
        page.merge_cells(area)
    page.append([f"({number})" for number in range(1, 12)])
    spoiled = set(chance.sample(range(20, ROWS), faults))
    kinds = 0
    for number in range(ROWS):
        if number % 97 == 0:
            page.append([])
        if number == 500:
            page.append(["II. Khối trường phía nam"])
            page.merge_cells(start_row=page.max_row, end_row=page.max_row, start_column=1, end_column=11)
        cells = good_row(number)
        if number % 4 == 0:  # from a Mac
            cells[2] = unicodedata.normalize("NFD", str(cells[2]))
        if number % 7 == 0:
            cells[2] = f"  {cells[2]}\u00a0"
        if number in spoiled:
            spoil(sheet, page.max_row + 1, cells, kinds % 14)
            kinds += 1
        page.append(cells)
    page.append([])
    page.append([None, None, None, None, None, None, None, None, None, None, "Người lập bảng"])
    return sheet


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


def with_province(data: bytes) -> bytes:
    """The same list with the province of its communes, whose codes the registry does not know yet."""
    book = load_workbook(io.BytesIO(data))
    page = book.active
    assert page is not None
    page["L5"], page["M5"] = "Mã tỉnh", "Tỉnh"
    for row in range(TOP + 2, page.max_row + 1):
        if page.cell(row, 1).value and not str(page.cell(row, 1).value).startswith("II"):
            page.cell(row, 12, "37")
            page.cell(row, 13, "Ninh Bình")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_every_fault_is_named_by_row_and_column_and_nothing_is_imported(world: World) -> None:
    sheet = messy(faults=140)
    data = with_province(sheet.bytes())
    with begin_read(world.engine) as conn:
        before = registry.schools(conn, EVERYTHING)

    found = rosters.take_in(world.engine, "school", data, EVERYTHING, by="lan", now=NOW)

    told = {(one.row, one.column): one.reason for one in found.plan.problems}
    assert told == sheet.faults
    assert len(set(sheet.faults.values())) == 12
    with begin_read(world.engine) as conn:
        assert registry.schools(conn, EVERYTHING) == before
        assert "school.import" not in {line.action for line in audit.newest(conn, 50)}
    voice = texts.Voice(texts.load(), "vi", "workbook")
    lines = [roster_words.problem(one, voice) for one in found.plan.problems]
    assert all(
        line.startswith(f"dòng {one.row}, cột {one.column} (")
        for line, one in zip(lines, found.plan.problems, strict=True)
    )
    lost = next(
        line for line, one in zip(lines, found.plan.problems, strict=True) if one.reason == "noughts_lost"
    )
    assert "(Mã trường)" in lost
    assert "có lẽ Excel đã bỏ số 0 ở đầu: 0000" in lost


def test_a_good_list_is_imported_whole_and_again_changes_nothing(world: World) -> None:
    data = with_province(messy(faults=0).bytes())
    seen = rosters.look(world.engine, "school", data, EVERYTHING, NOW)
    assert seen.plan.problems == ()
    done = rosters.take_in(world.engine, "school", data, EVERYTHING, by="lan", now=NOW)
    assert done.plan == seen.plan, "it did what the preview said"
    assert (len(done.plan.changes), done.plan.same, len(done.plan.communes)) == (ROWS, 0, COMMUNES)
    with begin_read(world.engine) as conn:
        schools = {school.code: school for school in registry.schools(conn, EVERYTHING)}
        line = audit.newest(conn, 1)[0]
    assert (line.actor, line.action, line.detail["new"]) == ("lan", "school.import", ROWS)
    first, fifth = schools["00001000"], schools["00001004"]
    assert first.name == "Trường Tiểu học Lê Lợi số 0"
    assert unicodedata.is_normalized("NFC", first.name)
    assert (first.level, first.commune, first.province) == ("TH", "Xã Phúc Lộc 0", "Ninh Bình")
    assert first.declared == {"students": 500.0, "devices": 40.0, "student_devices": 30.0}
    assert (fifth.level, fifth.declared["students"]) == ("THPT", 1104.0)

    again = rosters.take_in(world.engine, "school", data, EVERYTHING, by="lan", now=NOW + 60)
    assert (again.plan.changes, again.plan.same, again.plan.communes) == ((), ROWS, ())
    with begin_read(world.engine) as conn:
        assert audit.newest(conn, 1)[0] == line


def test_the_template_is_understood_as_it_is(world: World) -> None:
    book = load_workbook(io.BytesIO(template.write(FIELDS)))
    page = book["Danh sách"]
    for place, value in enumerate(
        [
            "09000001",
            "Trường THPT Hoa Lư",
            "TH,THCS&THPT",
            "00123",
            "Phường Hoa Lư",
            "37",
            "Ninh Bình",
            900,
            80,
            60,
        ],
        1,
    ):
        page.cell(2, place).value = value  # as a person types: the cell keeps its format
    assert (page["A2"].number_format, page["L2"].number_format) == ("@", "DD/MM/YYYY")
    out = io.BytesIO()
    book.save(out)
    found = rosters.look(world.engine, "school", out.getvalue(), EVERYTHING, NOW)
    assert found.plan.problems == ()
    assert found.read.heading is not None
    assert (found.read.heading.ignored, found.plan.changes[0].after("level")) == ((), "TH,THCS&THPT")
