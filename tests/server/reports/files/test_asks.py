"""Scores and plans in every file: guessed ones marked in their own row, no total before all is there."""

import csv
import hashlib
import io
import subprocess
from pathlib import Path

import pytest
from docx import Document
from openpyxl import load_workbook

from parts.frozen import of_province, of_school, of_self_assessment
from schoolwatch_server import texts
from schoolwatch_server.reports import content
from schoolwatch_server.reports.content import Content
from schoolwatch_server.reports.files import FORMATS, paper
from schoolwatch_server.reports.files.asks import plans, scores
from schoolwatch_server.reports.files.asks import texts as said

WORDS = texts.load()
RECORDED = Path(__file__).parents[1] / "recorded"


def made(of: Content, form: str) -> bytes:
    chosen = next(one for one in FORMATS if one.id == form)
    return chosen.render(paper(content.encode(of), WORDS))


def in_xlsx() -> list[list[str]]:
    book = load_workbook(io.BytesIO(made(of_self_assessment(), "xlsx")))
    sheets = [book[name] for name in ("Điểm tự đánh giá", "Chỉ tiêu kế hoạch")]
    return [[str(cell) for cell in row if cell is not None] for sheet in sheets for row in sheet.values]


def in_docx() -> list[list[str]]:
    document = Document(io.BytesIO(made(of_self_assessment(), "docx")))
    return [[cell.text for cell in row.cells] for table in document.tables for row in table.rows]


def in_csv() -> list[list[str]]:
    return list(csv.reader(io.StringIO(made(of_self_assessment(), "csv").decode("utf-8-sig"))))


@pytest.mark.parametrize("rows", [in_xlsx, in_docx, in_csv])
def test_a_guessed_score_is_marked_in_its_own_row_and_a_total_that_is_not_there_says_why(rows) -> None:
    lines = [" | ".join(row) for row in rows()]

    def row(of: str) -> str:
        return next(line for line in lines if of in line)

    assert "TẠM TÍNH" not in row("1.3. Phần mềm dạy học")
    assert "24.5" in row("1.3. Phần mềm dạy học").replace(",", ".")
    assert "TẠM TÍNH" in row("1.7.1. Phòng học")
    assert "chưa nhập" in row("2.3. Phần mềm quản trị")
    assert "TẠM TÍNH" in row("Tổng nhóm 1")
    assert "Sở chưa nhập điểm tối đa của 2.3" in row("Tổng nhóm 2")
    assert "Mức độ | 2" not in row("Sở chưa nhập điểm tối đa của một số tiêu chí")
    assert "chưa đạt" in row("Mạng LAN đạt chuẩn")
    assert "theo dõi ngoài phần mềm" in row("Ngày Chuyển đổi số")


def test_the_pack_prints_them_too(peer, tmp_path: Path) -> None:
    path = tmp_path / "minh-chung.pdf"
    path.write_bytes(made(of_self_assessment(), "pdf"))
    ran = subprocess.run(
        [peer("pdftotext"), "-layout", path, "-"], check=True, capture_output=True, text=True
    )
    flat = " ".join(ran.stdout.split())
    for told in ("Điểm tự đánh giá theo Quyết định 4725", "TẠM TÍNH từ số đo", "quá hạn từ 01/01/2026"):
        assert told in flat


def test_targets_say_what_is_asked_since_when_it_is_overdue_and_what_is_counted() -> None:
    of = paper(content.encode(of_province(3, 1)), WORDS)
    (table,) = plans(of)
    lan, day, page = (said(of, row) for row in table.rows)
    assert lan[1:5] == ["từ 100% trở lên", "quá hạn từ 01/01/2026", "40%; độ phủ 90%", "chưa đạt"]
    assert day[0] == "Ngày Chuyển đổi số (khuyến khích)"
    assert page[3] == "4 / 12 trường đạt (7 trường đã khai báo)"
    assert page[4] == "chưa đủ dữ liệu"


def test_a_larger_place_counts_the_levels_of_its_schools() -> None:
    of = paper(content.encode(of_province(7, 1, scored=True)), WORDS)
    (table,) = scores(of)
    assert [said(of, row) for row in table.rows] == [
        ["Mức độ 2", "TẠM TÍNH từ số đo", "2"],
        ["Mức độ 1", "", "2"],
        ["chưa xếp mức độ", "trường chưa nhập điểm một số tiêu chí", "3"],
    ]
    book = load_workbook(io.BytesIO(made(of.content, "xlsx")))
    of_what, heads, last = [row[-4:] for row in book["THPT"].values][-3:]
    assert of_what[0] == "Quyết định 4725/QĐ-BGDĐT (qd4725@1)"
    assert heads == ("Tổng nhóm 1", "Tổng nhóm 2", "Mức độ", "Căn cứ của điểm")
    assert last == (80, "chưa có tổng", "chưa xếp mức độ", "trường chưa nhập điểm một số tiêu chí")
    rows = csv.DictReader(io.StringIO(made(of.content, "csv").decode("utf-8-sig")))
    told = [row for row in rows if row["Mã chỉ số [indicator]"] == "qd4725.level"]
    assert len(told) == 7


def test_a_report_that_was_frozen_before_there_were_scores_gives_what_it_gave() -> None:
    body = (RECORDED / "school-2026-11.json").read_bytes()
    of = paper(body, WORDS, verify="https://giamsat.vi.du/verify/1")
    assert of.sha256 == hashlib.sha256(body).hexdigest() == SHA256
    assert next(one for one in FORMATS if one.id == "json").render(of) == body
    given = next(one for one in FORMATS if one.id == "csv").render(of)
    assert given == (RECORDED / "school-2026-11.csv").read_bytes()
    assert of.content.assessments == of.content.plan_lines == of.content.history == ()
    book = load_workbook(io.BytesIO(next(one for one in FORMATS if one.id == "xlsx").render(of)))
    assert book.sheetnames == ["Tổng hợp", "Thiết bị", "Nguồn", "Thông tin báo cáo"]


SHA256 = "91191a2bba41d783f61a121ee6e0b170c69d42a86a6b4a9a2a74ff32ff09f7dd"


def test_a_monthly_report_of_a_school_has_no_scores() -> None:
    assert list(scores(paper(content.encode(of_school(0)), WORDS))) == []
