"""A copy sheet: the questions of a web form in their order, each with what is to be typed there. Pure.

A question is a line `Số máy tính phòng Tin học | I-02.denominator`; one without an answer from here stays
empty, to be answered by hand.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schoolwatch_server.reports.forms.answers import Subject, answer
from schoolwatch_server.reports.forms.trouble import FormError, Problem
from schoolwatch_server.reports.pen import harmless
from schoolwatch_server.workbooks.grid import tidy

QUESTIONS_MAX = 500


@dataclass(frozen=True, slots=True)
class Question:
    """As the web form asks it, and the inside of a placeholder, empty when it is answered by hand."""

    text: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What is to be typed for a question; `is_by_hand`: nothing here answers it."""

    number: int
    question: str
    answer: str
    is_by_hand: bool


def parse(text: str) -> tuple[Question, ...]:
    """The questions of a list, one a line. Raises `FormError`."""
    lines = [tidy(line) for line in text.splitlines()]
    questions = []
    for line in lines:
        if line:
            asked, _, key = line.rpartition("|") if "|" in line else (line, "", "")
            questions.append(
                Question(asked.strip(), key.strip().removeprefix("{{").removesuffix("}}").strip())
            )
    if len(questions) > QUESTIONS_MAX:
        raise FormError(Problem("too_large", what=str(len(questions))))
    return tuple(questions)


def answers(questions: Sequence[Question], subject: Subject) -> Iterator[Line]:
    """The sheet's lines. Raises `FormError` that names every unknown placeholder with its line."""
    told = [(question, answer(subject, question.key) if question.key else None) for question in questions]
    problems = [
        Problem("unknown", str(number), question.key)
        for number, (question, one) in enumerate(told, 1)
        if question.key and one is None
    ]
    if problems:
        raise FormError(*problems)
    for number, (question, one) in enumerate(told, 1):
        yield Line(number, question.text, one.text if one else "", is_by_hand=one is None)


def as_table(lines: Sequence[Line], heads: tuple[str, str, str], mark: str = "") -> bytes:
    """The sheet as a table for Excel: tabs and UTF-16, which it opens in every region, below a mark."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    if mark:
        writer.writerow((mark,))
    writer.writerow(heads)
    writer.writerows((line.number, harmless(line.question), harmless(line.answer)) for line in lines)
    return ("\ufeff" + out.getvalue()).encode("utf-16-le")
