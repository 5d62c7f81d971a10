"""What differs between two revisions of a report: values, scores, targets of plans, places, packs. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schoolwatch_server.indicators.indicator import IndicatorValue, Place
from schoolwatch_server.reports.asked import Assessment, PlanLine, ScoreLine
from schoolwatch_server.reports.content import Content


@dataclass(frozen=True, slots=True)
class Change:
    """One value that is another now; None where a revision had no such value or place."""

    level: Place
    code: str
    name: str
    indicator: str
    before: IndicatorValue | None
    after: IndicatorValue | None


Asked = ScoreLine | PlanLine | Assessment
"""A score, a target, or (of an assessment as a whole) its totals and level."""


@dataclass(frozen=True, slots=True)
class AskedChange:
    """A score or a target of a plan that stands otherwise now; None where a revision had no such line."""

    pack: str
    before: Asked | None
    after: Asked | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that two revisions do not agree on but for when they were frozen."""

    values: tuple[Change, ...] = ()
    asked: tuple[AskedChange, ...] = ()
    packs_gone: tuple[str, ...] = ()
    packs_new: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.values or self.asked or self.packs_gone or self.packs_new)


def difference(before: Content, after: Content) -> Difference:
    """From the older to the newer one: the place itself first, then its parts."""
    packs = [{f"{pack.name} {pack.sha256[:12]}" for pack in one.packs} for one in (before, after)]
    return Difference(
        tuple(_changes(before, after)),
        tuple(_asked(before, after)),
        tuple(sorted(packs[0] - packs[1])),
        tuple(sorted(packs[1] - packs[0])),
    )


def _changes(before: Content, after: Content) -> Iterator[Change]:
    yield from _of(before.level, after.code, after.name, before.values, after.values)
    old = {(part.level, part.id): part for part in before.parts}
    new = {(part.level, part.id): part for part in after.parts}
    for key in dict.fromkeys((*new, *old)):
        part = new.get(key) or old[key]
        yield from _of(
            part.level,
            part.code,
            part.name,
            old[key].values if key in old else (),
            new[key].values if key in new else (),
        )


def _of(
    level: Place, code: str, name: str, before: Sequence[IndicatorValue], after: Sequence[IndicatorValue]
) -> Iterator[Change]:
    old = {value.indicator: value for value in before}
    new = {value.indicator: value for value in after}
    for indicator in dict.fromkeys((*new, *old)):
        one, other = old.get(indicator), new.get(indicator)
        if _says(one) != _says(other):
            yield Change(level, code, name, indicator, one, other)


def _says(value: IndicatorValue | None) -> object:
    """What a reader of the report would see as another number."""
    if value is None:
        return None
    return (
        value.status,
        value.reason,
        value.value,
        value.numerator,
        value.denominator,
        value.coverage,
        value.target,
        value.deadline,
        value.declared,
        value.declared_state,
    )


def _asked(before: Content, after: Content) -> Iterator[AskedChange]:
    """By set of criteria or plan, whatever its version: the pack's own change is told beside it."""
    old, new = dict(_lines(before)), dict(_lines(after))
    for key in dict.fromkeys((*new, *old)):
        one, other = old.get(key), new.get(key)
        if _stands(one) != _stands(other):
            yield AskedChange(key[0], one, other)


def _lines(content: Content) -> Iterator[tuple[tuple[str, str], Asked]]:
    for one in content.assessments:
        yield from (((one.criteria, line.code), line) for line in one.lines)
        yield (one.criteria, ""), one
    for line in content.plan_lines:
        yield (line.plan.partition("@")[0], line.item), line


def _stands(line: Asked | None) -> object:
    """What a reader would see as another result."""
    match line:
        case ScoreLine():
            return line.score, line.basis, line.most, line.fulfilled
        case Assessment():
            return line.level, tuple((one.code, one.total) for one in line.groups)
        case PlanLine():
            return line.standing, line.value, line.coverage, line.target, line.deadline, line.reached
    return None
