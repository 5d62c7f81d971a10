"""The letter of a frozen report: the form of NĐ 30/2020, blanks that the office fills, the same bytes."""

import io
import unicodedata
import zipfile

import msgspec
import time_machine
from docx import Document
from docx.shared import Mm
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from parts.frozen import of_province, of_school, value_of
from schoolwatch_server import texts
from schoolwatch_server.reports import content
from schoolwatch_server.reports.content import Content
from schoolwatch_server.reports.files import paper
from schoolwatch_server.reports.files.as_docx import DOCX

WORDS = texts.load()


def made(of: Content, **more) -> bytes:
    return DOCX.render(paper(content.encode(of), WORDS, **more))


def said(of: Content) -> list[str]:
    """Every text of the body, cells of tables included, in their order."""
    document = Document(io.BytesIO(made(of)))
    return ["".join(node.text or "" for node in one.iter() if node.tag.endswith("}t"))
            for one in document.element.body.iter() if one.tag.endswith("}p")]  # fmt: skip


def test_the_same_report_gives_the_same_bytes_on_another_day() -> None:
    of = of_school(0)
    with time_machine.travel("2027-01-01T00:00:00Z"):
        first = made(of)
    with time_machine.travel("2031-07-01T09:30:00Z"):
        assert made(of) == first
    assert {one.date_time[0] for one in zipfile.ZipFile(io.BytesIO(first)).infolist()} == {1980}


def test_it_has_the_form_of_a_letter() -> None:
    lines = said(of_province(schools=2, communes=1))
    order = [
        "ỦY BAN NHÂN DÂN TỈNH MẪU",
        "SỞ GIÁO DỤC VÀ ĐÀO TẠO",
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "Số: ……/BC-………",
        "Mẫu, ngày …… tháng …… năm 2026",
        "BÁO CÁO",
        "Kết quả theo dõi hạ tầng công nghệ thông tin tháng 11/2026",
        "Nơi nhận:",
        "GIÁM ĐỐC",
        "Phụ lục I",
        "KẾT QUẢ TỪNG CHỈ SỐ",
        "Phụ lục II",
        "KẾT QUẢ SO VỚI CHỈ TIÊU CỦA KẾ HOẠCH",
        "Phụ lục III",
        "TỔNG HỢP THEO TRƯỜNG",
        "Phụ lục IV",
        "NGUỒN SỐ LIỆU VÀ KIỂM CHỨNG",
    ]
    assert [line for line in lines if line in order] == order
    told = " ".join(lines[: lines.index("Phụ lục I")])
    for number in ("I", "II", "III", "IV"):
        assert f"Phụ lục {number}" in told, "a letter says that it has an appendix"
    document = Document(io.BytesIO(made(of_school(0))))
    section = document.sections[0]
    page = (section.left_margin, section.right_margin, section.page_height)
    assert [round((length or 0) / Mm(1)) for length in page] == [30, 15, 297]
    normal = document.styles["Normal"].font
    assert (normal.name, normal.size and normal.size.pt) == ("Times New Roman", 14)
    assert "PAGE" in section.header._element.xml
    assert "PAGE" not in section.first_page_header._element.xml


SIZES = {
    # text: points, bold, italic, by items II.1 to II.9 and III.1 of the decree's appendix I, part I
    "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM": ((12, 13), True, False),
    "Độc lập - Tự do - Hạnh phúc": ((13, 14), True, False),
    "ỦY BAN NHÂN DÂN TỈNH MẪU": ((12, 13), False, False),
    "SỞ GIÁO DỤC VÀ ĐÀO TẠO": ((12, 13), True, False),
    "Số: ……/BC-………": ((13,), False, False),
    "Mẫu, ngày …… tháng …… năm 2026": ((13, 14), False, True),
    "BÁO CÁO": ((13, 14), True, False),
    "Kết quả theo dõi hạ tầng công nghệ thông tin tháng 11/2026": ((13, 14), True, False),
    "1. Phạm vi số liệu": ((13, 14), True, False),
    "Nơi nhận:": ((12,), True, True),
    "- Như trên;": ((11,), False, False),
    "GIÁM ĐỐC": ((13, 14), True, False),
    "Phụ lục I": ((14,), True, False),
    "KẾT QUẢ TỪNG CHỈ SỐ": ((13, 14), True, False),
}


