"""A spreadsheet as rows of values: XLSX and CSV in, as people really send them.

XLSX is ECMA-376; of a workbook the first sheet that holds anything is read. CSV may be UTF-8, or UTF-16 as
Excel's "Unicode text", separated by commas, semicolons or tabs.
"""

import codecs
import csv
import io
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

Value = str | float | date | None
"""A cell: its text (NFC, without blanks at the ends), its number, its day; None where it is empty."""

BYTES_MAX, UNPACKED_MAX = 8 << 20, 96 << 20
ROWS_MAX, COLUMNS_MAX = 20_000, 80
"""More than a province's schools with their rooms need; what lies beyond is no list."""

Trouble = Literal[
    "empty", "too_large", "not_a_workbook", "old_format", "encrypted", "encoding", "too_many_rows"
]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""Begins what Excel 97-2003 wrote, and a workbook with a password ([MS-CFB] 2.2)."""

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))


class GridError(ValueError):
    """The file can't be read as a list; `trouble` names the words in texts/workbook.toml."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble


@dataclass(frozen=True, slots=True)
class Row:
    """One row with its number as the spreadsheet shows it; `is_heading` says that one cell spans it."""

    number: int
    cells: tuple[Value, ...]
    is_heading: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows that hold anything, and how many were empty between them."""

    sheet: str
    rows: tuple[Row, ...]
    blank: int


def column(index: int) -> str:
    """`A` for 0, `AB` for 27: as the spreadsheet names the column."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def read(data: bytes) -> Grid:
    """The rows of a file. Raises `GridError`."""
    if len(data) > BYTES_MAX:
        raise GridError("too_large")
    if data.startswith(_OLE):
        raise GridError("encrypted" if "EncryptedPackage".encode("utf-16-le") in data else "old_format")
    grid = _xlsx(data) if data.startswith(b"PK") else _csv(data)
    if not grid.rows:
        raise GridError("empty")
    return grid


def tidy(text: str) -> str:
    """One spelling of what looks alike: composed (NFC), single blanks, nothing invisible."""
    return " ".join(unicodedata.normalize("NFC", text.translate(_INVISIBLE)).split())


# --- XLSX -----------------------------------------------------------------------------------------------


def _xlsx(data: bytes) -> Grid:
    from openpyxl import load_workbook  # here: 30 MB and a third of a second that only an import needs

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(one.file_size for one in archive.infolist())
        book = load_workbook(io.BytesIO(data), data_only=True) if unpacked <= UNPACKED_MAX else None
    except Exception as error:  # openpyxl lets through whatever its parts raise on a broken file
        raise GridError("not_a_workbook") from error
    if book is None:
        raise GridError("too_large")
    for sheet in book.worksheets:
        if sheet.max_row > ROWS_MAX:
            raise GridError("too_many_rows")
        grid = _grid(sheet.title, _sheet_rows(sheet))
        if grid.rows:
            return grid
    raise GridError("empty")


def _sheet_rows(sheet: "Worksheet") -> Iterator[Row]:
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
        yield Row(number, tuple(cells), is_heading=number in across and len(told) == 1)


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


# --- CSV ------------------------------------------------------------------------------------------------


def _csv(data: bytes) -> Grid:
    text = _decoded(data)
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max("\t;,", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        rows = [Row(reader.line_num, tuple(map(_value, cells[:COLUMNS_MAX]))) for cells in reader]
    except csv.Error as error:
        raise GridError("not_a_workbook") from error
    if len(rows) > ROWS_MAX:
        raise GridError("too_many_rows")
    return _grid("", rows)


def _decoded(data: bytes) -> str:
    encoding = "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise GridError("encoding") from error
    if "\0" in text:
        raise GridError("not_a_workbook")
    return text


def _grid(sheet: str, rows: Iterable[Row]) -> Grid:
    all_rows = list(rows)
    held = tuple(row for row in all_rows if any(cell is not None for cell in row.cells))
    last = held[-1].number if held else 0
    return Grid(sheet, held, sum(row.number <= last for row in all_rows) - len(held))
