"""Judges one indicator for one place: value, coverage and source, or the reason why there is no value."""

from collections.abc import Sequence

from schoolwatch_server.indicators.indicator import (
    Counts,
    Indicator,
    IndicatorValue,
    Line,
    LineKind,
    Place,
    Source,
    Total,
)
from schoolwatch_server.indicators.total import add_up, of_school
from schoolwatch_server.packs import Definition, Number, Pack, Packs


def judge(
    indicator: Indicator, schools: Sequence[Counts], packs: Packs, *, level: Place, place_id: int, at: float
) -> IndicatorValue:
    """The indicator of a place from the counts of its schools (one for a school); `at` is UTC seconds."""
    floor = packs.of(indicator.id).coverage_floor.value
    fractions = [indicator.compute(counts) for counts in schools]
    total = of_school(fractions[0], floor) if level == "school" else add_up(fractions, floor)
    parts = add_parts(indicator, schools)
    return of_total(indicator, total, parts, packs, level=level, place_id=place_id, at=at)


def of_total(
    indicator: Indicator,
    total: Total,
    parts: tuple[tuple[str, int], ...],
    packs: Packs,
    *,
    level: Place,
    place_id: int,
    at: float,
) -> IndicatorValue:
    """As `judge`, of a sum that is already there."""
    pack = packs.of(indicator.id)
    definition = pack.indicators[indicator.id]
    ok = not total.reason and total.numerator is not None and bool(total.denominator)
    return IndicatorValue(
        indicator=indicator.id,
        level=level,
        place_id=place_id,
        unit=indicator.unit,
        status="ok" if ok else "not_enough_data",
        reason=total.reason,
        value=(total.numerator or 0) / (total.denominator or 1) if ok else None,
        numerator=total.numerator,
        denominator=total.denominator,
        coverage=total.coverage,
        source=Source(definition.document, definition.clause, definition.confidence),
        pack=pack.name,
        target=definition.target.value if definition.target else None,
        at=at,
        better=definition.better,
        lines=_lines(indicator, pack, definition, packs),
        parts=parts,
    )


def add_parts(indicator: Indicator, schools: Sequence[Counts]) -> tuple[tuple[str, int], ...]:
    """The indicator's named parts, added up over all schools, declared or not: they are what was seen."""
    if indicator.parts is None:
        return ()
    sums: dict[str, int] = {name: 0 for name, _ in indicator.parts(Counts())}
    for counts in schools:
        for name, count in indicator.parts(counts):
            sums[name] += count
    return tuple(sums.items())


def _lines(indicator: Indicator, pack: Pack, definition: Definition, packs: Packs) -> tuple[Line, ...]:
    window = packs.windows.heard if indicator.window == "heard" else packs.windows.working
    lines = [_line("floor", pack.coverage_floor), _line("window", window)]
    if definition.threshold is not None:
        lines.append(_line("threshold", definition.threshold))
    if definition.target is not None:
        lines.append(_line("target", definition.target))
    return (*lines, *(_line("reference", number) for number in definition.references))


def _line(kind: LineKind, number: Number) -> Line:
    source = Source(number.document, number.clause, number.confidence)
    return Line(kind, number.value, number.unit, number.applies_to, source)
