"""What an evidence pack prints, criterion by criterion, as plain data: every text is made here. Pure."""

import io
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import segno

from schoolwatch_server.claims.questions import QUESTIONS
from schoolwatch_server.indicators.indicator import IndicatorValue, Line, OfStage, Source
from schoolwatch_server.reports.content import DeviceLine
from schoolwatch_server.reports.files import asks, words
from schoolwatch_server.reports.files.details import details
from schoolwatch_server.reports.files.paper import Paper
from schoolwatch_server.reports.files.trend import trend

Data = Mapping[str, object]
Row = list[str]

_LONG = re.compile(r"\S{25}(?=\S)")
_LABELS = (
    *("title", "check", "how", "qr", "summary", "criteria", "documents", "packs", "devices", "devices-note"),
    *("page", "ticks", "trend", "shared"),
)
_WIDTHS = {"label": 1.4, "room": 1.2, "role": 1.2, "working": 1.1, "taken_at": 1.5}
_FACT_WIDTH = 1.3
_OF_STEPS = ("lan_standard", "ipv6_transition")
"""Indicators whose parts are checks or steps of a school, each there or not."""
_NAMED = 60
"""Computers that are named beside a criterion; all of them are in the table of devices."""
_KEPT = 1500
"""Signs that surely have room on a page beside the bars."""


def evidence(paper: Paper) -> Data:
    """All that the template needs; it decides on nothing but places on a page."""
    content = paper.content
    return {
        "lang": paper.language,
        "title": f"{paper.text('file.pack.title')} - {_said(content.name)}",
        "name": _said(content.name),
        "subtitle": f"{words.kind(paper)} {words.period(paper)}",
        "mark": words.simulated(paper),
        "foot": paper.text("file.foot", revision=content.revision, digest=paper.sha256),
        "digest": paper.sha256,
        "verify": paper.verify,
        "verify-shown": _said(paper.verify),
        "qr": _qr(paper.verify),
        "details": [[what, _said(told)] for what, told in details(paper, short=True)],
        "labels": _labels(paper),
        "summary": {
            "heads": _heads(paper, "name", "value", "coverage", "target", "judgement"),
            "rows": [_summary(paper, value) for value in content.values],
        },
        "asked": [_asked(paper, table) for table in (*asks.scores(paper), *asks.plans(paper))],
        "shared": [_line(paper, line) for line in _shared(content.values)],
        "criteria": [_criterion(paper, value) for value in content.values],
        "documents": {
            "heads": [paper.text(f"file.pack.{key}") for key in ("question", "document", "size", "sha256")],
            "rows": [
                [
                    _said(_question(paper, one.question)),
                    _said(one.name),
                    _size(paper, one.size),
                    _halves(one.sha256),
                ]
                for one in content.evidence
            ],
        },
        "packs": {
            "heads": [paper.text(f"file.pack.{key}") for key in ("pack", "since", "sha256")],
            "rows": [
                [_said(one.name), words.day(one.since) if one.since else "", _halves(one.sha256)]
                for one in content.packs
            ],
        },
        "devices": _devices(paper),
    }


def _labels(paper: Paper) -> Data:
    labels: dict[str, object] = {
        key: paper.texts.entries[f"file.pack.{key}"][paper.language] for key in _LABELS
    }
    return {**labels, "source-heads": [paper.text(f"file.pack.{key}") for key in _SOURCE]}


def _heads(paper: Paper, *columns: str) -> Row:
    return [paper.text(f"report.column.{column}") for column in columns]


def _said(text: str) -> str:
    """The text as a page can hold it: a word without an end may break."""
    return _LONG.sub("\\g<0>\u200b", words.clean(text))


def _halves(sha256: str) -> str:
    return f"{sha256[:32]}\n{sha256[32:]}"


def _size(paper: Paper, size: int) -> str:
    return f"{size} B" if size < 1024 else f"{words.number(size / 1024, paper.language, 1)} KiB"


def _qr(address: str) -> str:
    """The QR code of an address as SVG; empty where there is none."""
    if not address:
        return ""
    out = io.BytesIO()
    segno.make_qr(address, error="m").save(out, kind="svg", border=2, xmldecl=False)
    return out.getvalue().decode()


