"""One criterion of an evidence pack: its value, how it came about, what it rests on, its sources. Pure."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from schoolwatch_server.claims.questions import QUESTIONS
from schoolwatch_server.indicators.indicator import IndicatorValue, Line, OfStage, Source
from schoolwatch_server.reports.content import DeviceLine
from schoolwatch_server.reports.files import words
from schoolwatch_server.reports.files.paper import Paper
from schoolwatch_server.reports.files.trend import trend
from schoolwatch_server.reports.files.words import on_page as said

Data = Mapping[str, object]
Row = list[str]

_OF_STEPS = ("lan_standard", "ipv6_transition")
"""Indicators whose parts are checks or steps of a school, each there or not."""
_NAMED = 60
"""Computers that are named beside a criterion; all of them are in the table of devices."""
_KEPT = 1500
"""Signs that surely have room on a page beside the bars."""


def criterion(paper: Paper, value: IndicatorValue) -> Data:
    """`is-long`: too long to be kept on one page."""
    told = [[paper.text(f"file.pack.{key}"), said(told)] for key, told in _told(paper, value) if told]
    return {
        "title": said(words.name_of(paper, value)),
        "told": told,
        "is-long": sum(len(one) for _, one in told) > _KEPT,
        "charts": list(_charts(paper, value)),
        "trend": trend(paper, value),
        "sources": list(_sources(paper, value)),
    }


def _told(paper: Paper, value: IndicatorValue) -> Iterator[tuple[str, str]]:
    yield "value", words.observed(paper, value)
    yield "formula", _formula(paper, value)
    yield "stages", "; ".join(_stage(paper, value, one) for one in value.stages)
    yield "steps", "; ".join(_steps(paper, value))
    yield "target", words.target(paper, value)
    yield "verdict", words.verdict(paper, value)
    if value.coverage is not None:
        yield "coverage", words.amount(paper, value.coverage, "ratio")
    yield "declared", words.declared(paper, value)
    if value.declared_at is not None:
        yield "declared_at", words.instant(value.declared_at)
    yield from _behind(paper, value)
    yield "documents", "; ".join(_documents(paper, value))
    yield "at", words.instant(value.at)
    yield "pack", value.pack


def _behind(paper: Paper, value: IndicatorValue) -> Iterator[tuple[str, str]]:
    """The computers that were counted, and those that are known not to fulfil it, by their labels."""
    for key, wanted in (("counted", True), ("not_counted", False)):
        named = [label(one) for one in paper.content.devices if one.counted.get(value.indicator) is wanted]
        if named:
            more = [paper.text("file.pack.more", count=len(named) - _NAMED)] if len(named) > _NAMED else []
            yield key, f"{len(named)}: {', '.join((*named[:_NAMED], *more))}"


def label(device: DeviceLine) -> str:
    """What people call it; else the first signs of its id: the rest is in the data that the file carries."""
    return device.label or device.device[:8]


def _formula(paper: Paper, value: IndicatorValue) -> str:
    """With its numbers; the sum is only written where it is one."""
    if value.numerator is None or value.denominator is None:
        return ""
    meaning = paper.known(f"file.formula.{value.indicator}", paper.text("file.formula.other"))
    if value.denominator == 1 and value.value == value.numerator:
        return f"{meaning} = {words.observed(paper, value)}"
    upper, lower = (words.number(one, paper.language) for one in (value.numerator, value.denominator))
    quotient = value.numerator / value.denominator if value.denominator else math.nan
    if value.value is None or not math.isclose(quotient, value.value, rel_tol=1e-9, abs_tol=1e-12):
        return paper.text("file.formula.seen", meaning=meaning, upper=upper, lower=lower)
    return f"{meaning}: {upper} ÷ {lower} = {words.observed(paper, value)}"


def _stage(paper: Paper, value: IndicatorValue, of: OfStage) -> str:
    """`TH: 2,5 học sinh/máy (40 ÷ 16; chưa đạt)`."""
    told = paper.text("unknown") if of.value is None else words.amount(paper, of.value, value.unit)
    numbers = [words.number(one, paper.language) for one in (of.numerator, of.denominator) if one is not None]
    inside = [" ÷ ".join(numbers)] if numbers else []
    if of.meets is not None:
        inside.append(paper.text("file.reached" if of.meets else "file.missed"))
    return f"{of.stage}: {told} ({'; '.join(inside)})" if inside else f"{of.stage}: {told}"


def _steps(paper: Paper, value: IndicatorValue) -> Iterator[str]:
    """Of parts that are there or not: checks with how they came out, and the step that was reached."""
    if not _are_steps(value):
        return
    counted = dict(value.parts)
    for name in dict.fromkeys(name.removesuffix("_yes").removesuffix("_no") for name in counted):
        if f"{name}_yes" not in counted:
            if counted[name]:
                yield _part(paper, name)
        else:
            passed, failed = counted[f"{name}_yes"], counted.get(f"{name}_no", 0)
            how = "file.reached" if passed else "file.missed" if failed else "unknown"
            yield f"{_part(paper, name)}: {paper.text(how)}"


def _are_steps(value: IndicatorValue) -> bool:
    return value.level == "school" and value.indicator in _OF_STEPS


def _part(paper: Paper, name: str) -> str:
    return paper.known(f"file.part.{name}", paper.known(f"ipv6_part.{name}", name))


def _documents(paper: Paper, value: IndicatorValue) -> Iterator[str]:
    """What the school sent in for this criterion: the questions say which indicators they feed."""
    code = value.code.rstrip("abcdefgh")
    feeds = {question.id for question in QUESTIONS if code and code in question.indicators}
    for one in paper.content.evidence:
        if one.question in feeds:
            yield f"{one.name} (SHA-256 {one.sha256[:12]}…)"


def question(paper: Paper, question: str) -> str:
    """What a declared question is called."""
    return paper.known(f"claim.question.{question}", question)


def _charts(paper: Paper, value: IndicatorValue) -> Iterator[Data]:
    """Bars of the value beside its target, of the coverage beside its floor, and of what was counted."""
    if value.value is not None and value.unit != "boolean":
        most = 1.0 if value.unit == "ratio" else 1.25 * max(value.value, value.target or 0)
        yield _bar(
            paper.text("file.pack.value"), value.value, value.target, most, words.observed(paper, value)
        )
    if value.coverage is not None:
        floor = next((line.value for line in value.lines if line.kind == "floor"), None)
        told = words.amount(paper, value.coverage, "ratio")
        yield _bar(paper.text("file.pack.coverage"), value.coverage, floor, 1.0, told)
    parts = () if _are_steps(value) else value.parts
    most = max((count for _, count in parts), default=0)
    for name, count in parts:
        yield _bar(said(_part(paper, name)), count, None, most, words.number(count, paper.language))


def _bar(name: str, value: float, tick: float | None, most: float, told: str) -> Data:
    def share(of: float) -> float:
        return min(max(of / most, 0.0), 1.0) if most > 0 else 0.0

    return {"name": name, "share": share(value), "tick": None if tick is None else share(tick), "told": told}


SOURCE = ("kind", "number", "document", "clause", "confidence")
"""Columns of a table of sources."""


def _sources(paper: Paper, value: IndicatorValue) -> Iterator[Row]:
    """Where its definition stands, and each number that is its own."""
    common = shared(paper.content.values)
    source = value.source
    yield _source(paper, paper.text("file.definition"), "", source)
    yield from (line_of(paper, line) for line in value.lines if line not in common)


def shared(values: Sequence[IndicatorValue]) -> list[Line]:
    """Of floors and windows the one that most criteria have: printed once for all that have no other."""
    shared = list[Line]()
    for kind in ("floor", "window"):
        found = Counter(line for value in values for line in value.lines if line.kind == kind)
        shared += [line for line, count in found.most_common(1) if 2 * count > len(values)]
    return shared


def line_of(paper: Paper, line: Line) -> Row:
    """A number of the pack with its source."""
    levels = f" ({', '.join(line.applies_to)})" if line.applies_to else ""
    kind = f"{paper.text(f'line.{line.kind}')}{levels}"
    return _source(paper, kind, words.amount(paper, line.value, line.unit), line.source)


def _source(paper: Paper, kind: str, number: str, source: Source) -> Row:
    told = (kind, number, source.document, source.clause, words.confidence(paper, source.confidence))
    return [said(one) for one in told]
