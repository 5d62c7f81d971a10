"""A DOCX form: placeholders in the body, in tables, text boxes, heads, feet and notes.

A placeholder may be cut into as many runs as Word likes. ECMA-376 part 1, 17.3 (paragraphs, runs).
"""

import re

from schoolwatch_server.reports.forms.marks import mark_document
from schoolwatch_server.reports.forms.package import Package, tree, written
from schoolwatch_server.reports.forms.runs import PLACEHOLDERS_MAX, Ask, Found, fill_runs, paragraphs
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
        every = paragraphs(root, (f"{_W}p", f"{_A}p"), (f"{_W}t", f"{_A}t"))
        for number, runs in enumerate(every, 1):
            try:
                found += fill_runs(runs, ask, _where(name, number))
            except FormError as error:
                problems += error.problems
            if len(found) + len(problems) > PLACEHOLDERS_MAX:
                raise FormError(Problem("too_many", what=str(PLACEHOLDERS_MAX)))
        if is_body and mark:
            mark_document(root, mark)
        if len(found) > before or is_body:
            changed[name] = written(root)
    if problems:
        raise FormError(*problems)
    return package.with_parts(changed), found


def _where(name: str, number: int) -> str:
    part = name.removeprefix("word/").removesuffix(".xml")
    return f"{part}:{number}"
