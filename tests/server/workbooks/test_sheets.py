"""Workbooks as people keep them: formatted to the end, several sheets, filters, totals and signatures."""

import io
import re
import zipfile
from collections.abc import Callable

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from schoolwatch_server import roster_words, texts
from schoolwatch_server.workbooks import grid, slim, table
from schoolwatch_server.workbooks.grid import Grid, GridError
from schoolwatch_server.workbooks.rooms import LISTING
from schoolwatch_server.workbooks.schools import FIELDS as SCHOOLS
from schoolwatch_server.workbooks.table import Problem

FIELDS = LISTING.columns
HEAD = ["Mã trường", "Tên phòng", "Loại phòng", "Số máy tính"]
LAB, CLASSROOM = ["01", "Phòng máy 1", "Phòng máy", 25], ["01", "Lớp 6A", "Phòng học", None]


def book(*rows: list[object], change: Callable[[Workbook, Worksheet], None] | None = None) -> bytes:
    made = Workbook()
    page = made.active
    assert page is not None
    for row in rows:
        page.append(row)
    if change is not None:
        change(made, page)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def rewritten(data: bytes, change: Callable[[str], str]) -> bytes:
    """The workbook with its first sheet's XML changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                text = change(text.decode()).encode()
            new.writestr(name, text)
    return out.getvalue()


def read(data: bytes) -> Grid:
    return grid.read(data, lambda sheet: table.fits(sheet, FIELDS))


def test_rows_that_are_formatted_to_the_end_of_the_sheet_cost_nothing() -> None:
    empty = "".join(
        f'<row r="{n}" ht="15"><c r="A{n}" s="1"/><c r="B{n}" s="1"/></row>' for n in range(4, 60_000)
    )
    data = rewritten(
        book(HEAD, LAB, CLASSROOM), lambda xml: xml.replace("</sheetData>", empty + "</sheetData>")
    )
    with zipfile.ZipFile(io.BytesIO(slim.slim(data))) as package:
        assert package.getinfo("xl/worksheets/sheet1.xml").file_size < 2000
    found = read(data)
    assert [row.number for row in found.rows] == [1, 2, 3]
    assert (found.rows[1].cells, found.blank) == (("01", "Phòng máy 1", "Phòng máy", 25.0), 0)


def with_rows(more: str, after: str = "") -> Callable[[str], str]:
    return lambda xml: xml.replace("</sheetData>", f"{more}</sheetData>{after}")


HUGE = '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        (with_rows("<row><c><v>1</v></c></row>" * 400_000), "too_many_cells"),
        (with_rows("", HUGE), "too_many_cells"),
        (with_rows('<row r="20001"><c r="A20001"><v>1</v></c></row>'), "too_many_rows"),
        (lambda xml: "<!DOCTYPE x [<!ENTITY a 'b'>]>" + re.sub(r"^<\?.*?\?>", "", xml), "not_a_workbook"),
    ],
)
def test_a_sheet_that_would_cost_the_server_is_refused_in_words(
    change: Callable[[str], str], trouble: str
) -> None:
    with pytest.raises(GridError) as raised:
        read(rewritten(book(HEAD, LAB), change))
    assert raised.value.trouble == trouble


def test_the_sheet_that_people_see_is_read_and_the_others_are_told() -> None:
    def more(made: Workbook, page: Worksheet) -> None:
        page.title = "Khối 6"
        old = made.create_sheet("Cũ 2020", 0)
        old.sheet_state = "hidden"
        cover = made.create_sheet("Bìa", 0)
        cover.append(["DANH SÁCH PHÒNG"])
        for sheet in (old, made.create_sheet("Khối 7")):
            sheet.append(HEAD)
            sheet.append(["01", f"Phòng {sheet.title}", "Phòng học"])

    found = read(book(HEAD, LAB, change=more))
    assert (found.sheet, found.rows[1].cells[1]) == ("Khối 6", "Phòng máy 1")
    assert found.others == ("Khối 7", "Cũ 2020")


def test_a_hidden_sheet_is_read_only_where_no_other_holds_anything() -> None:
    def hide(made: Workbook, page: Worksheet) -> None:
        page.sheet_state = "hidden"
        made.create_sheet("Trống")

    found = read(book(HEAD, LAB, change=hide))
    assert (len(found.rows), found.is_hidden) == (2, True)


def test_filtered_rows_are_read_and_told() -> None:
    def hide(_: Workbook, page: Worksheet) -> None:
        page.row_dimensions[3].hidden = True
        page.add_table(Table(displayName="Phong", ref="A1:D3"))

    found = read(book(HEAD, LAB, CLASSROOM, change=hide))
    assert (len(found.rows), found.hidden) == (3, (3,))


def test_what_is_none_of_the_list_is_left_out_and_told() -> None:
    data = book(
        ["SỞ GIÁO DỤC VÀ ĐÀO TẠO"],
        ["Danh sách phòng"],
        ["STT", *HEAD],
        ["I", "Xã Phúc Lộc"],
        [1, *LAB],
        [None, None, "II. Xã Lộc Phúc"],
        [2, *CLASSROOM],
        ["Tổng cộng", None, None, None, "=SUM(E5:E7)"],
        [],
        [None, None, None, "Ninh Bình, ngày 05 tháng 9 năm 2026"],
        [None, "Người lập biểu", None, "Hiệu trưởng"],
        [None, "Nguyễn Văn A", None, "Lê Thị B"],
    )
    found = table.read(read(data), FIELDS)
    assert found.problems == ()
    assert [(one.row, one.cells["name"]) for one in found.records] == [(5, "Phòng máy 1"), (7, "Lớp 6A")]
    assert [number for number, _ in found.asides] == [4, 6, 8, 10, 11, 12]
    assert dict(found.asides)[8] == "Tổng cộng"
    assert found.heading is not None
    assert found.heading.texts["code"] == "Mã trường", "no title in it"


def test_a_row_whose_code_is_missing_stays_a_fault() -> None:
    data = book(
        ["STT", *HEAD],
        [1, *LAB],
        [2, None, "Phòng máy 2", "Phòng máy", 20],
        [3, "Trường 12", "Phòng máy 3", "Phòng máy", 20],
        [4, *CLASSROOM],
        [5, None, "Phòng máy 5", "Phòng máy", 20],
    )
    found = table.read(read(data), FIELDS)
    told = {(one.row, one.column): one.reason for one in found.problems}
    assert told == {(3, "B"): "missing", (4, "B"): "not_a_code", (6, "B"): "missing"}


def test_every_fault_is_named_also_when_there_are_thousands() -> None:
    voice = texts.Voice(texts.load(), "vi", "workbook")
    many = [
        Problem(row, "D", "Cấp học", "not_a_level", {"value": "Cấp 2", "levels": "THCS"})
        for row in range(10, 2010)
        if row % 100
    ]
    [(column, heading, count, example, rows)] = roster_words.by_column(many, voice)
    assert (column, heading, count) == ("D", "Cấp học", 1980)
    assert "Cấp 2" in example
    assert rows.startswith("10-99, 101-199, ")
    assert rows.endswith("1901-1999, 2001-2009")


def test_a_fault_of_a_column_that_is_not_there_names_it() -> None:
    voice = texts.Voice(texts.load(), "vi", "workbook")
    one = Problem(2, "", "Loại phòng", "missing", {})
    assert (
        roster_words.problem(one, voice) == "dòng 2, cột Loại phòng (tệp không có cột này): ô trống, cần có"
    )


def test_pupils_shortened_in_a_heading_are_pupils() -> None:
    data = book(["Mã trường", "Tên trường", "SL HS", "Số máy tính cho HS"], ["01", "Trường A", 400, 30])
    found = table.read(grid.read(data), SCHOOLS)
    assert found.heading is not None
    assert found.heading.ignored == ()
    assert {name: found.records[0].cells[name] for name in ("students", "student_devices")} == {
        "students": 400,
        "student_devices": 30,
    }
