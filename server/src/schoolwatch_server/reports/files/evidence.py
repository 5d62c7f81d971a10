"""What an evidence pack prints, criterion by criterion, as plain data: every text is made here. Pure."""

import io
from collections.abc import Iterator, Mapping, Sequence

import segno

from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.reports.files import asks, below, words
from schoolwatch_server.reports.files.criterion import SOURCE, criterion, label, line_of, question, shared
from schoolwatch_server.reports.files.details import details
from schoolwatch_server.reports.files.paper import Paper
from schoolwatch_server.reports.files.words import on_page as said

Data = Mapping[str, object]
Row = list[str]

_LABELS = (
    *("title", "check", "how", "qr", "summary", "criteria", "documents", "packs", "devices", "devices-note"),
    *("page", "ticks", "trend", "shared"),
)
_WIDTHS = {"label": 1.4, "room": 1.2, "role": 1.2, "working": 1.1, "taken_at": 1.5}
_FACT_WIDTH = 1.3


BODY_MOST = 8_000_000
"""Bytes of a report that its pack carries with it; those of a province of 1,500 schools are 45 MB."""


def carries_body(paper: Paper) -> bool:
    """Whether the frozen numbers are attached to the pack."""
    return len(paper.body) <= BODY_MOST


def evidence(paper: Paper) -> Data:
    """All that the template needs; it decides on nothing but places on a page."""
    content = paper.content
    return {
        "lang": paper.language,
        "title": f"{_title(paper)} - {said(content.name)}",
        "name": said(content.name),
        "subtitle": f"{words.kind(paper)} {words.period(paper)}",
        "mark": words.simulated(paper),
        "foot": paper.text("file.foot", revision=content.revision, digest=paper.sha256),
        "digest": paper.sha256,
        "verify": paper.verify,
        "verify-shown": said(paper.verify),
        "qr": _qr(paper.verify),
        "details": [[what, said(told)] for what, told in details(paper, short=True)],
        "labels": _labels(paper),
        "summary": {
            "heads": _heads(paper, "name", "value", "coverage", "target", "judgement"),
            "rows": [_summary(paper, value) for value in content.values],
        },
        "asked": [_table(paper, one) for one in _tables(paper)],
        "shared": [line_of(paper, line) for line in shared(content.values)],
        "criteria": [criterion(paper, value) for value in content.values],
        "documents": {
            "heads": [paper.text(f"file.pack.{key}") for key in ("question", "document", "size", "sha256")],
            "rows": [
                [
                    said(question(paper, one.question)),
                    said(one.name),
                    _size(paper, one.size),
                    _halves(one.sha256),
                ]
                for one in content.evidence
            ],
        },
        "packs": {
            "heads": [paper.text(f"file.pack.{key}") for key in ("pack", "since", "sha256")],
            "rows": [
                [said(one.name), words.day(one.since) if one.since else "", _halves(one.sha256)]
                for one in content.packs
            ],
        },
        "devices": _devices(paper),
    }


def _tables(paper: Paper) -> Iterator[asks.Table]:
    yield from asks.scores(paper)
    yield from asks.plans(paper)
    yield from below.tables(paper)


def _title(paper: Paper) -> str:
    return paper.text("file.pack.title" if paper.content.level == "school" else "file.pack.title_of_many")


def _labels(paper: Paper) -> Data:
    labels: dict[str, object] = {
        key: paper.texts.entries[f"file.pack.{key}"][paper.language] for key in _LABELS
    }
    labels["title"] = _title(paper)
    if not carries_body(paper):
        labels["how"] = paper.text("file.pack.how_apart")
    return {**labels, "source-heads": [paper.text(f"file.pack.{key}") for key in SOURCE]}


def _heads(paper: Paper, *columns: str) -> Row:
    return [paper.text(f"report.column.{column}") for column in columns]


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
    told = (
        words.name_of(paper, value),
        f"{observed}; {claim}" if claim else observed,
        coverage,
        words.target(paper, value),
        words.verdict(paper, value),
    )
    return [said(one) for one in told]


def _table(paper: Paper, table: asks.Table) -> Data:
    return {
        "title": said(table.title),
        "notes": [said(note) for note in table.notes],
        "heads": list(table.heads),
        "columns": list(table.widths),
        "rows": [[said(one) for one in asks.texts(paper, row)] for row in table.rows],
    }


# --- devices ----------------------------------------------------------------------------------------------


def _devices(paper: Paper) -> Data:
    devices = paper.content.devices
    facts: Sequence[str] = list(dict.fromkeys(fact for device in devices for fact in device.facts))
    rows = []
    for device in devices:
        told = (
            label(device),
            device.room,
            paper.known(f"role.{device.role}", device.role) if device.role else "",
            words.working(paper, device),
            paper.text("unknown") if device.taken_at is None else words.instant(device.taken_at),
            *(words.fact(paper, fact, device.facts.get(fact)) for fact in facts),
        )
        rows.append([said(one) for one in told])
    return {
        "heads": _heads(paper, *_WIDTHS) + [paper.known(f"file.fact.{fact}", fact) for fact in facts],
        "columns": [*_WIDTHS.values(), *(_FACT_WIDTH for _ in facts)],
        "rows": rows,
    }
