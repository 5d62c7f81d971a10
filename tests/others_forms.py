"""A paper and forms of others, made for tests."""

import io

import msgspec
from docx import Document
from msgspec.structs import replace
from openpyxl import Workbook

from parts.frozen import of_school, value_of
from schoolwatch_server import texts
from schoolwatch_server.reports import content
from schoolwatch_server.reports.content import Content
from schoolwatch_server.reports.files import Paper, paper

WORDS = texts.load()
AV = "antivirus_coverage"


def sheet(**change) -> Paper:
    """A school whose antivirus coverage is 26 of 43, unless a change says otherwise."""
    of = of_school(0)
    first = replace(value_of(of), value=26 / 43, numerator=26, denominator=43, unit="ratio", status="ok",
                    reason="", declared=None, declared_state="")  # fmt: skip
    return of_values(of, replace(first, **change))


def of_values(of: Content, *values) -> Paper:
    return paper(
        content.encode(msgspec.structs.replace(of, name="Trường Đỗ & Ẵ", values=values, simulated=False)),
        WORDS,
    )


def docx(*paragraphs: tuple[str, ...]) -> bytes:
    """A letter whose paragraphs are cut into runs; every other run is bold."""
    document = Document()
    for runs in paragraphs:
        paragraph = document.add_paragraph()
        for number, text in enumerate(runs):
            paragraph.add_run(text).bold = bool(number % 2)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def xlsx(cells: dict[str, object], change=lambda book: None) -> bytes:
    book = Workbook()
    for place, value in cells.items():
        book.active[place] = value
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
