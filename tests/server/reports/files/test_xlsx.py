"""The workbook of a frozen report: numbers are numbers, the unknown is words, nothing is a formula."""

import io
import itertools
import unicodedata
import zipfile

import msgspec
import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter

from parts.frozen import of_province, of_school, of_self_assessment, value_of
from schoolwatch_server import texts
from schoolwatch_server.indicators.indicator import Line, Source
from schoolwatch_server.reports import content
from schoolwatch_server.reports.content import Content, Part
from schoolwatch_server.reports.files import paper
from schoolwatch_server.reports.files.as_wide_csv import WIDE_CSV
from schoolwatch_server.reports.files.as_xlsx import XLSX

WORDS = texts.load()
MARK = "DỮ LIỆU MÔ PHỎNG, KHÔNG PHẢI SỐ LIỆU THẬT"


def made(of: Content, **more) -> bytes:
    return XLSX.render(paper(content.encode(of), WORDS, **more))


def book(of: Content, **more) -> Workbook:
    return load_workbook(io.BytesIO(made(of, **more)))


def table(of: Workbook, sheet: str) -> list[dict[str, object]]:
    """The rows below the headings, which are where the window is frozen."""
    rows = list(of[sheet].iter_rows(values_only=True))
    top = int(of[sheet].freeze_panes.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) - 1
    return [dict(zip(rows[top - 1], row, strict=True)) for row in rows[top:]]


def test_the_same_report_gives_the_same_bytes_on_another_day() -> None:
    of = of_province(schools=3, communes=1)
    with time_machine.travel("2027-01-01T00:00:00Z"):
        first = made(of)
    with time_machine.travel("2031-07-01T09:30:00Z"):
        assert made(of) == first
    assert {one.date_time[0] for one in zipfile.ZipFile(io.BytesIO(first)).infolist()} == {1980}


def test_a_sheet_a_school_level_in_their_order_and_sources_at_the_end() -> None:
    of = of_province(schools=8, communes=2)
    names = book(of).sheetnames
    assert names == [
        "Tổng hợp", "Chỉ tiêu kế hoạch", "Xã, phường",
        "MN", "TH", "THCS", "THPT", "TH&THCS", "THCS&THPT", "TH,THCS&THPT", "GDTX",
        "Nguồn", "Thông tin báo cáo",
    ]  # fmt: skip


def test_every_sheet_of_simulated_data_says_so_and_of_real_data_none() -> None:
    of = of_province(schools=2, communes=1)
    for sheet in book(of).worksheets:
        assert sheet["A2"].value == MARK
        assert MARK in sheet.oddHeader.center.text
    real = book(msgspec.structs.replace(of, simulated=False))
    assert all(MARK not in str(row) for sheet in real.worksheets for row in sheet.iter_rows(values_only=True))


def test_what_is_unknown_is_words_with_the_reason_and_a_claim_is_marked() -> None:
    of = of_school(0)
    value = replace(value_of(of), value=None, status="not_enough_data", reason="coverage_below_floor",
                    coverage=0.4, declared=0.85, declared_state="approved", unit="ratio")  # fmt: skip
    workbook = book(msgspec.structs.replace(of, values=(value,)))
    (row,) = table(workbook, "Tổng hợp")
    assert row["Giá trị"] == "chưa đủ dữ liệu"
    assert row["Đánh giá"] == "Số liệu quan sát được chưa đủ so với số đã khai báo (dưới độ phủ tối thiểu)"
    assert (row["Độ phủ"], row["Nhà trường khai báo"]) == (0.4, 0.85)
    cells = [cell for line in workbook["Tổng hợp"].iter_rows() for cell in line if cell.value == 0.85]
    assert "(khai báo, chưa kiểm chứng)" in cells[0].number_format


def test_a_past_deadline_that_was_missed_is_overdue() -> None:
    of = of_school(0)
    tag = Line("target", 1.0, "ratio", (), Source("Kế hoạch", "mục 1", "V-seed"))
    late = replace(
        value_of(of),
        value=0.5,
        unit="ratio",
        target=1.0,
        deadline="2025-12-31",
        lines=(tag,),
    )
    (row,) = table(book(msgspec.structs.replace(of, values=(late,))), "Tổng hợp")
    assert row["Đánh giá"] == "chưa đạt, quá hạn từ 01/01/2026"
    assert row["Mục tiêu"] == "từ 100% trở lên [V-seed], hạn 31/12/2025"
    met = replace(late, value=1.0)
    (row,) = table(book(msgspec.structs.replace(of, values=(met,))), "Tổng hợp")
    assert row["Đánh giá"] == "đạt"


def test_of_a_province_it_is_said_where_schools_are_counted() -> None:
    of = of_province(schools=1, communes=1)
    names = [str(row["Chỉ số"]) for row in table(book(of), "Tổng hợp")]
    lesson = next(name for name in names if name.startswith("I-02 "))
    assert lesson.startswith("I-02 Tỉ lệ trường đạt: Số học sinh trên một máy")
    assert next(name for name in names if name.startswith("I-17 ")).startswith("I-17 Tỉ lệ máy")
    own = [str(row["Chỉ số"]) for row in table(book(of_school(0)), "Tổng hợp")]
    assert not any("Tỉ lệ trường đạt" in name for name in own)


