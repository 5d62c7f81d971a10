"""Scores of a school by a set of criteria: no total and no level before all they rest on is there. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from schoolwatch_server.packs.criteria import Criteria, Criterion, Group

Basis = Literal["entered", "provisional", "missing"]
"""A score the school entered, one guessed from what was measured, or none."""

Why = Literal["no_criteria", "no_maximum", "maxima_differ", "not_entered", "too_high", "no_rule", "mandatory"]
"""Why there is no total or no level; keys of the text file `packs`."""


@dataclass(frozen=True, slots=True)
class Line:
    """One criterion with its score; `fulfilled` is of a mandatory one, None when the school has not said."""

    criterion: Criterion
    score: float | None
    basis: Basis
    fulfilled: bool | None = None

    @property
    def is_too_high(self) -> bool:
        """Whether the score is above what the criterion gives at most."""
        most = self.criterion.max
        return self.score is not None and most is not None and self.score > most


@dataclass(frozen=True, slots=True)
class GroupScore:
    """A group's total, or why and for what there is none; `is_provisional`: part of it is guessed."""

    group: Group
    total: float | None
    is_provisional: bool
    why: Why | None
    criteria: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scores:
    """All lines with the groups' totals and the level (1 to 3), or why there is no level.

    `unfulfilled` are mandatory criteria that the school does not fulfil: what that means for its level no
    source says, so a page says that beside it.
    """

    lines: tuple[Line, ...]
    groups: tuple[GroupScore, ...]
    level: int | None
    is_provisional: bool
    why: Why | None
    unfulfilled: tuple[str, ...] = ()


def score(criteria: Criteria, entered: Mapping[str, float], measured: Mapping[str, float]) -> Scores:
    """The scores of one school.

    `entered` has, by criterion, what the school entered: points, or 1 and 0 for a mandatory one that it
    fulfils or not. `measured` has, by indicator, a share from 0 to 1 or 1 and 0 for yes and no; what is not
    known is in neither.
    """
    lines = tuple(_line(one, entered, measured) for one in criteria.criteria)
    groups = tuple(_group(group, lines) for group in criteria.groups)
    level, why = _level(criteria, lines, groups)
    return Scores(
        lines,
        groups,
        level,
        any(group.is_provisional for group in groups if group.total is not None),
        why,
        tuple(line.criterion.code for line in lines if line.fulfilled is False),
    )


def _line(criterion: Criterion, entered: Mapping[str, float], measured: Mapping[str, float]) -> Line:
    given = entered.get(criterion.code)
    if criterion.mandatory:
        return Line(
            criterion, None, "missing" if given is None else "entered", None if given is None else given >= 1
        )
    if given is not None:
        return Line(criterion, given, "entered")
    seen = measured.get(criterion.indicator or "")
    if seen is None or criterion.max is None or not criterion.provisional:
        return Line(criterion, None, "missing")
    share = min(max(seen, 0.0), 1.0) if criterion.provisional == "share" else float(seen >= 1)
    return Line(criterion, criterion.max * share, "provisional")


def _group(group: Group, lines: tuple[Line, ...]) -> GroupScore:
    own = [line for line in lines if line.criterion.group == group.code and not line.criterion.mandatory]
    why, of = _hindrance(group, own)
    if why is not None:
        return GroupScore(group, None, False, why, of)
    total = sum(line.score or 0 for line in own)
    return GroupScore(group, total, any(line.basis == "provisional" for line in own), None)


def _hindrance(group: Group, own: list[Line]) -> tuple[Why | None, tuple[str, ...]]:
    """What stands between a group and its total: the first of these, with the criteria that it is about."""
    if not own:
        return "no_criteria", ()
    without = tuple(line.criterion.code for line in own if line.criterion.max is None)
    if without:
        return "no_maximum", without
    if abs(sum(line.criterion.max or 0 for line in own) - group.max) > 1e-6:
        return "maxima_differ", tuple(line.criterion.code for line in own)
    missing = tuple(line.criterion.code for line in own if line.score is None)
    if missing:
        return "not_entered", missing
    high = tuple(line.criterion.code for line in own if line.is_too_high)
    return ("too_high", high) if high else (None, ())


def _level(
    criteria: Criteria, lines: tuple[Line, ...], groups: tuple[GroupScore, ...]
) -> tuple[int | None, Why | None]:
    rule = criteria.levels
    if rule is None or not groups:
        return None, "no_rule"
    for group in groups:
        if group.total is None:
            return None, group.why
    if any(line.criterion.mandatory and line.fulfilled is None for line in lines):
        return None, "mandatory"
    lowest = min(group.total or 0.0 for group in groups)
    return (3 if lowest > rule.good else 2 if lowest >= rule.basic else 1), None
