"""Files that are no list, in words; and whatever bytes come, a grid or a reason."""

import codecs
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from schoolwatch_server import levels, texts
from schoolwatch_server.workbooks import cells, grid, table
from schoolwatch_server.workbooks.cells import CellError
from schoolwatch_server.workbooks.grid import BYTES_MAX, GridError
from schoolwatch_server.workbooks.schools import FIELDS
from schoolwatch_server.workbooks.slim import UNCOMPUTED


def workbook(*rows: list[object]) -> bytes:
    book = Workbook()
    page = book.active
    assert page is not None
    for row in rows:
        page.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


TEXTS = texts.load()
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("data", "trouble"),
    [
        (b"", "empty"),
        (b"\n\n ,\n", "empty"),
        (b"PK\x03\x04 and then nothing", "not_a_workbook"),
        (workbook()[:3000], "not_a_workbook"),
        (workbook([None]), "empty"),
        (OLE + b"\0" * 600, "old_format"),
        (OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        ("Mã trường".encode("cp1258", "replace"), "encoding"),
        (b"\0\1\2", "not_a_workbook"),
        (b"x" * (BYTES_MAX + 1), "too_large"),
        (b"x\n" * 20_001, "too_many_rows"),
        (b"%PDF-1.7\n", "not_a_workbook"),
        (b"<html><table><tr><td>M\xc3\xa3", "web_page"),
        (b'\n<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>', "web_page"),
    ],
)
def test_what_is_no_list_says_why(data: bytes, trouble: str) -> None:
    with pytest.raises(GridError) as raised:
        grid.read(data)
    assert raised.value.trouble == trouble
    assert f"workbook.error.{trouble}" in TEXTS.entries


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv_is_read_in_every_way_that_excel_writes_it(separator: str, encoding: str) -> None:
    text = (
        separator.join(("Mã trường", "Tên trường"))
        + "\r\n"
        + separator.join(("01", '"Lê, Lợi;\t2"'))
        + "\r\n"
    )
    rows = grid.read(text.encode(encoding)).rows
    assert [(row.number, row.cells) for row in rows] == [
        (1, ("Mã trường", "Tên trường")),
        (2, ("01", "Lê, Lợi; 2")),
    ]


def test_a_formula_without_its_result_is_a_fault_and_no_empty_cell() -> None:
    assert grid.read(workbook(["a", "=1+1"])).rows[0].cells == ("a", UNCOMPUTED)
    with pytest.raises(CellError) as raised:
        cells.count(UNCOMPUTED)
    assert raised.value.reason == "formula_unknown"


@given(
    st.binary(max_size=400)
    | st.text(max_size=200).map(str.encode)
    | st.text().map(lambda s: codecs.BOM_UTF16_LE + s.encode("utf-16-le", "surrogatepass"))
)
def test_whatever_comes_is_a_list_or_has_a_reason(data: bytes) -> None:
    trouble = ""
    try:
        read = table.read(grid.read(data), FIELDS)
    except GridError as error:
        trouble = error.trouble
    assert f"workbook.error.{trouble}" in TEXTS.entries if trouble else read.problems or read.heading


VALUES = st.none() | st.floats(allow_nan=False) | st.dates() | st.text(max_size=30).map(grid.tidy)


@given(VALUES, st.sampled_from([cells.text, cells.code, cells.count, cells.day, cells.level]))
def test_a_cell_means_something_or_says_why_not(value: grid.Value, parse: cells.Parse) -> None:
    said = "x"
    try:
        parse(value)
    except CellError as error:
        said = TEXTS.get("vi", f"workbook.problem.{error.reason}", **error.values)
    assert said


@pytest.mark.parametrize(
    ("written", "meant"),
    [("1.234", 1234), ("1,234", 1234), ("12 345", 12345), (1.0, 1), ("007", 7)],
)
def test_a_count_is_read_as_it_is_written_in_vietnam(written: grid.Value, meant: int) -> None:
    assert cells.count(written) == meant


def test_a_count_is_never_guessed() -> None:
    for value in (1.5, -1.0, "1.23", "1,5", "45 em", "1.234.5", "½", "٣"):
        with pytest.raises(CellError):
            cells.count(value)


