"""Placeholders in a text that is cut into runs: each is answered where it begins; runs keep their looks."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from lxml.etree import _Element

from schoolwatch_server.reports.forms.answers import PLACEHOLDER, Answer
from schoolwatch_server.reports.forms.trouble import FormError, Problem

PRESERVE = "{http://www.w3.org/XML/1998/namespace}space"

PLACEHOLDERS_MAX = 5000
"""In one form: more is no form, and each costs."""

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
    begins = [0, *accumulate(map(len, texts))][: len(texts)]
    found = find("".join(texts), ask, where)
    for (start, end), one in reversed(found):  # from the end, so that places before stay where they are
        _replace(texts, begins, start, end, one.answer.text)
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


def _replace(texts: list[str], begins: Sequence[int], start: int, end: int, answer: str) -> None:
    """In place: the answer goes to the run that the placeholder begins in, its rest out of the others."""
    index = bisect_right(begins, start) - 1
    at = begins[index]
    texts[index] = texts[index][: start - at] + answer + texts[index][end - at :]
    index += 1
    while index < len(texts) and begins[index] < end:
        texts[index] = texts[index][end - begins[index] :]
        index += 1


def _excerpt(text: str) -> str:
    begin = text.rfind("{{")
    return text[begin : begin + 40]


def paragraphs(root: _Element, names: Sequence[str], of_texts: Sequence[str]) -> list[list[_Element]]:
    """The texts of each paragraph itself, without those of a paragraph in a text box in it."""
    own: dict[_Element, list[_Element]] = {paragraph: [] for paragraph in root.iter(*names)}
    for text in root.iter(*of_texts):
        paragraph = next(text.iterancestors(*names), None)
        if paragraph is not None:
            own[paragraph].append(text)
    return list(own.values())
