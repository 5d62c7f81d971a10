"""An empty list to fill in: headings that are understood, and codes as text, so that no nought is lost."""

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from schoolwatch_server import levels
from schoolwatch_server.workbooks import cells
from schoolwatch_server.workbooks.grid import Value, column
from schoolwatch_server.workbooks.schools import FIELDS

ROWS = 3000
"""Rows whose cells are formatted, and where the level is chosen from a list."""


if TYPE_CHECKING:
    from openpyxl.worksheet.datavalidation import DataValidation
    from openpyxl.worksheet.worksheet import Worksheet

_FORMATS: Mapping[Callable[[Value], object], str] = {cells.day: "DD/MM/YYYY", cells.count: "0"}
"""ECMA-376 part 1, 18.8.30; all else is text."""


def write() -> bytes:
    """The workbook (XLSX)."""
    from openpyxl import Workbook
    from openpyxl.styles import Font, PatternFill

    book = Workbook()
    sheet = book.active
    assert sheet is not None  # a new workbook has one
    sheet.title = "Trường"
    choice = _levels(book.create_sheet("Cấp học"))
    sheet.add_data_validation(choice)
    for index, field in enumerate(FIELDS):
        letter = column(index)
        top = sheet.cell(1, index + 1, field.headings[0] + (" *" if field.is_required else ""))
        top.font, top.fill = Font(bold=True), PatternFill("solid", fgColor="DDE7F3")
        sheet.column_dimensions[letter].width = max(14, len(field.headings[0]) + 3)
        for row in range(2, ROWS + 2):
            sheet.cell(row, index + 1).number_format = _FORMATS.get(field.parse, "@")
        if field.parse is cells.level:
            choice.add(f"{letter}2:{letter}{ROWS + 1}")
    sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _levels(sheet: "Worksheet") -> "DataValidation":
    """A choice from a hidden sheet: a list within the cell itself can't hold `TH,THCS&THPT`."""
    from openpyxl.worksheet.datavalidation import DataValidation

    for row, level in enumerate(levels.LEVELS, 1):
        sheet.cell(row, 1, level)
    sheet.sheet_state = "hidden"
    return DataValidation(
        type="list", formula1=f"'{sheet.title}'!$A$1:$A${len(levels.LEVELS)}", allow_blank=True
    )
