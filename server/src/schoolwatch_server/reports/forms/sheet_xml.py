"""The sheets of an XLSX as they lie in the file: cells are read and set in place (ECMA-376, 18.3)."""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree
from lxml.etree import _Element

from schoolwatch_server.reports.forms.answers import Answer
from schoolwatch_server.reports.forms.package import Package, tree, written
from schoolwatch_server.reports.forms.runs import PRESERVE
from schoolwatch_server.reports.forms.trouble import FormError, Problem

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")


def column_of(reference: str) -> str:
    """`AB` of `AB12`."""
    match = _REFERENCE.fullmatch(reference)
    return match[1] if match else ""


_FORMULA = ("=", "+", "-", "@")

ROWS_MAX, COLUMNS_MAX = 1_048_576, 16_384
"""Of a sheet (Excel's limits)."""


def index_of(letters: str) -> int:
    """1 of `A`, 28 of `AB`."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index


@dataclass(slots=True)
class Sheet:
    """A sheet: its name for people, its part, and its XML."""

    name: str
    part: str
    root: _Element

    def cells(self) -> Iterator[_Element]:
        """Every cell that is in the file."""
        yield from self.root.iter(f"{MAIN}c")

    def rows(self) -> Iterator[tuple[int, _Element]]:
        """Every row that is in the file, with its number."""
        for row in self.root.iter(f"{MAIN}row"):
            yield int(row.get("r") or 0), row  # all of them are numbered


@dataclass(slots=True)
class Book:
    """A workbook that is being filled."""

    package: Package
    sheets: list[Sheet] = field(init=False)
    strings: list[_Element] = field(init=False)
    _strings_root: _Element | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        name = "xl/sharedStrings.xml"
        if name in self.package.parts:
            self._strings_root = tree(self.package, name)
        root = self._strings_root
        self.strings = [] if root is None else list(root.iter(f"{MAIN}si"))
        self.sheets = list(self._sheets())

    def _sheets(self) -> Iterator[Sheet]:
        targets = self._targets()
        for sheet in tree(self.package, "xl/workbook.xml").iter(f"{MAIN}sheet"):
            part = targets.get(sheet.get(_LINK) or "", "")
            if part in self.package.parts and part.startswith("xl/worksheets/"):
                root = tree(self.package, part)
                _number(root, part)
                yield Sheet(sheet.get("name") or "", part, root)

    def _targets(self) -> Mapping[str, str]:
        name = "xl/_rels/workbook.xml.rels"
        if name not in self.package.parts:
            return {}
        links = ((link.get("Id") or "", link.get("Target") or "") for link in tree(self.package, name))
        return {
            id_: target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
            for id_, target in links
        }

    def rich(self, cell: _Element) -> _Element | None:
        """What holds the cell's text (`si`, `is`); None where it is a number, a formula, or nothing."""
        kind = cell.get("t")
        if kind not in ("inlineStr", "s") or cell.find(f"{MAIN}f") is not None:
            return None
        match kind:
            case "inlineStr":
                return cell.find(f"{MAIN}is")
            case "s":
                place = cell.findtext(f"{MAIN}v") or ""
                inside = place.isascii() and place.isdigit() and int(place) < len(self.strings)
                return self.strings[int(place)] if inside else None
        return None

    def text(self, cell: _Element) -> str:
        """What the cell says; a number as it is written in the file."""
        rich = self.rich(cell)
        if rich is not None:
            return "".join(one.text or "" for one in texts(rich))
        return cell.findtext(f"{MAIN}v") or ""

    def _quoted(self) -> Iterator[tuple[str, bytes]]:
        """The styles, where a text begins as a formula does: so that it stays one when somebody edits it."""
        told = [cell for sheet in self.sheets for cell in sheet.cells() if cell.get("t") == "inlineStr"]
        risky = [cell for cell in told if self.text(cell).lstrip()[:1] in _FORMULA]
        name = "xl/styles.xml"
        if not risky or name not in self.package.parts:
            return
        root = tree(self.package, name)
        looks = root.find(f"{MAIN}cellXfs")
        own: list[_Element] = [] if looks is None else list(looks)
        quoted: dict[int, int] = {}
        for cell in risky:
            said = cell.get("s") or "0"
            look = int(said) if said.isascii() and said.isdigit() else len(own)
            if looks is None or look >= len(own):
                continue
            if look not in quoted:
                quoted[look] = len(looks)
                one = copy.deepcopy(own[look])
                one.set("quotePrefix", "1")  # 18.8.45
                looks.append(one)
                looks.set("count", str(len(looks)))
            cell.set("s", str(quoted[look]))
        yield name, written(root)

    def changed(self) -> dict[str, bytes]:
        """The parts as they are now; formulas are computed anew when the workbook is opened."""
        changed = dict(self._quoted())
        for sheet in self.sheets:
            for formula in sheet.root.iter(f"{MAIN}f"):
                _forget(formula)
            changed[sheet.part] = written(sheet.root)
        if self._strings_root is not None:
            changed["xl/sharedStrings.xml"] = written(self._strings_root)
        book = tree(self.package, "xl/workbook.xml")
        _compute_again(book)
        changed["xl/workbook.xml"] = written(book)
        return changed


