"""Forms of others are filled as they are: every placeholder answered or named, all else as it was."""

import io
import zipfile

import msgspec
import pytest
import time_machine
from docx import Document
from docx.shared import Pt
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.worksheet.table import Table

from others_forms import AV, WORDS, docx, sheet, xlsx
from parts.frozen import of_school
from schoolwatch_server.reports import content, forms
from schoolwatch_server.reports.files import paper
from schoolwatch_server.reports.forms import FormError
from schoolwatch_server.reports.forms.answers import known, own


def paragraphs(data: bytes) -> list[str]:
    return [one.text for one in Document(io.BytesIO(data)).paragraphs]


def active(data: bytes):
    return load_workbook(io.BytesIO(data)).active


# --- DOCX --------------------------------------------------------------------------------


def test_placeholders_that_word_cut_into_runs_are_filled_and_the_runs_keep_their_looks() -> None:
    form = docx(("Tỉ lệ: {", "{antivirus_", "coverage.", "value}} của ", "{{school.name}}", "."))
    filled = forms.fill(form, sheet())
    assert paragraphs(filled.data) == ["Tỉ lệ: 60,5% của Trường Đỗ & Ẵ."]
    runs = Document(io.BytesIO(filled.data)).paragraphs[0].runs
    assert [(run.text, run.bold) for run in runs] == [
        *(("Tỉ lệ: 60,5%", False), ("", True), ("", False)),
        *((" của ", True), ("Trường Đỗ & Ẵ", False), (".", True)),
    ]
    assert [one.key for one in filled.found] == [f"{AV}.value", "school.name"]


def test_tables_heads_feet_and_notes_of_a_letter_are_filled_too() -> None:
    document = Document()
    document.add_table(rows=1, cols=1).rows[0].cells[0].text = "{{school.code}}"
    document.sections[0].header.paragraphs[0].text = "{{report.period}}"
    document.sections[0].footer.paragraphs[0].text = "{{report.sha256}}"
    out = io.BytesIO()
    document.save(out)
    mine = sheet()
    filled = Document(io.BytesIO(forms.fill(out.getvalue(), mine).data))
    assert filled.tables[0].rows[0].cells[0].text == "01000702"
    assert filled.sections[0].header.paragraphs[0].text == "tháng 11/2026"
    assert filled.sections[0].footer.paragraphs[0].text == mine.sha256


@pytest.mark.parametrize("written", ["{{ I‑17 . value }}", "{{i-17.VALUE}}", "{{I–17.value}}"])
def test_what_word_makes_of_a_placeholder_is_still_one(written: str) -> None:
    assert paragraphs(forms.fill(docx((written,)), sheet(code="I-17")).data) == ["60,5%"]


# --- XLSX --------------------------------------------------------------------------------


def test_a_cell_becomes_a_number_in_its_own_format_and_a_sentence_a_text() -> None:
    def formats(book: Workbook) -> None:
        book.active["B2"].number_format = "0.00%"
        book.active["B2"].font = Font(name="Arial", size=18, bold=True)

    form = xlsx({"B2": f"{{{{{AV}.value}}}}", "B3": f"đạt {{{{{AV}.percent}}}} phần trăm", "B4": 7}, formats)
    filled = active(forms.fill(form, sheet()).data)
    assert (filled["B2"].value, filled["B2"].number_format) == (26 / 43, "0.00%")
    assert (filled["B2"].font.name, filled["B2"].font.sz, filled["B2"].font.b) == ("Arial", 18, True)
    assert filled["B3"].value == "đạt 60,47 phần trăm"
    assert filled["B4"].value == 7


def test_merged_cells_widths_and_formulas_stay_and_are_computed_anew() -> None:
    def shape(book: Workbook) -> None:
        book.active.merge_cells("A1:D2")
        book.active.column_dimensions["C"].width = 44
        book.active["A5"] = f"={chr(66)}4*2"

    form = xlsx({"A1": "BIỂU {{school.name}}", "B4": f"{{{{{AV}.numerator}}}}"}, shape)
    data = forms.fill(form, sheet()).data
    filled = active(data)
    assert [str(area) for area in filled.merged_cells.ranges] == ["A1:D2"]
    assert (filled["A1"].value, filled["B4"].value, filled["A5"].value) == ("BIỂU Trường Đỗ & Ẵ", 26, "=B4*2")
    assert filled.column_dimensions["C"].width == 44
    assert b'fullCalcOnLoad="1"' in zipfile.ZipFile(io.BytesIO(data)).read("xl/workbook.xml")
    assert load_workbook(io.BytesIO(data), data_only=True).active["A5"].value is None


def test_the_same_text_in_many_cells_is_filled_in_each_and_heads_escape_their_ands() -> None:
    def heads(book: Workbook) -> None:
        book.active.oddHeader.center.text = "{{school.name}}"
        book.active["B3"].comment = Comment("{{school.name}} nói", "Sở")

    form = xlsx({"A1": "{{school.name}}", "C9": "{{school.name}}"}, heads)
    data = forms.fill(form, sheet()).data
    filled = active(data)
    assert {filled["A1"].value, filled["C9"].value} == {"Trường Đỗ & Ẵ"}
    assert filled["B3"].comment.text == "Trường Đỗ & Ẵ nói"
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert "Trường Đỗ &amp;&amp; Ẵ".encode() in archive.read("xl/worksheets/sheet1.xml")
    assert b"{{" not in b"".join(map(archive.read, archive.namelist()))


