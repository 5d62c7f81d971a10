"""The sheets of a workbook that hold the parts of a place: one for communes, one for each school level."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.levels import LEVELS
from schoolwatch_server.reports.asked import Scored
from schoolwatch_server.reports.content import Part
from schoolwatch_server.reports.files import asks, words
from schoolwatch_server.reports.files.figures import claimed, observed
from schoolwatch_server.reports.files.paper import Paper
from schoolwatch_server.reports.files.sheet import Cell, Figure, Group, Sheet

_PLACE = (("code", 14.0), ("part", 38.0), ("within", 26.0))
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
"""What a sheet's name can't hold (ECMA-376, 18.2.19, and Excel's own limits)."""
_NAME_MAX = 31


@dataclass(frozen=True, slots=True)
class Parts:
    """The rows of one sheet, and the indicators that have columns there, in their order.

    `scored`: of each set of criteria that schools here are scored by, one school's, for its groups.
    """

    parts: tuple[Part, ...]
    indicators: tuple[IndicatorValue, ...]
    claimed: frozenset[str]
    scored: tuple[Scored, ...] = ()

    def write(self, paper: Paper, sheet: Sheet) -> None:
        """Headings, and a row for each part."""
        heads, widths, groups = _heads(paper, self)
        sheet.heads(heads, widths, 2, groups)
        for part in self.parts:
            sheet.cells(tuple(_row(paper, part, self)), "wrap")
        sheet.end()


def by_level(paper: Paper, others: Sequence[str]) -> Iterator[tuple[str, Parts]]:
    """The sheets with their names: communes first, then the school levels in their usual order.

    `others` are the names of the workbook's other sheets; Excel keeps "History" for itself.
    """
    known: dict[str, list[Part]] = {}
    for part in paper.content.parts:
        known.setdefault(part.school_level if part.level == "school" else f"={part.level}", []).append(part)
    taken = {name.casefold() for name in (*others, "History")}
    for level in sorted(known, key=_order):
        if level.startswith("="):
            name = paper.text(f"file.sheet.{level[1:]}")
        else:
            name = level or paper.text("file.sheet.no_level")
        yield _free(words.clean(name), taken), _parts(known[level])


def _order(level: str) -> tuple[int, str]:
    if level.startswith("="):
        return -1, level
    return (LEVELS.index(level) if level in LEVELS else len(LEVELS)), level


def _free(name: str, taken: set[str]) -> str:
    """The name as a sheet may bear it; of two that differ only in case, one gets a number."""
    plain = " ".join(name.translate(_FORBIDDEN).split())[:_NAME_MAX] or "-"
    free, number = plain, 1
    while free.casefold() in taken:
        number += 1
        free = f"{plain[: _NAME_MAX - 4]} {number}"
    taken.add(free.casefold())
    return free


def _parts(parts: Sequence[Part]) -> Parts:
    first: dict[str, IndicatorValue] = {}
    claimed: set[str] = set()
    for part in parts:
        for value in part.values:
            first.setdefault(value.indicator, value)
            if value.declared is not None:
                claimed.add(value.indicator)
    scored = {one.pack: one for part in parts for one in part.scored}
    return Parts(tuple(parts), tuple(first.values()), frozenset(claimed), tuple(scored.values()))


def _heads(paper: Paper, of: Parts) -> tuple[list[str], list[float], list[Group]]:
    heads = [paper.text(f"file.column.{column}") for column, _ in _PLACE]
    widths = [width for _, width in _PLACE]
    groups = []
    for value in of.indicators:
        columns = [("value", 17.0), ("coverage", 9.0), ("judgement", 44.0)]
        if value.indicator in of.claimed:
            columns.append(("declared", 34.0))
        unit = paper.known(f"report.unit.{value.unit}", value.unit)
        name = f"{words.name_of(paper, value)} ({unit}) [{value.source.confidence}]"
        groups.append(Group(name, len(heads), len(columns)))
        heads += [paper.text(f"report.column.{column}") for column, _ in columns]
        widths += [width for _, width in columns]
    for one in of.scored:
        groups.append(Group(f"{one.document} ({one.pack})", len(heads), len(one.totals) + 2))
        heads += [paper.text("score.total", code=code) for code, _ in one.totals]
        heads += [paper.text("score.level"), paper.text("file.asked.basis")]
        widths += [*(13.0 for _ in one.totals), 13.0, 34.0]
    return heads, widths, groups


def _row(paper: Paper, part: Part, of: Parts) -> Iterator[Cell]:
    yield from (part.code, part.name, part.within)
    values = {value.indicator: value for value in part.values}
    for shown in of.indicators:
        value = values.get(shown.indicator)
        if value is None:
            yield from (paper.text("report.status.not_enough_data"), None, None)
        else:
            yield from _cells(paper, value)
        if shown.indicator in of.claimed:
            yield None if value is None else claimed(value)
    own = {one.pack: one for one in part.scored}
    for scored in of.scored:
        yield from _score(paper, own.get(scored.pack), len(scored.totals))


def _score(paper: Paper, of: Scored | None, groups: int) -> Iterator[Cell]:
    """Totals, level, and what they rest on or why there are none; empty for a school scored by others."""
    if of is None:
        yield from [None] * (groups + 2)
        return
    for _, total in of.totals:
        yield paper.text("score.no_total") if total is None else Figure(total, "points")
    _, level, basis, _, _ = asks.level(paper, of)
    yield from (level, basis)


def _cells(paper: Paper, value: IndicatorValue) -> Iterator[Cell]:
    yield observed(paper, value)
    yield None if value.coverage is None else Figure(value.coverage, "ratio")
    yield words.verdict(paper, value)
