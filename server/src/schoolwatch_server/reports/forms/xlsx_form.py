"""An XLSX form: placeholders in cells, in heads and feet of printed pages, in drawings and comments.

A cell that is one placeholder and nothing else becomes a number where there is one, in the cell's own format;
others become text. Of merged cells the first holds the text, as in the file.
"""

import re
from collections.abc import Iterator
from itertools import chain

from lxml.etree import _Element

from schoolwatch_server.reports.forms.answers import PLACEHOLDER, Answer
from schoolwatch_server.reports.forms.marks import mark_sheet
from schoolwatch_server.reports.forms.package import Package, tree, written
from schoolwatch_server.reports.forms.runs import PLACEHOLDERS_MAX, Ask, Found, fill_runs, find, paragraphs
from schoolwatch_server.reports.forms.sheet_xml import (
    MAIN,
    Book,
    Sheet,
    column_of,
    index_of,
    own_text,
    set_answer,
)
from schoolwatch_server.reports.forms.trouble import FormError, Problem

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_HEADS = tuple(f"{MAIN}{which}{what}" for which in ("odd", "even", "first") for what in ("Header", "Footer"))
_DRAWN = re.compile(r"xl/(?:drawings|charts|diagrams)/[^/]+\.xml")
_SAID = re.compile(r"xl/comments[^/]*\.xml|xl/comments/[^/]+\.xml")
_TABLE = re.compile(r"xl/tables/[^/]+\.xml")


def fill(package: Package, ask: Ask, mark: str = "") -> tuple[bytes, list[Found]]:
    """The form with all answers, under a mark. Raises `FormError` that names all that is wrong."""
    book = Book(package)
    found: list[Found] = []
    problems: list[Problem] = []
    shared: set[int] = set()
    changed: dict[str, bytes] = {}
    for place in chain(_sheets(book, ask, shared), _others(package, ask, changed)):
        try:
            found += place
        except FormError as error:
            problems += error.problems
        if len(found) + len(problems) > PLACEHOLDERS_MAX:
            raise FormError(Problem("too_many", what=str(PLACEHOLDERS_MAX)))
    if problems:
        raise FormError(*problems)
    for text in (text for place in shared for text in book.strings[place].iter(f"{MAIN}t")):
        text.text = ""  # nothing shows it any more
    for sheet in book.sheets if mark else ():
        mark_sheet(sheet.root, mark)
    return Package("xlsx", {**package.parts, **changed}).with_parts(book.changed()), found


def _sheets(book: Book, ask: Ask, shared: set[int]) -> Iterator[Iterator[Found]]:
    for sheet in book.sheets:
        headings = _table_headings(book.package, sheet)
        for cell in sheet.cells():
            yield _cell(book, sheet, cell, headings, ask, shared)
        yield _heads(sheet, ask)


def _cell(
    book: Book, sheet: Sheet, cell: _Element, headings: list[tuple[int, int, int]], ask: Ask, shared: set[int]
) -> Iterator[Found]:
    rich = book.rich(cell)
    if rich is None or "{{" not in (text := book.text(cell)):
        return
    reference = cell.get("r") or ""
    where = f"{sheet.name}!{reference}"
    found = [one for _, one in find(text, ask, where)]
    if _is_heading(reference, headings):
        raise FormError(Problem("table_heading", where, text.strip()))
    if cell.get("t") == "s":
        shared.add(int(cell.findtext(f"{MAIN}v") or 0))
    if PLACEHOLDER.fullmatch(text.strip()) and found[0].answer.number is not None:
        set_answer(cell, found[0].answer)
    else:
        fill_runs(own_text(cell, rich), ask, where)
    yield from found


def _heads(sheet: Sheet, ask: Ask) -> Iterator[Found]:
    def escaped(key: str) -> Answer | None:
        told = ask(key)  # "&" begins a code there (18.3.1.46)
        return None if told is None else Answer(told.text.replace("&", "&&"))

    for head in sheet.root.iter(*_HEADS):
        if "{{" in (head.text or ""):
            yield from fill_runs([head], escaped, f"{sheet.name}!{str(head.tag).rpartition('}')[2]}")


def _others(package: Package, ask: Ask, changed: dict[str, bytes]) -> Iterator[Iterator[Found]]:
    """Text boxes and charts have paragraphs of DrawingML, comments have texts of their own."""
    for name in package.parts:
        if not (_DRAWN.fullmatch(name) or _SAID.fullmatch(name)) or b"{" not in package.parts[name]:
            continue
        root, where = tree(package, name), name.removeprefix("xl/").removesuffix(".xml")
        drawn = paragraphs(root, (f"{_A}p",), (f"{_A}t",))
        said = paragraphs(root, (f"{MAIN}comment",), (f"{MAIN}t",))
        for of in (drawn, said):
            yield from (_runs(runs, ask, f"{where}:{number}") for number, runs in enumerate(of, 1))
        changed[name] = written(root)


def _runs(runs: list[_Element], ask: Ask, where: str) -> Iterator[Found]:
    yield from fill_runs(runs, ask, where)


# --- tables: the heading in a cell must stay what the table's own part says --------------------------


def _table_headings(package: Package, sheet: Sheet) -> list[tuple[int, int, int]]:
    """Row, first and last column of the headings of the sheet's tables."""
    folder, _, name = sheet.part.rpartition("/")
    links = f"{folder}/_rels/{name}.rels"
    if links not in package.parts:
        return []
    headings = []
    for link in tree(package, links):
        part = f"xl/{(link.get('Target') or '').removeprefix('../').removeprefix('/xl/')}"
        if _TABLE.fullmatch(part) and part in package.parts:
            first, _, last = (tree(package, part).get("ref") or "").partition(":")
            row = "".join(c for c in first if c.isdigit())
            if row:
                headings.append((int(row), index_of(column_of(first)), index_of(column_of(last or first))))
    return headings


def _is_heading(reference: str, headings: list[tuple[int, int, int]]) -> bool:
    row = "".join(c for c in reference if c.isdigit())
    column = index_of(column_of(reference))
    return any(str(number) == row and first <= column <= last for number, first, last in headings)