def test_every_part_has_the_size_and_style_of_the_decree() -> None:
    document = Document(io.BytesIO(made(of_province(schools=1, communes=1))))
    cells = (cell for table in document.tables for row in table.rows for cell in row.cells)
    paragraphs = [*document.paragraphs, *(one for cell in cells for one in cell.paragraphs)]
    found = {one.text: one.runs[0].font for one in paragraphs if one.runs}
    for text, (sizes, bold, italic) in SIZES.items():
        font = found[text]
        assert font.size is not None
        assert (font.size.pt in sizes, bool(font.bold), bool(font.italic)) == (True, bold, italic), text
    heads, *_ = document.tables
    assert [cell.text.splitlines()[0] for cell in heads.rows[1].cells] == [
        "Số: ……/BC-………", "Mẫu, ngày …… tháng …… năm 2026"
    ], "number and day stand on one line"  # fmt: skip


def test_pages_of_each_appendix_are_numbered_from_one_and_a_signature_is_not_torn() -> None:
    document = Document(io.BytesIO(made(of_school(2))))
    first, *annexes = document.sections
    assert "pgNumType" not in first._sectPr.xml
    assert len(annexes) == 2, "results and sources"
    for one in annexes:
        order = [child.tag.rsplit("}", 1)[1] for child in one._sectPr]
        assert 'w:start="1"' in one._sectPr.xml
        assert order.index("pgMar") < order.index("pgNumType") < order.index("cols")
    signature = next(table for table in document.tables if "HIỆU TRƯỞNG" in table.rows[0].cells[1].text)
    assert "cantSplit" in signature.rows[0]._tr.xml


def test_whose_a_school_is_and_its_number_are_left_to_be_filled() -> None:
    lines = said(of_school(0))
    assert lines[0].strip("…") == ""
    assert lines[1] == "TRƯỜNG THCS NGUYỄN VĂN MẪU"
    assert "Mẫu Đức, ngày …… tháng …… năm 2026" in lines
    assert "HIỆU TRƯỞNG" in lines


def test_unknown_and_declared_are_said_in_words() -> None:
    of = of_school(0)
    value = replace(value_of(of), value=None, status="not_enough_data", reason="nothing_to_count",
                    declared=0.85, declared_state="accepted")  # fmt: skip
    lines = said(msgspec.structs.replace(of, values=(value,)))
    assert "chưa đủ dữ liệu; 85% (khai báo, chưa kiểm chứng; cơ quan quản lý trực tiếp đã chấp nhận)" in lines
    assert "Không có thiết bị thuộc diện tính" in lines
    assert any("0 đạt, 0 chưa đạt, 0 không có mục tiêu, 1 chưa đủ dữ liệu" in line for line in lines)


def test_schools_are_counted_by_what_they_reach() -> None:
    of = of_province(schools=4, communes=1)
    values = [
        replace(value_of(of), target=0.9, better="higher", value=value) for value in (0.9, 0.5, None, 1.0)
    ]
    schools = tuple(
        msgspec.structs.replace(part, values=(value,))
        for part, value in zip(of.parts[1:], values, strict=True)
    )
    lines = said(msgspec.structs.replace(of, values=(), parts=schools))
    at = lines.index("I-17a Tỉ lệ máy tính có phần mềm diệt vi-rút đang chạy")
    assert lines[at + 1 : at + 5] == ["2", "1", "0", "1"]


def test_simulated_data_says_so_on_every_page() -> None:
    section = Document(io.BytesIO(made(of_school(0)))).sections[0]
    for head in (section.header, section.first_page_header):
        assert "DỮ LIỆU MÔ PHỎNG" in "".join(one.text for one in head.paragraphs)
    real = made(msgspec.structs.replace(of_school(0), simulated=False))
    assert not any("MÔ PHỎNG".encode() in zipfile.ZipFile(io.BytesIO(real)).read(name)
                   for name in zipfile.ZipFile(io.BytesIO(real)).namelist())  # fmt: skip


@settings(max_examples=6)
@given(
    st.one_of(st.text(max_size=60), st.sampled_from(["\x00\x0b", "<w:p/>", "&amp;", "\ufffe", "x" * 9000]))
)
def test_any_name_can_be_written(name: str) -> None:
    of = msgspec.structs.replace(of_school(0), name=name.encode("utf-8", "replace").decode(), values=())
    assert made(of).startswith(b"PK")


def test_vietnamese_is_composed() -> None:
    of = msgspec.structs.replace(of_school(0), name=unicodedata.normalize("NFD", "Trường Đỗ ẵ ữ"))
    assert said(of)[1] == "TRƯỜNG ĐỖ Ẵ Ữ"