def test_a_day_in_words_or_with_a_short_year_is_a_day() -> None:
    assert cells.day("01/9/25") == cells.day("ngày 01 tháng 9 năm 2025") == date(2025, 9, 1)


def test_a_month_alone_is_its_first_day_or_its_last() -> None:
    for told in ("9/2026", "09/2026", "tháng 9 năm 2026", "Tháng 9/2026", "T9/2026"):
        assert (cells.since(told), cells.until(told)) == (date(2026, 9, 1), date(2026, 9, 30))
    assert cells.until("2/2028") == date(2028, 2, 29)
    assert cells.until("05/9/2026") == cells.since("05/9/2026") == date(2026, 9, 5)
    for told in ("13/2026", "9/26", "2026"):
        with pytest.raises(CellError):
            cells.until(told)


def test_a_number_to_call_keeps_its_extension_and_never_loses_its_nought() -> None:
    assert cells.phone("0229 3861234 máy lẻ 12") == "0229 3861234 máy lẻ 12"
    for value, likely in ((912345679.0, "0912345679"), (2293861234.0, "02293861234")):
        with pytest.raises(CellError) as raised:
            cells.phone(value)
        assert raised.value.values["likely"] == likely


def test_a_day_is_the_day_before_the_month() -> None:
    assert cells.day("1/7/2025") == cells.day("2025-07-01") == date(2025, 7, 1)
    for value in ("7/13/2025", "2025", 45839.0, "29.02.2025"):
        with pytest.raises(CellError):
            cells.day(value)


@pytest.mark.parametrize(
    ("written", "meant", "manager"),
    [
        ("Mầm non", "MN", "xa"),
        ("tiểu học", "TH", "xa"),
        ("Trường Trung học cơ sở", "THCS", "xa"),
        ("TH-THCS", "TH&THCS", "xa"),
        ("C1", "TH", "xa"),
        ("Cấp 1-2", "TH&THCS", "xa"),
        ("cấp 2,3", "THCS&THPT", "so"),
        ("Trường cấp II - III", "THCS&THPT", "so"),
        ("C1, C2 và C3", "TH,THCS&THPT", "so"),
        ("Liên cấp TH và THCS", "TH&THCS", "xa"),
        ("THCS, THPT", "THCS&THPT", "so"),
        ("TH,THCS&THPT", "TH,THCS&THPT", "so"),
        ("Cấp 1, cấp 2", "TH&THCS", "xa"),
        ("THPT", "THPT", "so"),
        ("Trung tâm GDNN-GDTX", "GDTX", "so"),
        ("TT GDNN - GDTX", "GDTX", "so"),
        ("PTDTBT TH và THCS", "TH&THCS", "xa"),
        ("PTDTNT THCS&THPT", "THCS&THPT", "so"),
        ("THPT chuyên", "THPT", "so"),
        ("Trường chuyên", None, None),
        ("MN & THPT", None, None),
        ("", None, None),
    ],
)
def test_levels_are_understood_as_people_write_them(
    written: str, meant: str | None, manager: str | None
) -> None:
    assert levels.parse(written) == meant
    assert levels.manager(meant or "") == manager


@pytest.mark.parametrize(
    ("level", "kind", "chosen", "manager"),
    [
        ("THPT", "", "", "so"),
        ("THCS&THPT", "", "", "so"),
        ("TH&THCS", "", "", "xa"),
        ("MN", "", "", "xa"),
        ("THCS", "specialised", "", "so"),
        ("THCS", "boarding", "", "xa"),
        ("TH&THCS", "boarding", "", "xa"),
        ("THPT", "boarding", "", "so"),
        ("", "specialised", "", "so"),
        ("", "boarding", "", None),
        ("THPT", "", "xa", "xa"),
        ("THCS", "", "so", "so"),
        ("", "", "xa", "xa"),
    ],
)
def test_who_manages_a_school(level: str, kind: str, chosen: str, manager: str | None) -> None:
    """TT 45/2026: specialised schools are the Sở's, boarding schools that end with THCS the commune's."""
    found = levels.manager(level, is_specialised=bool(kind), is_boarding=kind == "boarding", chosen=chosen)
    assert found == manager
