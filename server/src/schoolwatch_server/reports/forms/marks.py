"""The mark of simulated data on a form that was filled from it: on each printed page and by the numbers."""

from lxml import etree
from lxml.etree import _Element

from schoolwatch_server.reports.forms.answers import Answer
from schoolwatch_server.reports.forms.runs import PRESERVE
from schoolwatch_server.reports.forms.sheet_xml import MAIN, set_answer

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_AFTER_HEADS = frozenset(
    (
        *(
            "rowBreaks",
            "colBreaks",
            "customProperties",
            "cellWatches",
            "ignoredErrors",
            "smartTags",
            "drawing",
        ),
        *("legacyDrawing", "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls"),
        *("webPublishItems", "tableParts", "extLst"),
    )
)
"""What comes behind `headerFooter` in a sheet (ECMA-376 part 1, 18.3.1.99)."""


def mark_sheet(sheet: _Element, mark: str) -> None:
    """In the head of each printed page, and in a row of its own below the last one."""
    heads = sheet.find(f"{MAIN}headerFooter")
    if heads is None:
        heads = etree.Element(f"{MAIN}headerFooter")
        _before(sheet, heads)
    for which in ("oddHeader", "evenHeader", "firstHeader"):
        head = heads.find(f"{MAIN}{which}")
        if head is None and which == "oddHeader":
            head = etree.Element(f"{MAIN}{which}")
            heads.insert(0, head)
        if head is not None:
            head.text = f"&C{mark.replace('&', '&&')}\n{(head.text or '').removeprefix('&C')}"
    data = sheet.find(f"{MAIN}sheetData")
    if data is not None:
        last = max((int(row.get("r") or 0) for row in data.iter(f"{MAIN}row")), default=0)
        row = etree.SubElement(data, f"{MAIN}row", r=str(last + 1))
        set_answer(etree.SubElement(row, f"{MAIN}c", r=f"A{last + 1}"), Answer(mark))


def _before(sheet: _Element, heads: _Element) -> None:
    for child in sheet:
        if etree.QName(child).localname in _AFTER_HEADS:
            child.addprevious(heads)
            return
    sheet.append(heads)


def mark_document(document: _Element, mark: str) -> None:
    """In a paragraph of its own, above all others."""
    body = document.find(f"{_W}body")
    if body is None:
        return
    paragraph = etree.Element(f"{_W}p")
    run = etree.SubElement(paragraph, f"{_W}r")
    looks = etree.SubElement(run, f"{_W}rPr")
    etree.SubElement(looks, f"{_W}b")
    etree.SubElement(looks, f"{_W}color").set(f"{_W}val", "B00020")
    text = etree.SubElement(run, f"{_W}t")
    text.text = mark
    text.set(PRESERVE, "preserve")
    body.insert(0, paragraph)