def test_what_a_school_is_called_never_becomes_a_formula() -> None:
    mine = paper(
        content.encode(msgspec.structs.replace(of_school(0), simulated=False, name='=HYPERLINK("http://x")')),
        WORDS,
    )

    def bold(book: Workbook) -> None:
        book.active["A1"].font = Font(bold=True)

    filled = active(forms.fill(xlsx({"A1": "{{school.name}}", "A2": "{{school.code}}"}, bold), mine).data)
    cell = filled["A1"]
    assert (cell.font.b, filled["A2"].quotePrefix) == (True, False)
    assert (cell.data_type, cell.value) == ("s", '=HYPERLINK("http://x")')
    assert cell.quotePrefix, "or it would be one as soon as somebody edits the cell"


# --- what is not known --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["docx", "xlsx"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "chưa đủ dữ liệu"),
        (
            {"declared": 0.85, "declared_state": "approved"},
            "85% (khai báo, chưa kiểm chứng; hiệu trưởng đã phê duyệt)",
        ),
    ],
)
def test_an_unknown_value_is_words_and_never_0(kind: str, change: dict, said: str) -> None:
    mine = sheet(value=None, numerator=None, status="not_enough_data", reason="nothing_to_count", **change)
    key = f"{{{{{AV}.value}}}}"
    form = docx((key,)) if kind == "docx" else xlsx({"A1": key, "A2": f"{{{{{AV}.numerator}}}}"})
    data = forms.fill(form, mine).data
    if kind == "docx":
        assert paragraphs(data) == [said]
    else:
        assert (active(data)["A1"].value, active(data)["A2"].value) == (said, "chưa rõ")


def test_every_unknown_placeholder_is_named_with_its_place_and_nothing_is_filled() -> None:
    with pytest.raises(FormError) as caught:
        forms.fill(xlsx({"B5": "{{I-99.value}} {{school.nam}}", "C7": "{{school.name"}), sheet())
    assert [(one.trouble, one.where, one.what) for one in caught.value.problems] == [
        ("unknown", "Sheet!B5", "{{I-99.value}}"),
        ("unknown", "Sheet!B5", "{{school.nam}}"),
        ("unclosed", "Sheet!C7", "{{school.name"),
    ]
    with pytest.raises(FormError) as caught:
        forms.fill(
            docx(
                ("một",),
                (
                    "hai {{",
                    "sai}}",
                ),
            ),
            sheet(),
        )
    assert [(one.trouble, one.where, one.what) for one in caught.value.problems] == [
        ("unknown", "document:2", "{{sai}}")
    ]


def test_the_heading_of_a_table_can_not_be_filled_without_breaking_the_file() -> None:
    def table(book: Workbook) -> None:
        book.active.add_table(Table(displayName="Bieu", ref="A1:B3"))

    with pytest.raises(FormError, match="table_heading"):
        forms.fill(xlsx({"A1": "{{school.name}}", "B1": "x", "A2": 1, "B2": 2}, table), sheet())


def test_a_form_without_placeholders_is_told() -> None:
    with pytest.raises(FormError, match="no_placeholder"):
        forms.fill(docx(("không có gì",)), sheet())


def test_the_same_form_gives_the_same_bytes_on_another_day() -> None:
    for form in (docx(("{{school.name}}",)), xlsx({"A1": "{{school.name}}"})):
        with time_machine.travel("2027-01-01T00:00:00Z"):
            first = forms.fill(form, sheet()).data
        with time_machine.travel("2031-07-01T09:30:00Z"):
            assert forms.fill(form, sheet()).data == first


def test_every_placeholder_that_a_page_lists_is_answered() -> None:
    subject = own(sheet())
    keys = list(known(subject))
    assert len(keys) > 30
    form = xlsx({f"A{number}": f"{{{{{key}}}}}" for number, key in enumerate(keys, 1)})
    assert len(forms.fill(form, sheet()).found) == len(keys)


def test_a_form_filled_from_simulated_data_says_so_on_every_page_and_beside_the_numbers() -> None:
    mine = paper(content.encode(of_school(0)), WORDS)
    mark = "DỮ LIỆU MÔ PHỎNG, KHÔNG PHẢI SỐ LIỆU THẬT"
    assert paragraphs(forms.fill(docx(("{{school.code}}",)), mine).data) == [mark, "01000702"]

    def heads(book: Workbook) -> None:
        book.active.oddHeader.center.text = "Biểu"
        book.create_sheet("Hai")["C3"] = "x"

    book = load_workbook(io.BytesIO(forms.fill(xlsx({"B2": "{{school.code}}"}, heads), mine).data))
    assert [sheet.oddHeader.center.text for sheet in book.worksheets] == [f"{mark}\nBiểu", mark]
    assert [sheet["A3"].value or sheet["A4"].value for sheet in book.worksheets] == [mark, mark]


def test_fonts_of_a_letter_stay() -> None:
    document = Document()
    document.add_paragraph().add_run("{{school.name}}").font.size = Pt(19)
    out = io.BytesIO()
    document.save(out)
    run = Document(io.BytesIO(forms.fill(out.getvalue(), sheet()).data)).paragraphs[0].runs[0]
    assert (run.text, run.font.size) == ("Trường Đỗ & Ẵ", Pt(19))
