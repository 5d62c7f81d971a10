"""Scores by sets of criteria and targets of plans as tables, the same in every file. Pure.

A score that was guessed says so in its own row; a total or a level that is not there says why.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from schoolwatch_server.reports.asked import Assessment, GroupTotal, PlanLine, Scored, ScoreLine
from schoolwatch_server.reports.files import words
from schoolwatch_server.reports.files.paper import Paper
from schoolwatch_server.reports.files.sheet import Cell, Figure


@dataclass(frozen=True, slots=True)
class Table:
    """A table with what is said above it; `widths` are shares of the page's width that add up to 1."""

    title: str
    notes: tuple[str, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[float, ...]


def scores(paper: Paper) -> Iterator[Table]:
    """A school's scores, or the levels of the schools of a larger place, by each set of criteria."""
    yield from (_assessment(paper, one) for one in paper.content.assessments)
    yield from _levels(paper)


def plans(paper: Paper) -> Iterator[Table]:
    """What each plan asks, beside what is reached."""
    lines = paper.content.plan_lines
    for plan in dict.fromkeys(line.plan for line in lines):
        yield _plan(paper, [line for line in lines if line.plan == plan])


def texts(paper: Paper, row: tuple[Cell, ...]) -> list[str]:
    """The cells of a row as a letter and a page print them."""
    return [
        ""
        if cell is None
        else words.amount(paper, cell.value, cell.unit)
        if isinstance(cell, Figure)
        else cell
        for cell in row
    ]


def _told(paper: Paper, vi: str, en: str) -> str:
    return vi if paper.language == "vi" else en or vi


def _heads(paper: Paper, *keys: str) -> tuple[str, ...]:
    return tuple(paper.text(f"file.asked.{key}") for key in keys)


def brief(paper: Paper, line: ScoreLine | PlanLine | Assessment) -> tuple[str, str]:
    """What a line is called, and in short how it stands."""
    match line:
        case ScoreLine():
            name, *told, _, _ = texts(paper, score(paper, line))
        case PlanLine():
            name, told = _told(paper, line.vi, line.en), [now(paper, line), judged(paper, line)]
        case Assessment():
            rows = [total(paper, one) for one in line.groups] + [level(paper, line)]
            name = paper.text("score.title", name=line.document)
            told = [": ".join(texts(paper, row)[:2]) for row in rows]
    return name, "; ".join(one for one in told if one)


# --- scores -----------------------------------------------------------------------------------------------


def _assessment(paper: Paper, of: Assessment) -> Table:
    notes = [paper.text("file.asked.scores_what", pack=of.pack)]
    if of.level_clause:
        notes.append(paper.text("file.asked.level_rule", clause=of.level_clause, confidence=of.confidence))
    if of.unfulfilled:
        notes.append(paper.text("score.unfulfilled_what", codes=", ".join(of.unfulfilled)))
    rows = [score(paper, line) for line in of.lines]
    rows += [total(paper, one) for one in of.groups]
    rows.append(level(paper, of))
    return Table(
        paper.text("score.title", name=of.document),
        tuple(notes),
        _heads(paper, "criterion", "score", "basis", "most", "confidence"),
        tuple(rows),
        (0.36, 0.13, 0.26, 0.14, 0.11),
    )


def score(paper: Paper, line: ScoreLine) -> tuple[Cell, ...]:
    """The row of a criterion."""
    name = f"{line.code}. {_told(paper, line.vi, line.en)}"
    if line.mandatory:
        key = {None: "basis.missing", True: "fulfilled", False: "unfulfilled"}[line.fulfilled]
        return name, None, paper.text(f"score.{key}"), paper.text("file.asked.mandatory"), line.confidence
    basis = paper.text(f"score.basis.{line.basis}")
    if line.is_too_high:
        basis = f"{basis}; {paper.text('score.why.too_high', codes=line.code)}"
    if line.indicator and line.basis == "provisional":
        known = paper.known(f"indicator.{line.indicator}", line.indicator)
        basis = f"{basis} ({known})"
    score = None if line.score is None else Figure(line.score, "points")
    most = paper.text("file.asked.no_most") if line.most is None else Figure(line.most, "points")
    return name, score, basis, most, line.confidence


def total(paper: Paper, of: GroupTotal) -> tuple[Cell, ...]:
    """The row of a group: its total, or that there is none and why."""
    name = f"{paper.text('score.total', code=of.code)} ({_told(paper, of.vi, of.en)})"
    most = Figure(of.most, "points")
    if of.total is None:
        return name, paper.text("score.no_total"), _why(paper, of.why, of.criteria), most, of.confidence
    basis = paper.text("score.basis.provisional") if of.is_provisional else ""
    return name, Figure(of.total, "points"), basis, most, of.confidence


def level(paper: Paper, of: Assessment | Scored) -> tuple[Cell, ...]:
    """The row of the level: which, or that there is none and why."""
    name, confidence = paper.text("score.level"), of.confidence if isinstance(of, Assessment) else ""
    if of.level is None:
        return name, paper.text("score.no_level"), _why(paper, of.why, ()), None, confidence
    basis = paper.text("score.basis.provisional") if of.is_provisional else ""
    return name, Figure(of.level, "count"), basis, None, confidence


def _why(paper: Paper, why: str, criteria: tuple[str, ...]) -> str:
    """Without criteria that it is about it says so in general."""
    return paper.text(f"score.why.{why}", codes=", ".join(criteria) or paper.text("file.asked.some_criteria"))


# --- levels of the schools below --------------------------------------------------------------------------


def _levels(paper: Paper) -> Iterator[Table]:
    found: dict[str, list[Scored]] = {}
    for part in paper.content.parts:
        for one in part.scored:
            found.setdefault(one.pack, []).append(one)
    for of in found.values():
        counted = Counter((one.level, one.is_provisional, one.why) for one in of)
        rows = tuple(
            (
                paper.text("score.no_level") if number is None else f"{paper.text('score.level')} {number}",
                paper.text("score.basis.provisional") if provisional else _why(paper, why, ()) if why else "",
                Figure(count, "count"),
            )
            for (number, provisional, why), count in sorted(
                counted.items(), key=lambda one: (-(one[0][0] or 0), one[0][1], one[0][2])
            )
        )
        yield Table(
            paper.text("file.asked.levels", name=of[0].document),
            (paper.text("file.asked.scores_what", pack=of[0].pack),),
            _heads(paper, "level", "basis", "schools"),
            rows,
            (0.3, 0.5, 0.2),
        )


# --- plans ------------------------------------------------------------------------------------------------


def _plan(paper: Paper, lines: list[PlanLine]) -> Table:
    return Table(
        lines[0].document,
        (paper.text("file.asked.plan_what", pack=lines[0].plan),),
        _heads(paper, "item", "asked", "deadline", "now", "judged", "clause"),
        tuple(_plan_row(paper, line) for line in lines),
        (0.27, 0.13, 0.13, 0.17, 0.12, 0.18),
    )


def _plan_row(paper: Paper, line: PlanLine) -> tuple[Cell, ...]:
    name = _told(paper, line.vi, line.en)
    if not line.mandatory:
        name = f"{name} ({paper.text('packs.encouraged')})"
    return (
        name,
        asked(paper, line),
        deadline(paper, line),
        now(paper, line),
        judged(paper, line),
        (f"{line.clause} [{line.confidence}]"),
    )


def asked(paper: Paper, line: PlanLine) -> str:
    """`từ 100% trở lên`, or that the document gives no number."""
    if line.target is None:
        return paper.text("packs.no_number")
    return paper.text(f"file.target.{line.better}", target=words.amount(paper, line.target, line.unit))


def deadline(paper: Paper, line: PlanLine) -> str:
    """The last day, or since when it was past, when the report was frozen, without being reached."""
    if not line.deadline:
        return paper.text("packs.no_deadline")
    if is_overdue(paper, line):
        since = date.fromisoformat(line.deadline) + timedelta(days=1)
        return paper.text("packs.overdue", day=words.day(since.isoformat()))
    return words.day(line.deadline)


def is_overdue(paper: Paper, line: PlanLine) -> bool:
    """Whether its last day was past when the report was frozen, and it was not known to be reached."""
    if not line.deadline or line.standing == "met":
        return False
    return date.fromisoformat(line.deadline) < words.frozen_on(paper)


def now(paper: Paper, line: PlanLine) -> str:
    """What is reached, with its coverage; empty where nobody measures or declares it."""
    told = ""
    if line.reached is not None:
        counts = {"reached": line.reached, "schools": line.schools, "answered": line.answered}
        told = paper.text(
            "targets.counted", **{key: words.number(one, paper.language) for key, one in counts.items()}
        )
    elif line.value is not None:
        told = words.amount(paper, line.value, line.value_unit)
        if line.value_unit != line.unit and line.value_unit == "ratio":
            told = f"{told} {paper.text('targets.of_schools')}"
        if line.question:
            told = f"{told} ({paper.text('targets.declared')})"
    if line.coverage is not None and line.coverage < 1:
        share = words.percent(line.coverage, paper.language)
        told = "; ".join(one for one in (told, paper.text("file.asked.coverage", share=share)) if one)
    if told and line.reached is None and line.schools < line.all_schools:
        counts = {"schools": line.schools, "all": line.all_schools}
        some = {key: words.number(one, paper.language) for key, one in counts.items()}
        told = f"{told}; {paper.text('targets.of_some', **some)}"
    return told


def judged(paper: Paper, line: PlanLine) -> str:
    """`đạt`, `chưa đạt`, `chưa đủ dữ liệu`, or that nobody here follows it."""
    if line.standing == "outside":
        return paper.text("packs.outside")
    if line.standing == "no_number":
        return paper.text("packs.no_number")
    return paper.text(f"targets.{line.standing}")
