"""The sheets of an XLSX as grids (ECMA-376)."""

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

from schoolwatch_server.workbooks import slim
from schoolwatch_server.workbooks.grid import (
    COLUMNS_MAX,
    ROWS_MAX,
    UNPACKED_MAX,
    Grid,
    GridError,
    Row,
    Value,
    grid_of,
    is_ordinal,
    tidy,
)

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet


def sheets(data: bytes) -> tuple[Grid, ...]:
    """The sheets that hold anything, those that people see first. Raises `GridError`."""
    from openpyxl import load_workbook  # here: 30 MB and a third of a second that only an import needs

    try:
        book = load_workbook(io.BytesIO(slim.slim(data)), data_only=True, keep_links=False)
    except slim.TooMuchError as error:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            unpacked = sum(one.file_size for one in package.infolist())
        raise GridError("too_large" if unpacked > UNPACKED_MAX else "too_many_cells") from error
    except Exception as error:  # openpyxl lets through whatever its parts raise on a broken file
        raise GridError("not_a_workbook") from error
    found = []
    for sheet in sorted(book.worksheets, key=lambda one: one.sheet_state != "visible"):
        if sheet.max_row > ROWS_MAX:
            raise GridError("too_many_rows")
        is_hidden = sheet.sheet_state != "visible"
        grid = grid_of(sheet.title, _rows(sheet), hidden=_hidden(sheet), is_hidden=is_hidden)
        if grid.rows:
            found.append(grid)
    return tuple(found)


def _rows(sheet: "Worksheet") -> Iterator[Row]:
    width = min(sheet.max_column, COLUMNS_MAX)
    spread: dict[tuple[int, int], tuple[int, int]] = {}
    across: set[int] = set()
    for area in sheet.merged_cells.ranges:
        for row in range(area.min_row, min(area.max_row, ROWS_MAX) + 1):
            for place in range(area.min_col, min(area.max_col, width) + 1):
                spread[row, place] = (area.min_row, area.min_col)
        if area.max_col - area.min_col >= 2:
            across.update(range(area.min_row, area.max_row + 1))
    values = [[_value(cell) for cell in row] for row in sheet.iter_rows(max_col=width, values_only=True)]
    for number, cells in enumerate(values, 1):
        for place in range(1, width + 1):
            top = spread.get((number, place))
            if top is not None:
                cells[place - 1] = values[top[0] - 1][top[1] - 1]
        told = {cell for cell in cells if cell is not None}
        if len(told) > 1:
            told = {cell for cell in told if not is_ordinal(cell)}
        yield Row(number, tuple(cells), is_heading=number in across and len(told) == 1)


def _hidden(sheet: "Worksheet") -> frozenset[int]:
    """The rows that a filter, or somebody, has hidden."""
    return frozenset(number for number, one in sheet.row_dimensions.items() if one.hidden)


def _value(cell: object) -> Value:
    match cell:
        case bool():
            return "TRUE" if cell else "FALSE"
        case int() | float():
            return float(cell)
        case datetime():
            return cell.date()
        case date():
            return cell
        case None:
            return None
        case _:
            return tidy(str(cell)) or None
