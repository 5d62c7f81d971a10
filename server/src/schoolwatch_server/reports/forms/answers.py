"""What stands for a placeholder: `{{I-02.value}}`, `{{school.name}}`, `{{report.period}}`. Pure.

A number that is unknown is answered in words, never with 0; one that is only declared says so.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.reports.content import Part
from schoolwatch_server.reports.files import words
from schoolwatch_server.reports.files.paper import Paper

PLACEHOLDER: Final = re.compile(r"\{\{([^{}]{1,120})\}\}")
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\u00ad", "-"))
"""What word processors make of a hyphen."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` for running text; `number` besides, where a cell can hold one (a ratio is 0…1)."""

    text: str
    number: float | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """Of whom a form asks: the report's own place, or a place below it."""

    paper: Paper
    values: Sequence[IndicatorValue]
    code: str
    name: str
    within: str
    school_level: str


def own(paper: Paper) -> Subject:
    """The report's own place."""
    content = paper.content
    within = content.within[-1] if content.within else ""
    return Subject(paper, content.values, content.code, content.name, within, content.school_level)


def of_part(paper: Paper, part: Part) -> Subject:
    """A place below it."""
    return Subject(paper, part.values, part.code, part.name, part.within, part.school_level)


def tidy(key: str) -> str:
    """One spelling of a placeholder's inside: `i-02.value`."""
    return "".join(key.translate(_DASHES).split()).casefold()


def answer(subject: Subject, key: str) -> Answer | None:
    """What stands for it; None for a placeholder that nobody knows."""
    asked = tidy(key)
    if asked in _PLACE:
        return Answer(words.clean(_PLACE[asked](subject)))
    name, _, field = asked.rpartition(".")
    if field not in _FIELDS:
        return None
    value = next((value for value in subject.values if name in _names(value)), None)
    return None if value is None else _FIELDS[field](subject.paper, value)


def known(subject: Subject) -> Iterator[str]:
    """Every placeholder that can be answered, for a page that lists them."""
    yield from _PLACE
    for value in subject.values:
        name = value.code or value.indicator
        yield from (f"{name}.{field}" for field in _FIELDS)


def _names(value: IndicatorValue) -> tuple[str, ...]:
    return tuple(name for name in (value.code.casefold(), value.indicator) if name)


# --- the place and the report -----------------------------------------------------------------------

_PLACE: Final[Mapping[str, Callable[[Subject], str]]] = {
    "school.name": lambda of: of.name,
    "school.code": lambda of: of.code,
    "school.level": lambda of: of.school_level,
    "place.name": lambda of: of.name,
    "place.code": lambda of: of.code,
    "place.within": lambda of: of.within,
    "report.kind": lambda of: words.kind(of.paper),
    "report.period": lambda of: words.period(of.paper),
    "report.revision": lambda of: str(of.paper.content.revision),
    "report.frozen_at": lambda of: words.instant(of.paper.content.frozen_at),
    "report.from": lambda of: words.day_of(of.paper.content.window_from),
    "report.to": lambda of: words.day_of(of.paper.content.window_to),
    "report.due": lambda of: words.day(of.paper.content.due) if of.paper.content.due else "",
    "report.sha256": lambda of: of.paper.sha256,
    "report.verify": lambda of: of.paper.verify,
    "report.simulated": lambda of: words.simulated(of.paper),
}


# --- an indicator -------------------------------------------------------------------------------------------


def _value(paper: Paper, value: IndicatorValue) -> Answer:
    if value.value is None:
        return Answer(words.declared(paper, value) or words.observed(paper, value))
    return _number(paper, value.value, value.unit)


def _percent(paper: Paper, value: IndicatorValue) -> Answer:
    """0…100, for forms whose heading already says percent."""
    if value.value is None or value.unit != "ratio":
        return _value(paper, value)
    return Answer(words.number(value.value * 100, paper.language), round(value.value * 100, 10))


def _count(of: Callable[[IndicatorValue], float | None]) -> Callable[[Paper, IndicatorValue], Answer]:
    def told(paper: Paper, value: IndicatorValue) -> Answer:
        count = of(value)
        return Answer(paper.text("unknown")) if count is None else _number(paper, count, "")

    return told


def _number(paper: Paper, number: float, unit: str) -> Answer:
    """Units are the form's own words, but for percent, and for yes and no."""
    if unit in ("ratio", "boolean"):
        return Answer(words.amount(paper, number, unit), None if unit == "boolean" else number)
    return Answer(words.number(number, paper.language), number)


def _coverage(paper: Paper, value: IndicatorValue) -> Answer:
    return (
        Answer(paper.text("unknown")) if value.coverage is None else _number(paper, value.coverage, "ratio")
    )


def _declared(paper: Paper, value: IndicatorValue) -> Answer:
    return Answer(words.declared(paper, value) or paper.text("file.declared.none"))


_FIELDS: Final[Mapping[str, Callable[[Paper, IndicatorValue], Answer]]] = {
    "value": _value,
    "percent": _percent,
    "numerator": _count(lambda value: value.numerator),
    "denominator": _count(lambda value: value.denominator),
    "coverage": _coverage,
    "declared": _declared,
    "status": lambda paper, value: Answer(paper.text(f"report.status.{value.status}")),
    "reason": lambda paper, value: Answer(words.reason(paper, value)),
    "verdict": lambda paper, value: Answer(words.verdict(paper, value)),
    "target": lambda paper, value: Answer(words.target(paper, value)),
    "deadline": lambda _, value: Answer(words.day(value.deadline) if value.deadline else ""),
    "unit": lambda paper, value: Answer(paper.known(f"report.unit.{value.unit}", value.unit)),
    "name": lambda paper, value: Answer(words.name_of(paper, value)),
    "document": lambda _, value: Answer(words.clean(value.source.document)),
    "clause": lambda _, value: Answer(words.clean(value.source.clause)),
    "confidence": lambda paper, value: Answer(words.confidence(paper, value.source.confidence)),
    "pack": lambda _, value: Answer(value.pack),
}
