"""The form of an official letter (văn bản hành chính): page, heads, paragraphs, tables, signature.

Nghị định 30/2020/NĐ-CP, Phụ lục I: A4; margins 20 mm above and below, 30 mm left, 15 mm right; Times New
Roman; page numbers in the middle of the head from the second page on. Numbers below are its items.
"""

import html
import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from docx import Document
from docx.enum.section import WD_SECTION
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor

from schoolwatch_server.reports.files.words import clean

if TYPE_CHECKING:
    from docx.section import Section
    from docx.table import Table, _Cell
    from docx.text.paragraph import Paragraph

ALIGN = WD_ALIGN_PARAGRAPH
FONT = "Times New Roman"
SIZE = 14.0
"""Points of the body: 13 or 14 (item II.6)."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_TEXT_WIDTH = 165.0
"""Millimetres between the margins."""


class Letter:
    """A letter that is written from its head to its signature; `mark` stands above every page."""

    def __init__(self, title: str, mark: str, made_at: datetime, language: str) -> None:
        self._document = Document()
        self._has_title = False
        self._set_up(language)
        properties = self._document.core_properties
        properties.title, properties.author, properties.comments = clean(title)[:255], "SchoolWatch", mark
        properties.created = properties.modified = made_at
        self._number_pages(mark)

    def _set_up(self, language: str) -> None:
        normal = self._document.styles["Normal"]
        normal.font.name, normal.font.size = FONT, Pt(SIZE)
        properties = normal.element.get_or_add_rPr()
        fonts = properties.get_or_add_rFonts()
        for script in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
            fonts.set(qn(script), FONT)
        spoken = OxmlElement("w:lang")
        spoken.set(qn("w:val"), "vi-VN" if language == "vi" else "en-GB")
        properties.append(spoken)
        section = self._document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.top_margin = section.bottom_margin = Mm(20)
        section.left_margin, section.right_margin = Mm(30), Mm(15)
        section.header_distance = section.footer_distance = Mm(10)
        section.different_first_page_header_footer = True

    def _number_pages(self, mark: str) -> None:
        section = self._document.sections[0]
        if mark:
            write(
                section.first_page_header.paragraphs[0],
                mark,
                bold=True,
                size=11,
                align=ALIGN.CENTER,
                warn=True,
            )
        head = section.header.paragraphs[0]
        head.alignment = ALIGN.CENTER
        for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
            run = head.add_run()
            run.font.size = Pt(13)
            run._r.append(_field(kind, text))  # noqa: SLF001  python-docx has no fields
        if mark:
            write(section.header.add_paragraph(), mark, bold=True, size=11, warn=True)

    def columns(self, left: float, rows: int = 1) -> list[tuple["_Cell", "_Cell"]]:
        """Two places side by side, `left` of the width for the first: heads, and receivers with signature."""
        table = self._document.add_table(rows=rows, cols=2)
        _widths(table, (left * _TEXT_WIDTH, (1 - left) * _TEXT_WIDTH))
        for row in table.rows:
            row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))  # noqa: SLF001  a signature is one
        return [(row.cells[0], row.cells[1]) for row in table.rows]

    def paragraph(
        self,
        text: str,
        *,
        bold: bool = False,
        align: WD_ALIGN_PARAGRAPH | None = None,
        indent: bool = True,
        keep: bool = False,
    ) -> "Paragraph":
        """One of the body: justified, its first line 10 mm in, 6 pt apart (item II.6).

        `keep`: on one page with what comes next.
        """
        added = self._document.add_paragraph()
        write(added, text, bold=bold, align=ALIGN.JUSTIFY if align is None else align)
        if indent:
            added.paragraph_format.first_line_indent = Mm(10)
        added.paragraph_format.space_after = Pt(6)
        added.paragraph_format.keep_with_next = keep
        return added

    def middle(self, text: str) -> None:
        """In the middle, as "Kính gửi" is."""
        self.paragraph(text, align=ALIGN.CENTER, indent=False)

    def title(self, text: str) -> None:
        """Bold, in the middle: what kind of document it is, what it is about (item II.5)."""
        added = self.paragraph(text, bold=True, align=ALIGN.CENTER, indent=False)
        added.paragraph_format.space_after = Pt(0)
        if not self._has_title:
            self._has_title, added.paragraph_format.space_before = True, Pt(12)

    def annex(self, number: str, name: str, of: str) -> None:
        """The head of an appendix on a page of its own, whose pages are numbered from 1 (item III.1)."""
        section = self._new_section()
        numbering: Any = OxmlElement("w:pgNumType")
        numbering.set(qn("w:start"), "1")
        properties: Any = section._sectPr  # noqa: SLF001  python-docx has no numbering of pages
        margins = properties.find(qn("w:pgMar"))
        properties.insert(properties.index(margins) + 1, numbering)  # the schema has an order
        self.title(number)
        self.title(name.upper())
        added = self._document.add_paragraph()
        write(added, of, italic=True)
        added.paragraph_format.space_after = Pt(6)

    def _new_section(self) -> "Section":
        """On a new page. Its break stands in the small paragraph after a table: in one of its own it would be
        a page with nothing on it where a table fills the last one."""
        before: Any = self._document.paragraphs[-1]._p  # noqa: SLF001
        section: Section = self._document.add_section(WD_SECTION.NEW_PAGE)
        brought: Any = self._document.paragraphs[-1]._p  # noqa: SLF001
        if before.getnext() is brought and not before.findall(qn("w:r")):
            before.get_or_add_pPr().append(brought.pPr.find(qn("w:sectPr")))
            brought.getparent().remove(brought)
        return section

    def line(self) -> None:
        """Under what it is about: a third to a half of its width (item II.5)."""
        rule(self._document.add_paragraph(), 58)

    def heading(self, text: str) -> None:
        """Of a part of the body."""
        self.paragraph(text, bold=True, keep=True)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float]) -> None:
        """With its heads on each page; `widths` are shares of the text's width."""
        table = self._document.add_table(rows=1, cols=len(heads))
        table.style = "Table Grid"
        for cell, head in zip(table.rows[0].cells, heads, strict=True):
            write(cell.paragraphs[0], head, bold=True, size=12, align=ALIGN.CENTER)
        table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # noqa: SLF001
        millimetres = [share * _TEXT_WIDTH for share in widths]
        _widths(table, millimetres)
        for row in rows:
            table._tbl.append(_row(row, millimetres))  # noqa: SLF001  a row by its own means takes 100 times as long
        after = self._document.add_paragraph().paragraph_format
        after.space_after, after.line_spacing = Pt(0), Pt(6)

    def bytes(self) -> bytes:
        """The whole file, its parts without the time of day."""
        out = io.BytesIO()
        self._document.save(out)
        settled = io.BytesIO()
        with zipfile.ZipFile(out) as made, zipfile.ZipFile(settled, "w", zipfile.ZIP_DEFLATED) as target:
            for one in made.infolist():
                target.writestr(zipfile.ZipInfo(one.filename, _EPOCH), made.read(one), zipfile.ZIP_DEFLATED)
        return settled.getvalue()


