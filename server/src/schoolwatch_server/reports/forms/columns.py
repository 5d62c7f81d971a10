"""Somebody's table of schools: which column asks for what, its rows found by the code of the school.

Rows and columns are named as the spreadsheet shows them. A code that the report does not know leaves its row
as it is and is named, with what was most likely meant; so are the schools that the table leaves out.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from lxml import etree
from lxml.etree import _Element

from schoolwatch_server.reports.files.paper import Paper
from schoolwatch_server.reports.files.words import simulated
from schoolwatch_server.reports.forms.answers import Subject, answer, of_part, own
from schoolwatch_server.reports.forms.marks import mark_sheet
from schoolwatch_server.reports.forms.package import Package
from schoolwatch_server.reports.forms.sheet_xml import (
    COLUMNS_MAX,
    MAIN,
    Book,
    Sheet,
    column_of,
    index_of,
    set_answer,
)
from schoolwatch_server.reports.forms.trouble import FormError, Problem
from schoolwatch_server.workbooks.grid import tidy


@dataclass(frozen=True, slots=True)
class Columns:
    """`code` and the keys of `asked` are letters of columns, its values as in placeholders (`I-02.value`).

    `sheet` is a name, empty for the first; rows before `first` are headings.
    """

    code: str
    asked: Mapping[str, str]
    sheet: str = ""
    first: int = 1


@dataclass(frozen=True, slots=True)
class Unknown:
    """A row whose code no school of the report has; `meant` is the school's that lost its noughts there."""

    row: int
    code: str
    meant: str = ""


@dataclass(frozen=True, slots=True)
class Filled:
    """The table; `rows` were filled, `left_out` are codes of schools that are not in it."""

    data: bytes
    rows: int
    unknown: tuple[Unknown, ...]
    left_out: tuple[str, ...]


def parse(text: str) -> Iterator[tuple[str, str]]:
    """`D = I-02.value`, one a line. Raises `FormError` that names a line without `=` or a column twice."""
    seen: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        letters, sign, key = line.partition("=")
        if line.strip() and not sign:
            raise FormError(Problem("bad_column", str(number), line.strip()[:40]))
        column = letters.strip().upper()
        if column in seen:
            raise FormError(Problem("bad_column", str(number), column[:40]))
        if line.strip():
            seen.add(column)
            yield column, key.strip().removeprefix("{{").removesuffix("}}").strip()


def fill(package: Package, paper: Paper, columns: Columns) -> Filled:
    """The table filled. Raises `FormError` for a sheet, column or placeholder that is none."""
    book = Book(package)
    sheet = _sheet(book, columns)
    schools = {one.code: one for one in _schools(paper) if one.code}
    _check(columns, next(iter(schools.values()), own(paper)))
    covered = _covered(sheet, {index_of(letters) for letters in columns.asked})
    bare = _without_noughts(schools)
    unknown: list[Unknown] = []
    seen: set[str] = set()
    rows = 0
    for number, row in sheet.rows():
        code = _code(book, row, columns.code) if number >= columns.first else ""
        if not code:
            continue
        school = schools.get(code)
        if school is None:
            unknown.append(Unknown(number, code, bare.get(code.lstrip("0"), "") if code.isdigit() else ""))
            continue
        seen.add(code)
        rows += 1
        for letters, key in columns.asked.items():
            if (number, index_of(letters)) in covered:
                raise FormError(Problem("bad_column", f"{sheet.name}!{letters}{number}", letters))
            told = answer(school, key)
            assert told is not None  # looked at above
            set_answer(_cell(row, letters, number), told)
    if mark := simulated(paper):
        mark_sheet(sheet.root, mark)
    left_out = tuple(code for code in schools if code not in seen)
    return Filled(package.with_parts(book.changed()), rows, tuple(unknown), left_out)


def _schools(paper: Paper) -> Iterator[Subject]:
    if paper.content.level == "school":
        yield own(paper)
    yield from (of_part(paper, part) for part in paper.content.parts if part.level == "school")


def _sheet(book: Book, columns: Columns) -> Sheet:
    for sheet in book.sheets:
        if not columns.sheet or tidy(sheet.name) == tidy(columns.sheet):
            return sheet
    raise FormError(Problem("no_sheet", columns.sheet))


def _check(columns: Columns, example: Subject) -> None:
    problems = [
        Problem("bad_column", letters, letters)
        for letters in (columns.code, *columns.asked)
        if not (letters.isascii() and letters.isalpha() and letters.isupper() and len(letters) <= 3)
        or index_of(letters) > COLUMNS_MAX
    ]
    problems += [Problem("bad_column", columns.code, columns.code)] * (columns.code in columns.asked)
    for letters, key in columns.asked.items():
        if answer(example, key) is None:
            problems.append(Problem("unknown", letters, key))
    if problems:
        raise FormError(*problems)


def _code(book: Book, row: _Element, letters: str) -> str:
    """The code in a row; Excel writes a number of digits alone without a fraction."""
    for cell in row.iter(f"{MAIN}c"):
        if column_of(cell.get("r") or "") == letters:
            return tidy(book.text(cell)).removesuffix(".0")
    return ""


def _without_noughts(schools: Mapping[str, Subject]) -> dict[str, str]:
    """By what is left of a code when a spreadsheet took its noughts, the only school that it can be."""
    found: dict[str, str] = {}
    for code in schools:
        bare = code.lstrip("0")
        found[bare] = "" if bare in found else code
    return found


def _covered(sheet: Sheet, asked: Collection[int]) -> set[tuple[int, int]]:
    """Cells of these columns that a merged one lies over: what is written there nobody sees."""
    covered: set[tuple[int, int]] = set()
    left_over = _AREA_MAX
    for area in sheet.root.iter(f"{MAIN}mergeCell"):
        first, _, last = (area.get("ref") or "").partition(":")
        (top, left), (bottom, right) = _place(first), _place(last or first)
        within = [column for column in asked if left <= column <= right]
        left_over -= 1 + max(bottom - top + 1, 0) * len(within)
        if left_over < 0:
            raise FormError(Problem("broken", f"{sheet.name}, mergeCells"))
        covered.update(product(range(top, bottom + 1), within))
        if left in asked:
            covered.discard((top, left))
    return covered


def _place(reference: str) -> tuple[int, int]:
    letters = column_of(reference)
    return int(reference.removeprefix(letters)) if letters else 0, index_of(letters)


_AREA_MAX = 1_000_000
"""Merged areas, and cells of the columns that are filled within them; what has more is no table."""


def _cell(row: _Element, letters: str, number: int) -> _Element:
    """The cell of a column, made where there is none yet, in the order of columns (18.3.1.73)."""
    place = index_of(letters)
    before: Sequence[_Element] = list(row.iterchildren(f"{MAIN}c"))
    for cell in before:
        found = index_of(column_of(cell.get("r") or ""))
        if found == place:
            return cell
        if found > place:
            made = etree.Element(f"{MAIN}c", r=f"{letters}{number}")
            cell.addprevious(made)
            return made
    made = etree.Element(f"{MAIN}c", r=f"{letters}{number}")
    if before:
        before[-1].addnext(made)
    else:
        row.insert(0, made)
    return made