# --- values ---------------------------------------------------------------------------------------------


def _summary(paper: Paper, value: IndicatorValue) -> Row:
    coverage = "" if value.coverage is None else words.amount(paper, value.coverage, "ratio")
    claim = words.declared(paper, value)
    observed = words.observed(paper, value)
    said = f"{observed}; {claim}" if claim else observed
    told = (
        words.name_of(paper, value),
        said,
        coverage,
        words.target(paper, value),
        words.verdict(paper, value),
    )
    return [_said(one) for one in told]


def _asked(paper: Paper, table: asks.Table) -> Data:
    return {
        "title": _said(table.title),
        "notes": [_said(note) for note in table.notes],
        "heads": list(table.heads),
        "columns": list(table.widths),
        "rows": [[_said(one) for one in asks.texts(paper, row)] for row in table.rows],
    }


def _criterion(paper: Paper, value: IndicatorValue) -> Data:
    """`is-long`: too long to be kept on one page."""
    told = [[paper.text(f"file.pack.{key}"), _said(told)] for key, told in _told(paper, value) if told]
    return {
        "title": _said(words.name_of(paper, value)),
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
        named = [_label(one) for one in paper.content.devices if one.counted.get(value.indicator) is wanted]
        if named:
            more = [paper.text("file.pack.more", count=len(named) - _NAMED)] if len(named) > _NAMED else []
            yield key, f"{len(named)}: {', '.join((*named[:_NAMED], *more))}"


def _label(device: DeviceLine) -> str:
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


def _question(paper: Paper, question: str) -> str:
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
        yield _bar(_said(_part(paper, name)), count, None, most, words.number(count, paper.language))


def _bar(name: str, value: float, tick: float | None, most: float, told: str) -> Data:
    def share(of: float) -> float:
        return min(max(of / most, 0.0), 1.0) if most > 0 else 0.0

    return {"name": name, "share": share(value), "tick": None if tick is None else share(tick), "told": told}


_SOURCE = ("kind", "number", "document", "clause", "confidence")


def _sources(paper: Paper, value: IndicatorValue) -> Iterator[Row]:
    """Where its definition stands, and each number that is its own."""
    shared = _shared(paper.content.values)
    source = value.source
    yield _source(paper, paper.text("file.definition"), "", source)
    yield from (_line(paper, line) for line in value.lines if line not in shared)


def _shared(values: Sequence[IndicatorValue]) -> list[Line]:
    """Of floors and windows the one that most criteria have: printed once for all that have no other."""
    shared = list[Line]()
    for kind in ("floor", "window"):
        found = Counter(line for value in values for line in value.lines if line.kind == kind)
        shared += [line for line, count in found.most_common(1) if 2 * count > len(values)]
    return shared


def _line(paper: Paper, line: Line) -> Row:
    levels = f" ({', '.join(line.applies_to)})" if line.applies_to else ""
    kind = f"{paper.text(f'line.{line.kind}')}{levels}"
    return _source(paper, kind, words.amount(paper, line.value, line.unit), line.source)


def _source(paper: Paper, kind: str, number: str, source: Source) -> Row:
    told = (kind, number, source.document, source.clause, words.confidence(paper, source.confidence))
    return [_said(one) for one in told]


# --- devices ----------------------------------------------------------------------------------------------


def _devices(paper: Paper) -> Data:
    devices = paper.content.devices
    facts: Sequence[str] = list(dict.fromkeys(fact for device in devices for fact in device.facts))
    rows = []
    for device in devices:
        told = (
            _label(device),
            device.room,
            paper.known(f"role.{device.role}", device.role) if device.role else "",
            words.working(paper, device),
            paper.text("unknown") if device.taken_at is None else words.instant(device.taken_at),
            *(words.fact(paper, fact, device.facts.get(fact)) for fact in facts),
        )
        rows.append([_said(one) for one in told])
    return {
        "heads": _heads(paper, *_WIDTHS) + [paper.known(f"file.fact.{fact}", fact) for fact in facts],
        "columns": [*_WIDTHS.values(), *(_FACT_WIDTH for _ in facts)],
        "rows": rows,
    }