def test_sources_have_document_clause_confidence_and_pack() -> None:
    of = of_province(schools=1, communes=1)
    rows = table(book(of), "Nguồn")
    assert {row["Bộ tiêu chí"] for row in rows} == {value.pack for value in of.values}
    assert sum(len(value.lines) + 1 for value in of.values) == len(rows)
    assert all(row["Nguồn"] and row["Nội dung"] and ": " in str(row["Độ tin cậy của nguồn"]) for row in rows)


def test_the_digest_and_where_to_check_it_stand_in_the_workbook() -> None:
    of = of_school(0)
    said = table(book(of, verify="https://vi.du/kiem-chung"), "Thông tin báo cáo")
    told = {row["Nội dung"]: row["Chi tiết"] for row in said}
    assert told["Mã kiểm chứng SHA-256"] == content.digest(content.encode(of))
    assert told["Địa chỉ kiểm chứng"] == "https://vi.du/kiem-chung"


def _part(name: str, level: str = "TH") -> Part:
    of = of_province(schools=1, communes=1)
    return msgspec.structs.replace(of.parts[-1], name=name, school_level=level)


def test_levels_that_nobody_knows_and_hostile_ones_have_a_sheet_of_their_own() -> None:
    levels = ("", "Nguồn", "history", "a[1]:*", "A 1", "x" * 40, "X" * 39)
    parts = tuple(_part(f"Trường {n}", level) for n, level in enumerate(levels))
    names = book(msgspec.structs.replace(of_province(1, 1), parts=parts)).sheetnames
    assert len({name.casefold() for name in names}) == len(names) == len(levels) + 4
    assert "Chưa rõ cấp học" in names
    assert max(map(len, names)) <= 31


HOSTILE = ("=1+1", "@SUM(A1)", "+84", "-1", "\x00", "_x0041_", "http://vi.du", "{=1}", "x" * 40_000)


@settings(max_examples=15)
@given(st.one_of(st.text(max_size=60), st.sampled_from(HOSTILE)))
def test_no_name_becomes_a_formula_or_breaks_the_file(name: str) -> None:
    encodable = name.encode("utf-8", "replace").decode()
    part = msgspec.structs.replace(_part(encodable), values=of_school(0).values[:1])
    of = msgspec.structs.replace(of_school(1), name=encodable, values=(), parts=(part,))
    for sheet in book(of).worksheets:
        for line in sheet.iter_rows():
            assert all(cell.data_type != "f" for cell in line)


def test_vietnamese_is_composed_whatever_came_in() -> None:
    decomposed = unicodedata.normalize("NFD", "Trường Tiểu học Đỗ Hữu Nghĩa ẵ")
    of = msgspec.structs.replace(of_province(1, 1), parts=(_part(decomposed),))
    (row,) = table(book(of), "TH")
    assert row["Đơn vị"] == "Trường Tiểu học Đỗ Hữu Nghĩa ẵ"


def test_whole_numbers_have_no_dot_behind_them() -> None:
    sheet = book(of_self_assessment())["Điểm tự đánh giá"]
    shapes = {cell.value: cell.number_format for row in sheet.iter_rows() for cell in row
              if isinstance(cell.value, int | float)}  # fmt: skip
    assert (shapes[30], shapes[24.5]) == ("#,##0", "#,##0.##"), "Excel would write 30."


def test_printed_no_indicator_is_cut_in_two_and_all_that_is_ruled_is_printed() -> None:
    sheet = book(of_province(schools=8, communes=2))["Xã, phường"]
    heads = {merged.min_col - 1 for merged in sheet.merged_cells.ranges}
    breaks = [each.id for each in sheet.col_breaks.brk]
    assert breaks
    assert heads.issuperset(breaks)
    assert (sheet.page_setup.orientation, sheet.page_setup.scale) == ("landscape", 50)
    assert sheet.print_title_rows
    assert sheet.print_title_cols == "$A:$B"
    assert sheet.print_area.endswith(f"${sheet.max_row}")
    widths = [sheet.column_dimensions[get_column_letter(n + 1)].width for n in range(sheet.max_column)]
    for start, end in itertools.pairwise((*breaks, sheet.max_column)):
        kept = 0 if start == 0 else sum(widths[:2])
        assert (kept + sum(widths[start:end])) * 7.6 < (11.69 - 1.0) * 96 * 2  # A4 between margins, at 50 %


def test_the_digest_of_a_province_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(content, "digest", lambda body: asked.append(len(body)) or "0" * 64)
    of = paper(content.encode(of_province(schools=8, communes=2)), WORDS)
    assert WIDE_CSV.render(of).count(b"0" * 64) == 11
    assert len(asked) == 1