def _number(root: _Element, part: str) -> None:
    """Writes where each row and cell is, where the file leaves that out (18.3.1.4, 18.3.1.73)."""
    row_before = 0
    for row in root.iter(f"{MAIN}row"):
        said = row.get("r") or str(row_before + 1)
        if not (said.isascii() and said.isdigit() and len(said) < 8 and row_before < int(said) <= ROWS_MAX):
            raise FormError(Problem("broken", f"{part}, row {said[:20]}"))
        row_before, column_before = int(said), 0
        row.set("r", said)
        for cell in row.iterchildren(f"{MAIN}c"):
            if not cell.get("r"):
                cell.set("r", f"{letters_of(column_before + 1)}{said}")
            column_before = index_of(column_of(cell.get("r") or ""))


def letters_of(index: int) -> str:
    """`AB` of 28."""
    letters = ""
    while index > 0:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def texts(rich: _Element) -> list[_Element]:
    """The texts of a cell, run by run, without how they are read aloud (`rPh`)."""
    return [one for one in rich.iter(f"{MAIN}t") if next(one.iterancestors(f"{MAIN}rPh"), None) is None]


def set_answer(cell: _Element, answer: Answer) -> None:
    """A number where there is one, else a text; the cell keeps its looks."""
    _clear(cell)
    if answer.number is None:
        cell.set("t", "inlineStr")
        text = etree.SubElement(etree.SubElement(cell, f"{MAIN}is"), f"{MAIN}t")
        text.text = answer.text
        text.set(PRESERVE, "preserve")
    else:
        etree.SubElement(cell, f"{MAIN}v").text = repr(answer.number)


def own_text(cell: _Element, rich: _Element) -> list[_Element]:
    """The cell's text made its own, so that it can be changed without changing other cells that share it."""
    mine = copy.deepcopy(rich)
    mine.tag = f"{MAIN}is"
    mine.tail = None
    _clear(cell)
    cell.set("t", "inlineStr")
    cell.append(mine)
    return texts(mine)


def _clear(cell: _Element) -> None:
    cell.attrib.pop("t", None)
    for child in list(cell):
        cell.remove(child)


def _forget(formula: _Element) -> None:
    """The result of a formula, which may be another one now."""
    cell = formula.getparent()
    result = None if cell is None else cell.find(f"{MAIN}v")
    if cell is not None and result is not None:
        cell.remove(result)
        cell.attrib.pop("t", None)


def _compute_again(book: _Element) -> None:
    after = ("oleSize", "customWorkbookViews", "pivotCaches", "smartTagPr", "smartTagTypes", "webPublishing",
             "fileRecoveryPr", "webPublishObjects", "extLst")  # fmt: skip
    settings = book.find(f"{MAIN}calcPr")
    if settings is None:
        settings = etree.Element(f"{MAIN}calcPr")
        first = next((one for one in book if etree.QName(one).localname in after), None)
        if first is None:
            book.append(settings)
        else:
            first.addprevious(settings)
    settings.set("fullCalcOnLoad", "1")
