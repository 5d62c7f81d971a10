"""Writes rows as CSV: for programs (RFC 4180), or so that somebody's Excel opens them as they are.

Excel takes separator and decimal mark from Windows' region: where that is Vietnam it reads 15.375 as fifteen
thousand, and a file with commas as one column. A byte order mark, UTF-16 and tabs it opens in every region
(SAP Community Wiki, "Excel files - CSV format"); the decimal mark then follows the language asked for.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from schoolwatch_server.texts import Language, Texts
from schoolwatch_server.vietnam import VIETNAM

Cell = str | float | bool | None
"""None is unknown and said so; an empty text is nothing to say."""

NAMES: Final = frozenset({"school_code", "school", "commune_code", "commune", "device", "label", "room"})
"""Columns of codes and names: Excel drops the nought of 01000702, and takes room 1-2 for a day."""


# at the start of a cell, and after whatever another country's Excel takes for the end of one
_FORMULA = re.compile(r"(^|[;,|])([\s\"]*)([=+\-@＝＋－＠])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_PLAIN = re.compile(r"[0-9A-Za-z._ -]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Style:
    """Separator of cells, decimal mark, encoding; `for_excel` keeps names from becoming numbers or days."""

    separator: str
    decimal: str
    encoding: str
    for_excel: bool = False


MACHINE: Final = Style(",", ".", "utf-8")
"""What programs read: RFC 4180 with a byte order mark, the same in every language."""

EXCEL: Final[Mapping[Language, Style]] = {
    "vi": Style("\t", ",", "utf-16-le", for_excel=True),
    "en": Style("\t", ".", "utf-16-le", for_excel=True),
}
"""For Excel where Windows writes numbers as that language does."""


@dataclass(frozen=True, slots=True)
class Pen:
    """Language and style of one file; one of simulated data says so in each line."""

    texts: Texts
    language: Language = "vi"
    style: Style = MACHINE
    simulated: bool = False

    def text(self, key: str) -> str:
        """A text of the files."""
        return self.texts.get(self.language, key)

    def known(self, key: str, otherwise: str) -> str:
        """A text of the files, or the word itself when other parts use a new one."""
        return self.texts.either(self.language, key, otherwise)

    def number(self, number: float) -> str:
        """At most six decimals and no grouping."""
        if float(number).is_integer():
            return str(int(number))
        return f"{number:.6f}".rstrip("0").rstrip(".").replace(".", self.style.decimal)

    def head(self, columns: Sequence[str]) -> bytes:
        """The first line: each column's name and, for programs to rely on, its id."""
        return self.heads([(self.text(f"report.column.{name}"), name) for name in columns])

    def heads(self, columns: Sequence[tuple[str, str]]) -> bytes:
        """The same of columns that bring their names along, each before its id."""
        mark = [(self.text("report.column.simulated"), "simulated")] if self.simulated else []
        return self._line([f"{name} [{id_}]" for name, id_ in (*columns, *mark)], "\ufeff")

    def row(self, columns: Sequence[str], cells: Mapping[str, Cell]) -> bytes:
        """One line; every text is made harmless here."""
        mark = [self._cell("simulated", True)] if self.simulated else []
        return self._line([self._cell(name, cells[name]) for name in columns] + mark)

    def _cell(self, column: str, cell: Cell) -> str:
        if cell is None:
            return self.text("unknown")
        if isinstance(cell, bool):
            return self.text("yes" if cell else "no")
        if isinstance(cell, str):
            is_name = self.style.for_excel and column in NAMES and _PLAIN.fullmatch(cell)
            return f'="{cell}"' if is_name else harmless(cell)  # a formula that can't be but this text
        return self.number(cell)

    def _line(self, cells: Sequence[str], before: str = "") -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.style.separator, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerow(cells)
        return (before + out.getvalue()).encode(self.style.encoding)


@lru_cache(maxsize=8192)
def harmless(text: str) -> str:
    """The text in one line, with an apostrophe before what a spreadsheet would take for a formula.

    OWASP, "CSV Injection".
    """
    return _FORMULA.sub(r"\1\2'\3", _CONTROL.sub(" ", text))


def instant(at: float | None) -> str | None:
    """`2026-09-21T21:13:20+0700`: Vietnam's time, the same in every style."""
    return None if at is None else f"{datetime.fromtimestamp(at, VIETNAM):%Y-%m-%dT%H:%M:%S%z}"


def day(at: float) -> str:
    """`2026-09-21`, the day that it is in Vietnam."""
    return f"{datetime.fromtimestamp(at, VIETNAM):%Y-%m-%d}"
