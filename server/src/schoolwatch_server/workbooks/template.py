"""An empty list to fill in: headings that are understood, and codes as text, so that no nought is lost."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from schoolwatch_server.workbooks.grid import column
from schoolwatch_server.workbooks.table import Field

if TYPE_CHECKING:
    from openpyxl.worksheet.datavalidation import DataValidation
    from openpyxl.worksheet.worksheet import Worksheet

ROWS = 3000
"""Rows whose cells are formatted, and where there is a choice."""


def write(fields: Sequence[Field]) -> bytes:
    """The workbook (XLSX) of a list with these columns."""
    from openpyxl import Workbook
    from openpyxl.styles import Font, PatternFill

    book = Workbook()
    sheet = book.active
    assert sheet is not None  # a new workbook has one
    sheet.title = "Danh sách"
    hidden = book.create_sheet("Lựa chọn")
    hidden.sheet_state = "hidden"
    for index, field in enumerate(fields):
        letter = column(index)
        top = sheet.cell(1, index + 1, field.headings[0] + (" *" if field.is_required else ""))
        top.font, top.fill = Font(bold=True), PatternFill("solid", fgColor="DDE7F3")
        sheet.column_dimensions[letter].width = max(14, len(field.headings[0]) + 3)
        for row in range(2, ROWS + 2):
            sheet.cell(row, index + 1).number_format = field.format
        if field.offered:
            choice = _choice(hidden, index, field.offered)
            choice.add(f"{letter}2:{letter}{ROWS + 1}")
            sheet.add_data_validation(choice)
    sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _choice(hidden: "Worksheet", index: int, choices: Sequence[str]) -> "DataValidation":
    """A choice from a hidden sheet: a list within the cell itself can't hold `TH,THCS&THPT`."""
    from openpyxl.worksheet.datavalidation import DataValidation

    letter = column(index)
    for row, one in enumerate(choices, 1):
        hidden.cell(row, index + 1, one)
    area = f"'{hidden.title}'!${letter}$1:${letter}${len(choices)}"
    return DataValidation(type="list", formula1=area, allow_blank=True)
