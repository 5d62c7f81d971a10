"""Other people's forms, filled from a frozen report: DOCX and XLSX with placeholders, tables by code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from schoolwatch_server.reports.files.paper import Paper
from schoolwatch_server.reports.files.words import simulated
from schoolwatch_server.reports.forms import docx_form, xlsx_form
from schoolwatch_server.reports.forms.answers import answer, own
from schoolwatch_server.reports.forms.package import Kind, Package, unpack
from schoolwatch_server.reports.forms.runs import Ask, Found
from schoolwatch_server.reports.forms.trouble import FormError, Problem

_FILL: Final[Mapping[Kind, Callable[[Package, Ask, str], tuple[bytes, list[Found]]]]] = {
    "docx": docx_form.fill,
    "xlsx": xlsx_form.fill,
}


@dataclass(frozen=True, slots=True)
class FilledForm:
    """A form with every placeholder answered, and which those were."""

    kind: Kind
    data: bytes
    found: tuple[Found, ...]


def fill(form: bytes | Package, paper: Paper) -> FilledForm:
    """An uploaded form, filled. Raises `FormError` that names all that is wrong: all of it or nothing."""
    package = unpack(form) if isinstance(form, bytes) else form
    subject = own(paper)
    filled, found = _FILL[package.kind](package, lambda key: answer(subject, key), simulated(paper))
    if not found:
        raise FormError(Problem("no_placeholder"))
    return FilledForm(package.kind, filled, tuple(found))


__all__ = ["FilledForm", "FormError", "Found", "Problem", "fill"]
