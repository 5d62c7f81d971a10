"""Thirty indicators on one page: by subject, those that tell something first, the silent ones folded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import get_args

from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import Group, IndicatorValue
from schoolwatch_server.reports import punctuality

_GROUP_OF: dict[str, Group] = {indicator.id: indicator.group for indicator in INDICATORS}
_GROUP_OF |= {punctuality.INDICATOR: "observation"}

OF_SCHOOLS = frozenset(indicator.id for indicator in INDICATORS if indicator.counts_schools)
"""Of these a commune or province has the share of its schools that meet what is asked."""


@dataclass(frozen=True, slots=True)
class Line:
    """A value with its target's last day, and whether that is past without its being reached."""

    value: IndicatorValue
    deadline: date | None
    is_overdue: bool

    @property
    def is_of_schools(self) -> bool:
        """Whether it is the share of a place's schools that meet what the name says."""
        return self.value.level != "school" and self.value.indicator in OF_SCHOOLS

    @property
    def named_day(self) -> date | None:
        """The last day, or where that is past without the target reached, the day after: since when."""
        return self.deadline + timedelta(days=1) if self.deadline and self.is_overdue else self.deadline


@dataclass(frozen=True, slots=True)
class Grouped:
    """The indicators of one subject; `silent` are those of which nothing is known here."""

    name: Group
    told: tuple[Line, ...]
    silent: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """All indicators of a place, and how many meet what is asked, do not, and are not known."""

    groups: tuple[Grouped, ...]
    met: int
    unmet: int
    unknown: int


def standing(values: Sequence[IndicatorValue], today: date) -> Standing | None:
    """None of a place without any; `today` is the day in Vietnam."""
    if not values:
        return None
    lines = [_line(value, today) for value in values]
    groups = (
        _grouped(name, [line for line in lines if _GROUP_OF.get(line.value.indicator) == name])
        for name in get_args(Group)
    )
    return Standing(
        tuple(group for group in groups if group.told or group.silent),
        met=sum(value.meets is True for value in values),
        unmet=sum(value.meets is False and not value.encouraged for value in values),
        unknown=sum(value.meets is None and value.value is None for value in values),
    )


def _line(value: IndicatorValue, today: date) -> Line:
    deadline = date.fromisoformat(value.deadline) if value.deadline else None
    past = deadline is not None and deadline < today
    return Line(value, deadline, past and value.meets is not True and not value.encouraged)


def _grouped(name: Group, lines: Sequence[Line]) -> Grouped:
    lines = sorted(lines, key=lambda line: line.value.code)
    told = [line for line in lines if _tells(line.value)]
    return Grouped(name, tuple(told), tuple(line for line in lines if line not in told))


def _tells(value: IndicatorValue) -> bool:
    """Whether there is a value, a verdict, a claim, or at least something that was seen."""
    return (
        value.value is not None
        or value.meets is not None
        or value.declared is not None
        or bool(value.coverage)
    )
