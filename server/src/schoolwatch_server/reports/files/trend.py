"""How an indicator went over the year before a report, as a drawing's points: shares of its box. Pure."""

from collections.abc import Mapping
from datetime import date

from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.reports.files import words
from schoolwatch_server.reports.files.paper import Paper

Point = tuple[float, float]

BREAK = 15
"""Days without a value from which on the line is broken: what was then is not known."""


def trend(paper: Paper, value: IndicatorValue) -> Mapping[str, object] | None:
    """Lines from left to right with `y` from the top, the target's height, and what stands at the edges.

    None for fewer than two values: a line needs them.
    """
    days = [
        (date.fromisoformat(day), number)
        for one in paper.content.history
        if one.indicator == value.indicator
        for day, number in one.days
        if number is not None
    ]
    if len(days) < 2:
        return None
    top = _top(value, max(number for _, number in days))
    first, last = days[0][0], days[-1][0]
    span = (last - first).days or 1

    def y(number: float) -> float:
        return round(1 - min(max(number / top, 0), 1), 4)

    lines: list[list[Point]] = []
    before = None
    for day, number in days:
        if before is None or (day - before).days >= BREAK:
            lines.append([])
        lines[-1].append((round((day - first).days / span, 4), y(number)))
        before = day
    return {
        "lines": lines,
        "tick": None if value.target is None or value.target > top else y(value.target),
        "top": words.amount(paper, top, value.unit),
        "bottom": words.amount(paper, 0, value.unit),
        "first": words.day(first.isoformat()),
        "last": words.day(last.isoformat()),
    }


def _top(value: IndicatorValue, most: float) -> float:
    """The number at the upper edge: all of a share, else a little more than the highest and the target."""
    if value.unit in ("ratio", "boolean"):
        return max(1.0, most)
    return 1.1 * max(most, value.target or 0) or 1.0
