"""Tables of schools are filled by code, and copy sheets in the order of a web form's questions."""

import io
import zipfile

import msgspec
import pytest
from msgspec.structs import replace
from openpyxl import Workbook, load_workbook

from parts.frozen import of_province, of_school, value_of
from schoolwatch_server import texts
from schoolwatch_server.reports import content
from schoolwatch_server.reports.files import Paper, paper
from schoolwatch_server.reports.forms import FormError, copy_sheet
from schoolwatch_server.reports.forms.answers import own
from schoolwatch_server.reports.forms.columns import Columns, Filled, Unknown, fill, parse
from schoolwatch_server.reports.forms.package import unpack

WORDS = texts.load()
ASKED = Columns("B", {"D": "I-17a.value", "E": "school.name"}, "Biểu 1", first=3)


@pytest.fixture(scope="module")
def province() -> Paper:
    """Three schools: of the second the coverage is not known."""
    of = of_province(schools=3, communes=1)
    value = replace(value_of(of), unit="ratio", declared=None)
    values = (
        replace(value, value=0.5),
        replace(value, value=None, status="not_enough_data"),
        replace(value, value=1.0),
    )
    schools = tuple(
        msgspec.structs.replace(part, values=(one,)) for part, one in zip(of.parts[1:], values, strict=True)
    )
    return paper(content.encode(msgspec.structs.replace(of, parts=schools, simulated=False)), WORDS)


def table(*codes: object, merged: str = "") -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = "Biểu 1"
    sheet.append(["BIỂU TỔNG HỢP"])
    sheet.append(["TT", "Mã trường", "Tên", "Tỉ lệ", "Trường"])
    for number, code in enumerate(codes, 1):
        sheet.append([number, code, "x"])
        sheet.cell(number + 2, 4).number_format = "0.0%"
    if merged:
        sheet.merge_cells(merged)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def filled(data: bytes, province: Paper, columns: Columns = ASKED) -> tuple[Filled, list[tuple[object, ...]]]:
    done = fill(unpack(data), province, columns)
    rows = load_workbook(io.BytesIO(done.data))["Biểu 1"].iter_rows(min_row=3, max_col=5, values_only=True)
    return done, list(rows)


def test_rows_are_found_by_code_and_unknown_values_are_words(province: Paper) -> None:
    done, rows = filled(table("00000002", "00000001", "00000000"), province)
    assert rows == [
        (1, "00000002", "x", 1, "Trường Mẫu số 2"),
        (2, "00000001", "x", "chưa đủ dữ liệu", "Trường Mẫu số 1"),
        (3, "00000000", "x", 0.5, "Trường Mẫu số 0"),
    ]
    assert (done.rows, done.unknown, done.left_out) == (3, (), ())
    assert load_workbook(io.BytesIO(done.data))["Biểu 1"]["D3"].number_format == "0.0%"


def test_a_code_that_lost_its_noughts_is_named_and_its_row_left_alone(province: Paper) -> None:
    done, rows = filled(table(2, "  00000001 ", "99999999", None), province)
    assert [row[3] for row in rows] == [None, "chưa đủ dữ liệu", None, None]
    assert done.unknown == (Unknown(3, "2", "00000002"), Unknown(5, "99999999"))
    assert done.left_out == ("00000000", "00000002")


def test_what_can_not_be_mapped_is_named(province: Paper) -> None:
    with pytest.raises(FormError) as caught:
        filled(table("00000001"), province, Columns("B", {"d": "I-17a.value", "E": "I-99.value"}, "Biểu 1"))
    assert [(one.trouble, one.what) for one in caught.value.problems] == [
        ("bad_column", "d"),
        ("unknown", "I-99.value"),
    ]
    with pytest.raises(FormError, match="no_sheet Biểu 2"):
        filled(table("00000001"), province, Columns("B", {"D": "school.name"}, "Biểu 2"))
    with pytest.raises(FormError, match="bad_column"):
        filled(table("00000001"), province, Columns("B", {"B": "school.name"}, "Biểu 1"))
    with pytest.raises(FormError, match="bad_column Biểu 1!D3"):
        filled(table("00000001", merged="C3:D3"), province)


def test_a_copy_sheet_has_the_order_of_the_form_and_says_what_is_by_hand() -> None:
    of = of_school(0)
    value = replace(value_of(of), value=0.605, unit="ratio")
    mine = paper(content.encode(msgspec.structs.replace(of, name="=A1", values=(value,))), WORDS)
    questions = copy_sheet.parse("Tên trường | school.name\n\nHiệu trưởng\nDiệt vi-rút | {{I-17a.value}}\n")
    lines = list(copy_sheet.answers(questions, own(mine)))
    assert [(line.number, line.question, line.answer, line.is_by_hand) for line in lines] == [
        (1, "Tên trường", "=A1", False),
        (2, "Hiệu trưởng", "", True),
        (3, "Diệt vi-rút", "60,5%", False),
    ]
    text = copy_sheet.as_table(lines, ("Số", "Câu hỏi", "Trả lời")).decode("utf-16-le")
    assert text.splitlines()[1] == '"1"\t"Tên trường"\t"\'=A1"'
    with pytest.raises(FormError, match=r"unknown 1 school\.nam"):
        list(copy_sheet.answers(copy_sheet.parse("x|school.nam"), own(mine)))


def test_a_column_is_asked_for_once_and_lies_within_a_sheet(province: Paper) -> None:
    with pytest.raises(FormError, match="bad_column 2 D"):
        dict(parse("D = I-17.value\nd = school.name"))
    with pytest.raises(FormError, match="bad_column XFE"):
        filled(table("00000001"), province, Columns("B", {"XFE": "school.name"}))
    assert filled(table("00000001"), province, Columns("B", {"XFD": "school.name"}))[0].rows == 1


def test_merged_areas_without_end_are_no_table(province: Paper) -> None:
    form = table("00000001", merged="D4:D5")
    with pytest.raises(FormError, match="broken Biểu 1, mergeCells"):
        filled(merged_as(form, b"D4:D1048576"), province)
    assert fill(unpack(merged_as(form, b"H4:Z1048576")), province, ASKED).rows == 1


def merged_as(form: bytes, area: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(form)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"D4:D5", area))
    return out.getvalue()
