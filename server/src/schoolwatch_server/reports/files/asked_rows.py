"""Scores and targets of plans as rows of a CSV, in the columns of indicators. Pure."""

from collections.abc import Iterator

from schoolwatch_server.reports.asked import Assessment, PlanLine, Scored, ScoreLine
from schoolwatch_server.reports.content import Content, Part
from schoolwatch_server.reports.files import asks, words
from schoolwatch_server.reports.files.paper import Paper
from schoolwatch_server.reports.pen import Cell

Row = dict[str, Cell]


def of_report(paper: Paper) -> Iterator[Row]:
    """Those of the place itself: `qd4725.1.3`, `qd4725.total.1`, `qd4725.level`, `ninh_binh_2025.lan`."""
    content: Content = paper.content
    for one in content.assessments:
        yield from _scores(paper, one)
    yield from (_plan(paper, line) for line in content.plan_lines)


def of_part(paper: Paper, part: Part) -> Iterator[Row]:
    """Totals and level of a school of a larger place."""
    for one in part.scored:
        for group, total in one.totals:
            yield _score(paper, one, f"total.{group}", paper.text("score.total", code=group), total, "")
        yield _level(paper, one)


def _scores(paper: Paper, of: Assessment) -> Iterator[Row]:
    for line in of.lines:
        name, _, basis, _, _ = asks.texts(paper, asks.score(paper, line))
        yield _score(paper, of, line.code, name, _value(line), basis) | {
            "denominator": "" if line.most is None else line.most,
            "clause": line.clause,
            "confidence": words.confidence(paper, line.confidence),
        }
    for group in of.groups:
        name, _, basis, _, _ = asks.texts(paper, asks.total(paper, group))
        yield _score(paper, of, f"total.{group.code}", name, group.total, basis) | {
            "denominator": group.most,
            "confidence": words.confidence(paper, group.confidence),
        }
    yield _level(paper, of)


def _value(line: ScoreLine) -> float | None:
    """Points, or 1 and 0 of a mandatory criterion that the school answered."""
    if line.mandatory:
        return None if line.fulfilled is None else float(line.fulfilled)
    return line.score


def _level(paper: Paper, of: Assessment | Scored) -> Row:
    name, _, basis, _, _ = asks.texts(paper, asks.level(paper, of))
    return _score(paper, of, "level", name, of.level, basis) | {"unit": paper.text("report.unit.level")}


def _score(
    paper: Paper, of: Assessment | Scored, code: str, name: str, value: float | None, basis: str
) -> Row:
    known = value is not None
    return {
        "indicator": f"{of.criteria}.{code}",
        "name": name,
        "value": value if value is not None else paper.text("report.status.not_enough_data"),
        "unit": paper.text("report.unit.points"),
        "status": basis if known else paper.text("report.status.not_enough_data"),
        "reason": "" if known else basis,
        "document": of.document,
        "pack": of.pack,
    }


def _plan(paper: Paper, line: PlanLine) -> Row:
    known = line.value is not None
    return {
        "indicator": f"{line.plan.partition('@')[0]}.{line.item}",
        "name": line.vi if paper.language == "vi" else line.en or line.vi,
        "value": line.value if line.value is not None else "" if line.reached is not None else None,
        "unit": paper.known(f"report.unit.{line.value_unit}", line.value_unit) if known else "",
        "status": asks.judged(paper, line),
        "reason": asks.now(paper, line) if line.reached is not None else "",
        "numerator": "" if line.reached is None else line.reached,
        "denominator": "" if line.reached is None else line.schools,
        "coverage": "" if line.coverage is None else line.coverage,
        "target": paper.text("report.none") if line.target is None else line.target,
        "document": line.document,
        "clause": line.clause,
        "confidence": words.confidence(paper, line.confidence),
        "pack": line.plan,
        "deadline": line.deadline,
    }