def write(
    paragraph: "Paragraph",
    text: str,
    *,
    bold: bool = False,
    italic: bool = False,
    size: float = SIZE,
    align: WD_ALIGN_PARAGRAPH = ALIGN.CENTER,
    warn: bool = False,
) -> None:
    """A text in a paragraph, without room around it."""
    run = paragraph.add_run(clean(text))
    run.bold, run.italic, run.font.size = bold, italic, Pt(size)
    if warn:
        run.font.color.rgb = RGBColor(0xB0, 0x00, 0x20)
    paragraph.alignment = align
    paragraph.paragraph_format.space_after = Pt(0)


def rule(paragraph: "Paragraph", indent: float) -> None:
    """A line across what `indent` millimetres on both sides leave of a paragraph."""
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Mm(indent)
    paragraph.paragraph_format.space_after = Pt(6)
    paragraph.paragraph_format.line_spacing = Pt(4)
    borders: Any = OxmlElement("w:pBdr")  # typed as any element, where a paragraph's own is asked for
    top = OxmlElement("w:top")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "000000")):
        top.set(qn(f"w:{name}"), value)
    borders.append(top)
    properties = paragraph._p.get_or_add_pPr()  # noqa: SLF001  python-docx has no borders of paragraphs
    after = [properties.find(qn(f"w:{name}")) for name in ("spacing", "ind", "jc")]
    first = next(one for one in after if one is not None)
    properties.insert(properties.index(first), borders)  # the schema has an order


def _row(texts: Sequence[str], widths: Sequence[float]) -> Any:  # any element, where a table wants its own
    """A row that stays on one page."""
    cells = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{round(width / 25.4 * 1440)}" w:type="dxa"/></w:tcPr>'
        '<w:p><w:pPr><w:spacing w:after="0"/><w:jc w:val="left"/></w:pPr>'
        '<w:r><w:rPr><w:sz w:val="24"/></w:rPr>'
        f'<w:t xml:space="preserve">{html.escape(clean(text))}</w:t></w:r></w:p></w:tc>'
        for text, width in zip(texts, widths, strict=True)
    )
    return parse_xml(f"<w:tr {nsdecls('w')}><w:trPr><w:cantSplit/></w:trPr>{cells}</w:tr>")


def _field(kind: str, text: str) -> "OxmlElement":  # type: ignore[valid-type]
    element = OxmlElement("w:fldChar" if kind else "w:instrText")
    if kind:
        element.set(qn("w:fldCharType"), kind)
    else:
        element.text = text
    return element


def _widths(table: "Table", widths: Sequence[float]) -> None:
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
        for cell in column.cells:
            cell.width = Mm(width)
