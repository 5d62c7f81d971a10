"""A spreadsheet as rows of values: XLSX and CSV in, as people really send them.

Of a workbook the sheet is read that fits best, one that people see before a hidden one. CSV may be UTF-8, or
UTF-16 as Excel's "Unicode text", separated by commas, semicolons or tabs.
"""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

Value = str | float | date | None
"""A cell: its text (NFC, without blanks at the ends), its number, its day; None where it is empty."""

BYTES_MAX, UNPACKED_MAX = 8 << 20, 96 << 20
ROWS_MAX, COLUMNS_MAX = 20_000, 80
"""More than a province's schools with their rooms need; what lies beyond is no list."""

Trouble = Literal[
    "empty",
    "too_large",
    "not_a_workbook",
    "old_format",
    "encrypted",
    "encoding",
    "too_many_rows",
    "too_many_cells",
    "web_page",
]

_SEPARATOR_TOLD = re.compile(r"\Asep=.\r?\n")
"""Tells Excel the separator; other programs write it too."""

_WEB = re.compile(r"\s*<(?:!doctype|html|table|\?xml|head|style|meta)\b", re.IGNORECASE)
"""Begins what many programs of schools write under the name .xls."""

_ORDINAL = re.compile(r"(?:[IVX]{1,6}|[A-Za-zĐđ])[.)]?")

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
    """The rows that hold anything, and how many were empty between them.

    `hidden` are the numbers of those that nobody sees there; `others` are sheets that fit too and
    were not read.
    """

    sheet: str
    rows: tuple[Row, ...]
    blank: int
    hidden: tuple[int, ...] = ()
    is_hidden: bool = False
    others: tuple[str, ...] = ()


def column(index: int) -> str:
    """`A` for 0, `AB` for 27: as the spreadsheet names the column."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def read(data: bytes, fits: Callable[[Grid], int] = lambda _: 1) -> Grid:
    """The rows of a file; of several sheets the one that `fits` rates highest. Raises `GridError`."""
    if len(data) > BYTES_MAX:
        raise GridError("too_large")
    if data.startswith(_OLE):
        raise GridError("encrypted" if "EncryptedPackage".encode("utf-16-le") in data else "old_format")
    if not data.startswith(b"PK"):
        grid = _csv(data)
        if not grid.rows:
            raise GridError("empty")
        return grid
    from schoolwatch_server.workbooks import xlsx  # here: it takes its shapes from this module

    sheets = xlsx.sheets(data)
    if not sheets:
        raise GridError("empty")
    rated = [(fits(one), one) for one in sheets]
    seen = [pair for pair in rated if not pair[1].is_hidden] or rated
    best, chosen = max(seen, key=lambda pair: pair[0])
    others = (one.sheet for rate, one in rated if one is not chosen and rate > 1 and rate >= best)
    return replace(chosen, others=tuple(others))


def tidy(text: str) -> str:
    """One spelling of what looks alike: composed (NFC), single blanks, nothing invisible."""
    return " ".join(unicodedata.normalize("NFC", text.translate(_INVISIBLE)).split())


# --- CSV ------------------------------------------------------------------------------------------------


def _csv(data: bytes) -> Grid:
    text = _SEPARATOR_TOLD.sub("\n", _decoded(data))
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max("\t;,", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        rows = [
            Row(reader.line_num, tuple(tidy(cell) or None for cell in cells[:COLUMNS_MAX]))
            for cells in reader
        ]
    except csv.Error as error:
        raise GridError("not_a_workbook") from error
    if len(rows) > ROWS_MAX:
        raise GridError("too_many_rows")
    return grid_of("", rows)


def _decoded(data: bytes) -> str:
    encoding = "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise GridError("encoding") from error
    if "\0" in text or text.startswith("%PDF-"):
        raise GridError("not_a_workbook")
    if _WEB.match(text):
        raise GridError("web_page")
    return text


def is_ordinal(cell: Value) -> bool:
    """Whether a cell numbers a part of a list: I, II., A, b)."""
    return isinstance(cell, str) and bool(_ORDINAL.fullmatch(cell))


def grid_of(
    sheet: str, rows: Iterable[Row], *, hidden: frozenset[int] = frozenset(), is_hidden: bool = False
) -> Grid:
    """Rows in their order as a grid."""
    all_rows = list(rows)
    held = tuple(row for row in all_rows if any(cell is not None for cell in row.cells))
    last = held[-1].number if held else 0
    blank = sum(row.number <= last for row in all_rows) - len(held)
    return Grid(sheet, held, blank, tuple(row.number for row in held if row.number in hidden), is_hidden)
