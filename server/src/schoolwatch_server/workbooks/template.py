"""An empty list to fill in: headings that are understood, and codes as text, so that no nought is lost."""

import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from schoolwatch_server.workbooks.grid import column
from schoolwatch_server.workbooks.table import Field

if TYPE_CHECKING:
    from openpyxl.worksheet.datavalidation import DataValidation
    from openpyxl.worksheet.worksheet import Worksheet

ROWS = 1000
"""Rows whose cells are formatted, and where there is a choice."""


def write(fields: Sequence[Field], rows: Sequence[Mapping[str, object]] = (), title: str = "") -> bytes:
    """The workbook (XLSX) of a list with these columns, filled with `rows` by the names of the fields.

    A `title` stands above the heading, where an import doesn't mind it.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Font, PatternFill

    book = Workbook()
    sheet = book.active
    assert sheet is not None  # a new workbook has one
    sheet.title = "Danh sách"
    head = 1
    if title:
        sheet.cell(1, 1, title).font = Font(bold=True)
        head = 2
    hidden = book.create_sheet("Lựa chọn")
    hidden.sheet_state = "hidden"
    for index, field in enumerate(fields):
        letter = column(index)
        top = sheet.cell(head, index + 1, field.headings[0] + (" *" if field.is_required else ""))
        top.font, top.fill = Font(bold=True), PatternFill("solid", fgColor="DDE7F3")
        sheet.column_dimensions[letter].width = max(14, len(field.headings[0]) + 3)
        for row in range(head + 1, head + 1 + max(ROWS, len(rows))):
            sheet.cell(row, index + 1).number_format = field.format
        for row, thing in enumerate(rows, head + 1):
            cell = sheet.cell(row, index + 1, _cell(field, thing.get(field.name)))
            if isinstance(cell.value, str):
                cell.data_type = "s"  # a text that begins with = is no formula
        if field.offered:
            choice = _choice(hidden, index, field.offered)
            choice.add(f"{letter}{head + 1}:{letter}{head + max(ROWS, len(rows))}")
            sheet.add_data_validation(choice)
    sheet.freeze_panes = f"A{head + 1}"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(field: Field, value: object) -> str | float | date | None:
    """As a person would type it: numbers and days as what they are, all else as text."""
    if isinstance(value, int | float | date) and not isinstance(value, bool):
        return value
    return field.said(value) or None


def _choice(hidden: "Worksheet", index: int, choices: Sequence[str]) -> "DataValidation":
    """A choice from a hidden sheet: a list within the cell itself can't hold `TH,THCS&THPT`."""
    from openpyxl.worksheet.datavalidation import DataValidation

    letter = column(index)
    for row, one in enumerate(choices, 1):
        hidden.cell(row, index + 1, one)
    area = f"'{hidden.title}'!${letter}$1:${letter}${len(choices)}"
    return DataValidation(type="list", formula1=area, allow_blank=True)
