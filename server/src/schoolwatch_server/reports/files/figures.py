"""Values as cells of a workbook: numbers where they are known, words where they are not."""

from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.reports.files import words
from schoolwatch_server.reports.files.paper import Paper
from schoolwatch_server.reports.files.sheet import Cell, Figure


def observed(paper: Paper, value: IndicatorValue) -> Cell:
    """A number, or in words that there is none; yes and no are words."""
    if value.value is None or value.unit == "boolean":
        return words.observed(paper, value)
    return Figure(value.value, value.unit)


def claimed(value: IndicatorValue) -> Cell:
    """What the school says: a number that says of itself that it is not verified."""
    if value.declared is None:
        return None
    return Figure(value.declared, value.unit, is_declared=value.value is None)
