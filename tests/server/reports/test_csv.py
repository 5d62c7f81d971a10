"""A school's CSV: readable by Excel, complete with sources, and harmless."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server import packs, reports, texts
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import Counts
from schoolwatch_server.indicators.judge import judge
from schoolwatch_server.reports.csv import COLUMNS, render
from schoolwatch_server.reports.pen import EXCEL, Pen, harmless
from schoolwatch_server.reports.report import Report

AT = 1_790_000_000.0
WORDS = texts.load()
PACKS = packs.load()
FULL = Counts(
    devices_declared=10,
    students_declared=123,
    student_devices_declared=8,
    devices_heard=10,
    student_devices_known=8,
    student_devices_working=8,
    protected_yes=2,
    protected_known=9,
    link_known=5,
    wired=5,
    wired_100=5,
    wired_1000=0,
    ipv6_known=10,
    ipv6_rung=(10, 0, 0, 0, 0, 0),
)


AS_TEXT = re.compile(r'="([0-9A-Za-z._ -]+)"')
"""How Excel is told that a cell is that text and nothing else."""


def report(counts: Counts = FULL, **names: str) -> Report:
    values = tuple(judge(i, [counts], PACKS, level="school", place_id=1, at=AT) for i in INDICATORS)
    places = {"province": "Tỉnh mẫu", "commune": "Xã mẫu", "school_code": "S-1", "school": "Trường mẫu"}
    return Report(**(places | names), at=AT, values=values)


def read(raw: bytes) -> list[dict[str, str]]:
    """The rows by column id, as a program would read them."""
    lines = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    ids = [heading.rpartition("[")[2].rstrip("]") for heading in lines[0]]
    return [dict(zip(ids, line, strict=True)) for line in lines[1:]]


def test_excel_opens_it_and_the_headings_are_vietnamese() -> None:
    raw = render(report(), Pen(WORDS))
    assert raw.startswith(b"\xef\xbb\xbf")
    heading = raw.decode("utf-8-sig").splitlines()[0]
    assert heading.startswith('"Tỉnh [province]","Xã [commune]","Mã trường [school_code]"')
    assert '"Độ phủ [coverage]"' in heading
    assert raw.endswith(b"\r\n")


def test_every_indicator_is_a_row_with_value_coverage_and_source() -> None:
    rows = {row["indicator"]: row for row in read(render(report(), Pen(WORDS)))}
    assert set(rows) == {indicator.id for indicator in INDICATORS}
    students = rows["students_per_computer"]
    assert students["value"] == "15.375"  # 123 / 8
    assert (students["numerator"], students["denominator"], students["coverage"]) == ("123", "8", "1")
    assert "đường tham chiếu (THCS) 16 học sinh/máy [V-2nd]" in students["numbers"]
    antivirus = rows["antivirus_coverage"]
    assert antivirus["value"] == "0.222222"  # 2 / 9
    assert antivirus["coverage"] == "0.9"
    assert antivirus["document"].startswith("Kế hoạch chuyển đổi số")
    assert antivirus["confidence"].startswith("V-seed: ")
    assert antivirus["target"] == "1"
    assert antivirus["pack"] == "security@1"
    assert antivirus["at"] == "2026-09-21T21:13:20+0700"
    assert "độ phủ tối thiểu 0.8 tỉ lệ [P]" in antivirus["numbers"]


def test_unknown_is_said_in_words_and_its_numbers_are_still_there() -> None:
    links = {row["indicator"]: row for row in read(render(report(), Pen(WORDS)))}["wired_links_100"]
    assert (links["value"], links["status"]) == ("chưa đủ dữ liệu", "chưa đủ dữ liệu")
    assert (links["numerator"], links["denominator"], links["coverage"]) == ("5", "5", "0.5")
    assert links["reason"].startswith("Số liệu quan sát được chưa đủ")


def test_a_school_that_declared_nothing_has_no_number_as_value() -> None:
    for row in read(render(report(Counts()), Pen(WORDS))):
        assert (row["value"], row["status"]) == ("chưa đủ dữ liệu", "chưa đủ dữ liệu")
        assert row["coverage"] in ("chưa rõ", "0"), "as the console says; none of ten checks is known"


def test_english_is_there_too() -> None:
    rows = {row["indicator"]: row for row in read(render(report(), Pen(WORDS, "en")))}
    assert rows["students_per_computer"]["name"] == "Students per working student computer"


def in_excel(raw: bytes) -> list[list[str]]:
    """The cells as Excel splits them: UTF-16 by its mark, at tabs."""
    return list(csv.reader(io.StringIO(raw.decode("utf-16"), newline=""), delimiter="\t"))


def test_vietnamese_excel_opens_it_with_its_decimal_comma_and_nothing_becomes_thousands() -> None:
    head, *lines = in_excel(render(report(), Pen(WORDS, "vi", EXCEL["vi"])))
    rows = [dict(zip([h.rpartition("[")[2].rstrip("]") for h in head], line, strict=True)) for line in lines]
    assert {row["indicator"]: row["value"] for row in rows}["students_per_computer"] == "15,375"
    assert rows[0]["school"] == "Trường mẫu"
    assert any("độ phủ tối thiểu 0,8 tỉ lệ" in row["numbers"] for row in rows)
    assert "15.375" in {line[6] for line in in_excel(render(report(), Pen(WORDS, "en", EXCEL["en"])))}


def test_both_forms_say_the_same() -> None:
    machine = [list(row.values()) for row in read(render(report(), Pen(WORDS)))]
    excel = in_excel(render(report(), Pen(WORDS, "vi", EXCEL["vi"])))[1:]
    decimal = re.compile(r"(?<=[0-9])\.(?=[0-9])")
    assert [[decimal.sub(",", cell) for cell in row] for row in machine] == [
        [decimal.sub(",", AS_TEXT.sub(r"\1", cell)) for cell in row] for row in excel
    ]


@pytest.mark.parametrize(
    ("code", "cell"),
    [("01000702", '="01000702"'), ("1E5", '="1E5"'), ("MAR-1", '="MAR-1"'), ('1"&A1', '1"&A1'), ("", "")],
)
def test_a_code_is_no_number_or_day_in_excel_and_stays_plain_for_programs(code: str, cell: str) -> None:
    mine = report(school_code=code)
    assert in_excel(render(mine, Pen(WORDS, "vi", EXCEL["vi"])))[1][2] == cell
    assert read(render(mine, Pen(WORDS)))[0]["school_code"] == code


@pytest.mark.parametrize("style", [None, "vi", "en"])
@given(name=st.text(), code=st.text(alphabet="0123456789=+-@\t;,\"' ", max_size=20))
def test_no_text_is_a_formula_in_any_form(style: str | None, name: str, code: str) -> None:
    pen = Pen(WORDS) if style is None else Pen(WORDS, style, EXCEL[style])
    raw = render(report(school=name, school_code=code), pen)
    rows = [list(row.values()) for row in read(raw)] if style is None else in_excel(raw)[1:]
    for cell in (cell for row in rows for cell in row):
        is_text = style is not None and AS_TEXT.fullmatch(cell) is not None
        assert is_text or not cell.lstrip(' "').startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("http://x","y")', "+1", "-1", "@SUM(A1)", "\t=1", "＝1+1", "Trường;=1+1", ' "=1']
)
def test_no_cell_is_a_formula(text: str) -> None:
    rows = read(render(report(school=text), Pen(WORDS)))
    cell = rows[0]["school"]
    assert "'" in cell
    assert cell.lstrip(" \"'")[0] not in "=+-@＝" or cell.lstrip(' "').startswith("'")
    assert ";=" not in cell


@given(st.text(), st.text())
def test_any_name_stays_in_its_cell_and_begins_no_formula(school: str, code: str) -> None:
    rows = read(render(report(school=school, school_code=code), Pen(WORDS)))
    assert len(rows) == len(INDICATORS)
    for row in rows:
        assert list(row) == list(COLUMNS)
        for cell in (row["school"], row["school_code"]):
            assert not cell or cell[0] not in "=+-@\t\r\n＝＋－＠"
            assert "\n" not in cell


@given(st.text())
def test_making_harmless_twice_changes_nothing_more(text: str) -> None:
    assert harmless(harmless(text)) == harmless(text)


def test_formats_have_a_name_of_their_own() -> None:
    ids = [chosen.id for chosen in reports.FORMATS]
    assert ids == sorted(set(ids))
    assert reports.file_name(report(school_code="TRƯỜNG/../1"), reports.CSV) == "schoolwatch-TR__NG____1.csv"
