"""A school's CSV: readable by Excel, complete with sources, and harmless."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server import packs, reports, texts
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import Counts
from schoolwatch_server.indicators.judge import judge
from schoolwatch_server.reports.csv import COLUMNS, harmless, render
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
    raw = render(report(), WORDS)
    assert raw.startswith(b"\xef\xbb\xbf")
    heading = raw.decode("utf-8-sig").splitlines()[0]
    assert heading.startswith('"Tỉnh [province]","Xã [commune]","Mã trường [school_code]"')
    assert '"Độ phủ [coverage]"' in heading
    assert raw.endswith(b"\r\n")


def test_every_indicator_is_a_row_with_value_coverage_and_source() -> None:
    rows = {row["indicator"]: row for row in read(render(report(), WORDS))}
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
    links = {row["indicator"]: row for row in read(render(report(), WORDS))}["wired_links_100"]
    assert (links["value"], links["status"]) == ("chưa đủ dữ liệu", "chưa đủ dữ liệu")
    assert (links["numerator"], links["denominator"], links["coverage"]) == ("5", "5", "0.5")
    assert links["reason"].startswith("Số thiết bị được quan sát dưới mức tối thiểu")


def test_a_school_that_declared_nothing_has_no_number_as_value() -> None:
    for row in read(render(report(Counts()), WORDS)):
        assert (row["value"], row["coverage"]) == ("chưa đủ dữ liệu", "chưa đủ dữ liệu")


def test_english_is_there_too() -> None:
    row = read(render(report(), WORDS, "en"))[0]
    assert row["name"] == "Students per working student computer"


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("http://x","y")', "+1", "-1", "@SUM(A1)", "\t=1", "＝1+1", "Trường;=1+1", ' "=1']
)
def test_no_cell_is_a_formula(text: str) -> None:
    rows = read(render(report(school=text), WORDS))
    cell = rows[0]["school"]
    assert "'" in cell
    assert cell.lstrip(" \"'")[0] not in "=+-@＝" or cell.lstrip(' "').startswith("'")
    assert ";=" not in cell


@given(st.text(), st.text())
def test_any_name_stays_in_its_cell_and_begins_no_formula(school: str, code: str) -> None:
    rows = read(render(report(school=school, school_code=code), WORDS))
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
