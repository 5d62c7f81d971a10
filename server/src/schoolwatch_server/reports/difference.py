"""What differs between two revisions of a report: values, places and packs. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schoolwatch_server.indicators.indicator import IndicatorValue, Place
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


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that two revisions do not agree on but for when they were frozen."""

    values: tuple[Change, ...] = ()
    packs_gone: tuple[str, ...] = ()
    packs_new: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.values or self.packs_gone or self.packs_new)


def difference(before: Content, after: Content) -> Difference:
    """From the older to the newer one: the place itself first, then its parts."""
    packs = [{f"{pack.name} {pack.sha256[:12]}" for pack in one.packs} for one in (before, after)]
    return Difference(
        tuple(_changes(before, after)),
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
