"""A sheet of a workbook, written row by row: texts stay texts, and every sheet of simulated data says so."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from schoolwatch_server.reports.files.words import clean

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_LINE, _LINES_MAX = 15.0, 27
"""Points of a line; a row has at most 409 (Excel's limit)."""
FONT = "Times New Roman"
NUMBERS: Final = {
    "ratio": '[=1]0.0%;[>=0.9995]"<"100%;0.0%',
    "count": "#,##0",
    "level": "#,##0",
    "students/computer": "#,##0.0",
}
"""Number formats by unit; nearly all is never shown as all. Others have `_GENERAL`."""
_GENERAL, _WHOLE = "#,##0.##", "#,##0"
"""Excel writes 24 in the first one as `24.`, so whole numbers have the second."""

_SCALE = 50
"""Percent at which a sheet too wide for one page is printed."""
_PAGE = round((11.69 - 1.0 - 0.2) * 96 * 100 / _SCALE)
"""Pixels of columns across A4 between margins at that scale; a little less, as printers differ."""

Look = Literal["text", "wrap", "head", "title", "mark", "quiet"]
_THIN: Final = {"border": 1, "border_color": "#B8C2CC"}
_LOOKS: Final[Mapping[Look, Mapping[str, object]]] = {
    "text": {"num_format": "@", "quote_prefix": True, "valign": "top", "indent": 1, **_THIN},
    "wrap": {
        "num_format": "@",
        "quote_prefix": True,
        "text_wrap": True,
        "valign": "top",
        "indent": 1,
        **_THIN,
    },
    "head": {
        "bold": True,
        "text_wrap": True,
        "align": "center",
        "valign": "vcenter",
        "bg_color": "#DDE7F3",
        **_THIN,
    },
    "title": {"bold": True, "font_size": 14},
    "mark": {"bold": True, "font_color": "#B00020"},
    "quiet": {"italic": True, "font_color": "#4A5560"},
}


class Figure(NamedTuple):
    """A number in a cell with its unit; `is_declared` writes behind it that nobody has verified it."""

    value: float
    unit: str = ""
    is_declared: bool = False


Cell = str | Figure | None


@dataclass(frozen=True, slots=True)
class Group:
    """A heading over `columns` columns from `first` on, counted from 0."""

    name: str
    first: int
    columns: int


def _pixels(width: float) -> int:
    """Of a column so many signs wide (ECMA-376, 18.3.1.13): a digit of `FONT` at 11 points is 7.33 wide."""
    return math.ceil(width * 7.5 + 5)


class Looks:
    """The formats of a workbook, each made once; `unverified` is written behind what is only declared."""

    def __init__(self, book: "Workbook", unverified: str) -> None:
        self._book = book
        self._unverified = unverified.replace('"', "'")
        self._texts: dict[Look, Format] = {}
        self._figures: dict[tuple[str, bool, bool], Format] = {}

    def of(self, look: Look) -> "Format":
        """The format of a text."""
        made = self._texts.get(look)
        if made is None:
            made = self._texts[look] = self._new(_LOOKS[look])
        return made

    def figure(self, of: Figure) -> "Format":
        """The format of a number."""
        unit, is_declared = of.unit, of.is_declared
        is_whole = float(round(of.value, 2)).is_integer()
        made = self._figures.get((unit, is_declared, is_whole))
        if made is None:
            shape = NUMBERS.get(unit, _WHOLE if is_whole else _GENERAL)
            look = {"valign": "top", "align": "right", **_THIN}
            if is_declared:
                shape = ";".join(f'{one}" ({self._unverified})"' for one in shape.split(";"))
                look |= {"italic": True, "font_color": "#8A5A00"}
            made = self._figures[unit, is_declared, is_whole] = self._new({"num_format": shape, **look})
        return made

    def _new(self, look: Mapping[str, object]) -> "Format":
        return self._book.add_format({"font_name": FONT, "font_size": 11, **look})


class Sheet:
    """One sheet with its title above; `row` is where the next row goes, counted from 0."""

    def __init__(self, sheet: "Worksheet", looks: Looks, title: str, mark: str, foot: str) -> None:
        self._sheet = sheet
        self._looks = looks
        self.row = 0
        self._filter = (0, 0)
        self._widths: Sequence[float] = ()
        sheet.hide_gridlines(2)
        sheet.set_paper(9)
        sheet.set_landscape()
        sheet.set_margins(left=0.5, right=0.5, top=0.7, bottom=0.7)
        if mark:
            sheet.set_header(f"&C&B{mark.replace('&', '&&')}")
        sheet.set_footer(f"&L&8{foot.replace('&', '&&')}&R&8&P/&N")
        self.line(title, "title")
        if mark:
            self.line(mark, "mark")

    def line(self, text: str, look: Look = "quiet") -> None:
        """A text of its own in the first column."""
        self._sheet.write_string(self.row, 0, clean(text), self._looks.of(look))
        self.row += 1

    def fit_width(self) -> None:
        """Printed, all columns are on one page; of a sheet that isn't much wider than that."""
        self._sheet.fit_to_pages(1, 0)

    def heads(
        self, heads: Sequence[str], widths: Sequence[float], keep: int = 0, groups: Sequence[Group] = ()
    ) -> None:
        """The headings stay in sight with `keep` columns, on screen and on each printed page."""
        top = self.row
        self._widths = widths
        for group in groups:
            self._group(group)
        self.row += bool(groups)
        self._sheet.set_row(self.row, 2 * _LINE)
        for column, (head, width) in enumerate(zip(heads, widths, strict=True)):
            self._sheet.set_column(column, column, width)
            self._sheet.write_string(self.row, column, clean(head), self._looks.of("head"))
        self._sheet.freeze_panes(self.row + 1, keep)
        self._sheet.repeat_rows(top, self.row)
        if keep:
            self._sheet.repeat_columns(0, keep - 1)
        if groups:
            self._break_between(groups, sum(map(_pixels, widths[:keep])))
        self._filter = (self.row, len(heads) - 1)
        self.row += 1

    def _break_between(self, groups: Sequence[Group], kept: int) -> None:
        """Printed, columns under one heading stay on one page; `kept` pixels are repeated on each."""
        self._sheet.set_print_scale(_SCALE)
        breaks, used = [], sum(map(_pixels, self._widths[: groups[0].first]))
        for group in groups:
            wide = sum(map(_pixels, self._widths[group.first : group.first + group.columns]))
            if used + wide > _PAGE:
                breaks.append(group.first)
                used = kept
            used += wide
        self._sheet.set_v_pagebreaks(breaks)

    def _group(self, group: Group) -> None:
        self._sheet.set_row(self.row, 64)
        look = self._looks.of("head")
        last = group.first + group.columns - 1
        if last > group.first:
            self._sheet.merge_range(self.row, group.first, self.row, last, "", look)
        self._sheet.write_string(self.row, group.first, clean(group.name), look)

    def cells(self, cells: Sequence[Cell], look: Look = "text") -> None:
        """One row; None is an empty cell."""
        row, sheet, looks = self.row, self._sheet, self._looks
        text = looks.of(look)
        if look == "wrap":
            sheet.set_row(row, _LINE * self._lines(cells))
        for column, cell in enumerate(cells):
            if cell is None:
                sheet.write_blank(row, column, None, text)  # ruled as the others are
            elif isinstance(cell, str):
                sheet.write_string(row, column, clean(cell), text)
            else:
                sheet.write_number(row, column, cell.value, looks.figure(cell))
        self.row += 1

    def _lines(self, cells: Sequence[Cell]) -> int:
        """Lines of the row's highest cell: not every program finds out for itself."""
        lines = 1
        for cell, width in zip(cells, self._widths, strict=True):
            if isinstance(cell, str):
                lines = max(lines, -(-len(cell) * 11 // int(width * 10)))
        return min(lines, _LINES_MAX)

    def end(self) -> None:
        """After the last row: every row can be filtered."""
        row, column = self._filter
        last = max(row, self.row - 1)
        self._sheet.autofilter(row, 0, last, column)
        self._sheet.print_area(0, 0, last, column)
