"""What a person answers to a question, as a number or a text, and what it still lacks. Pure."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from schoolwatch_server.claims.questions import SCORE_MAX, Question
from schoolwatch_server.sites.address import AddressError
from schoolwatch_server.sites.address import typed as typed_address

TEXT_MAX = 500
"""Characters of an answer's text: a note, or the answer itself where a text is asked for."""

Fault = Literal["yes_no", "number", "share", "score", "choice", "text", "address", "note", "day", "future"]
"""What is wrong with what was typed; a key of the text file: `claims.fault.<it>`."""

Lack = Literal["answer", "evidence", "old"]
"""What an answer lacks: it is not given, its evidence is not there, or it is of too long ago."""

_WHOLE = re.compile(r"[0-9]{1,7}")
_DECIMAL = re.compile(r"([0-9]{1,3})(?:[.,]([0-9]{1,2}))?")
_YES_NO = {"yes": 1.0, "no": 0.0}
_YEAR_FIRST = 2000


class AnswerError(ValueError):
    """Nothing can be kept of what was typed; `fault` says why, `most` is the highest number allowed."""

    def __init__(self, fault: Fault, most: float = 0.0) -> None:
        super().__init__(fault)
        self.fault: Fault = fault
        self.most = most


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that may be kept; `value` as in `Claim`."""

    value: float | None
    text: str
    as_of: date


def parse(
    question: Question, value: str, text: str, as_of: str, today: date, most: float = SCORE_MAX
) -> Answer:
    """What was typed, as an answer; `most` is the highest score. Raises `AnswerError`."""
    note = " ".join(text.split())
    if len(note) > TEXT_MAX or not note.isprintable():
        raise AnswerError("note")
    day = _day(as_of, today)
    if question.kind == "text":
        if question.is_address and not _is_address(note):
            raise AnswerError("address")
        if not note:
            raise AnswerError("text")
        return Answer(None, note, day)
    return Answer(_number(question, value.strip(), most), note, day)


def lacks(question: Question, value: float | None, files: int, as_of: date, today: date) -> tuple[Lack, ...]:
    """What an answer that was given lacks before it may leave the school, or to be counted today."""
    wants = question.evidence == "yes" or (question.evidence == "if_yes" and value != 0)
    found: list[Lack] = ["evidence"] if wants and not files else []
    if question.months is not None and _months(as_of, today) >= question.months:
        found.append("old")
    return tuple(found)


def typed(question: Question, value: float | None, language: Literal["vi", "en"] = "vi") -> str:
    """An answer as it is typed, so that `parse` gives it again."""
    if value is None:
        return ""
    if question.kind == "yes_no":
        return "yes" if value else "no"
    shown = f"{value * 100 if question.kind == 'share' else value:.2f}".rstrip("0").rstrip(".")
    return shown.replace(".", ",") if language == "vi" else shown


def _number(question: Question, value: str, most: float) -> float | None:
    match question.kind:
        case "yes_no":
            if value not in _YES_NO:
                raise AnswerError("yes_no")
            return _YES_NO[value]
        case "choice":
            if not _WHOLE.fullmatch(value) or int(value) not in question.choices:
                raise AnswerError("choice")
            return float(value)
        case "number":
            if not _WHOLE.fullmatch(value):
                raise AnswerError("number")
            return float(value)
        case "share":
            return round(_decimal(value, "share", 100.0) / 100, 6)
        case "score":
            return _decimal(value, "score", most)
    return None


def _decimal(value: str, fault: Fault, most: float) -> float:
    """`12`, `12,5` or `12.5`; nobody writes thousands here."""
    match = _DECIMAL.fullmatch(value)
    if match is None:
        raise AnswerError(fault, most)
    number = float(f"{match[1]}.{match[2] or 0}")
    if number > most:
        raise AnswerError(fault, most)
    return number


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise AnswerError("day") from None
    if day > today:
        raise AnswerError("future")
    if day.year < _YEAR_FIRST:
        raise AnswerError("day")
    return day


def _is_address(text: str) -> bool:
    """As the address of a site is typed elsewhere; here its beginning has to be written."""
    try:
        typed_address(text)
    except AddressError:
        return False
    return text.lower().startswith(("http://", "https://"))


def _months(since: date, today: date) -> int:
    """Whole months between two days."""
    return (today.year - since.year) * 12 + today.month - since.month - (today.day < since.day)
