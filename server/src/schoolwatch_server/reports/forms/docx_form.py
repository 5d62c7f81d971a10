"""A DOCX form: placeholders in the body, in tables, text boxes, heads, feet and notes.

A placeholder may be cut into as many runs as Word likes. ECMA-376 part 1, 17.3 (paragraphs, runs).
"""

import re

from lxml.etree import _Element

from schoolwatch_server.reports.forms.marks import mark_document
from schoolwatch_server.reports.forms.package import Package, tree, written
from schoolwatch_server.reports.forms.runs import Ask, Found, fill_runs
from schoolwatch_server.reports.forms.trouble import FormError, Problem

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_PARTS = re.compile(
    r"word/(?:document|header\d*|footer\d*|footnotes|endnotes|comments|(?:charts|diagrams)/[^/]+)\.xml"
)


def fill(package: Package, ask: Ask, mark: str = "") -> tuple[bytes, list[Found]]:
    """The form with all answers, under a mark. Raises `FormError` that names all that is wrong."""
    found: list[Found] = []
    problems: list[Problem] = []
    changed: dict[str, bytes] = {}
    for name in sorted(package.parts, key=lambda name: (name != "word/document.xml", name)):
        is_body = name == "word/document.xml"
        if _PARTS.fullmatch(name) is None or not (is_body or b"{" in package.parts[name]):
            continue
        root = tree(package, name)
        before = len(found)
        for number, paragraph in enumerate(root.iter(f"{_W}p", f"{_A}p"), 1):
            try:
                found += fill_runs(_runs(paragraph), ask, _where(name, number))
            except FormError as error:
                problems += error.problems
        if is_body and mark:
            mark_document(root, mark)
        if len(found) > before or is_body:
            changed[name] = written(root)
    if problems:
        raise FormError(*problems)
    return package.with_parts(changed), found


def _runs(paragraph: _Element) -> list[_Element]:
    """The texts of a paragraph itself, without those of a paragraph in a text box in it."""
    texts = paragraph.iter(f"{_W}t", f"{_A}t")
    return [one for one in texts if next(one.iterancestors(f"{_W}p", f"{_A}p"), None) is paragraph]


def _where(name: str, number: int) -> str:
    part = name.removeprefix("word/").removesuffix(".xml")
    return f"{part}:{number}"
