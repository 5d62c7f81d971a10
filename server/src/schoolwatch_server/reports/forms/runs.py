"""Placeholders in a text that is cut into runs: each is answered where it begins; runs keep their looks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lxml.etree import _Element

from schoolwatch_server.reports.forms.answers import PLACEHOLDER, Answer
from schoolwatch_server.reports.forms.trouble import FormError, Problem

PRESERVE = "{http://www.w3.org/XML/1998/namespace}space"

Ask = Callable[[str], Answer | None]
"""The answer to a placeholder's inside; None for one that nobody knows."""


@dataclass(frozen=True, slots=True)
class Found:
    """A placeholder in a form: its inside, the cell or paragraph, and what stands for it."""

    key: str
    where: str
    answer: Answer


def fill_runs(runs: Sequence[_Element], ask: Ask, where: str) -> list[Found]:
    """Answers all placeholders in the texts of these elements, as if they were one. Raises `FormError`."""
    texts = [run.text or "" for run in runs]
    whole = "".join(texts)
    found = find(whole, ask, where)
    for (start, end), one in reversed(found):  # from the end, so that places before stay where they are
        _replace(texts, start, end, one.answer.text)
    for run, text in zip(runs, texts, strict=True):
        if text != (run.text or ""):
            run.text = text
            run.set(PRESERVE, "preserve")
    return [one for _, one in found]


def find(text: str, ask: Ask, where: str) -> list[tuple[tuple[int, int], Found]]:
    """The placeholders of a text with where they are. Raises `FormError` that names every unknown one."""
    found: list[tuple[tuple[int, int], Found]] = []
    problems = []
    for match in PLACEHOLDER.finditer(text):
        answer = ask(match[1])
        if answer is None:
            problems.append(Problem("unknown", where, match[0]))
        else:
            found.append((match.span(), Found(match[1].strip(), where, answer)))
    if "{{" in PLACEHOLDER.sub("", text):
        problems.append(Problem("unclosed", where, _excerpt(text)))
    if problems:
        raise FormError(*problems)
    return found


def _replace(texts: list[str], start: int, end: int, answer: str) -> None:
    """In place: the answer goes to the run that the placeholder begins in, its rest out of the others."""
    at = 0
    for index, text in enumerate(texts):
        first, last = max(start - at, 0), min(end - at, len(text))
        begins = 0 <= start - at < len(text)
        at += len(text)
        if first < last:
            texts[index] = text[:first] + (answer if begins else "") + text[last:]


def _excerpt(text: str) -> str:
    begin = text.rfind("{{")
    return text[begin : begin + 40]
