"""Judges one indicator for one place: value, coverage and source, or the reason why there is no value."""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from schoolwatch_server.indicators.indicator import (
    Counts,
    Fraction,
    Indicator,
    IndicatorValue,
    Parts,
    Place,
    Total,
    Unit,
)
from schoolwatch_server.indicators.prepared import Better, asked_of, asked_of_all, with_plan
from schoolwatch_server.indicators.prepared import Prepared as Prepared
from schoolwatch_server.indicators.prepared import prepare as prepare
from schoolwatch_server.indicators.total import (
    OUT,
    add_up,
    declared_share,
    declared_sum,
    of_school,
    share_of_schools,
)
from schoolwatch_server.packs import About, Packs


def judge(
    indicator: Indicator,
    schools: Sequence[Counts],
    packs: Packs,
    *,
    level: Place,
    place_id: int,
    at: float,
    about: About | None = None,
) -> IndicatorValue:
    """The indicator of a place from the counts of its schools (one for a school); `at` is UTC seconds."""
    prepared = prepare(indicator, packs, at)
    fractions = [fraction_of(prepared, counts) for counts in schools]
    if level == "school":
        parts = parts_of(prepared, schools[0])
        return of_one(prepared, fractions[0], parts, place_id=place_id, at=at, about=about)
    abouts = {About(stages=each.stages, is_public=each.is_public) for each in schools}
    parts = add_parts(prepared, [parts_of(prepared, each) for each in schools if is_asked(indicator, each)])
    total = total_of(prepared, fractions)
    return of_total(prepared, total, parts, level=level, place_id=place_id, at=at, abouts=abouts)


def is_asked(indicator: Indicator, of: Counts | About) -> bool:
    """Whether a school is among those that the indicator's target is of."""
    return not indicator.public_only or of.is_public is True


def fraction_of(prepared: Prepared, counts: Counts) -> Fraction:
    """What an indicator comes to at one school; of a private one nothing public is asked."""
    fraction = prepared.indicator.compute(counts, prepared.numbers)
    if is_asked(prepared.indicator, counts):
        return fraction
    return msgspec.structs.replace(fraction, meets=None, target=None, is_asked=False)


def total_of(prepared: Prepared, fractions: Sequence[Fraction]) -> Total:
    """The sum of a commune's or province's schools, or the share of them that meet what is asked."""
    asked = [f for f in fractions if f.is_asked and f.reason not in OUT]
    if prepared.indicator.counts_schools:
        total = share_of_schools(fractions, prepared.floor)
        said = declared_share(asked, prepared.floor, prepared.better)
    else:
        total, said = add_up(asked, prepared.floor), declared_sum(asked, prepared.floor)
    return total if said is None else msgspec.structs.replace(total, said=said)


def of_one(
    prepared: Prepared, fraction: Fraction, parts: Parts, *, place_id: int, at: float, about: About | None
) -> IndicatorValue:
    """The value of one school; what its number is held against may be asked of it alone."""
    indicator = prepared.indicator
    total = of_school(fraction, prepared.floor)
    asked, deadline, encouraged = asked_of(prepared, about)
    if indicator.counts_schools and indicator.unit == "ratio":
        asked = None  # a plan's share is one of schools, and no share of what is asked of one of them
    target: float | None
    if indicator.counts_schools or fraction.target is not None:
        target = fraction.target
    else:
        target = prepared.target if asked is None else asked.value
    value = _quotient(total)
    meets = fraction.meets
    if meets is None and value is not None and target is not None and not indicator.counts_schools:
        meets = value >= target if prepared.better == "higher" else value <= target
    said = fraction.said
    return IndicatorValue(
        indicator=indicator.id,
        level="school",
        place_id=place_id,
        unit=indicator.unit,
        status="not_enough_data" if value is None else "ok",
        reason=total.reason,
        value=value,
        numerator=total.numerator,
        denominator=total.denominator,
        coverage=total.coverage,
        source=prepared.source,
        pack=prepared.pack,
        target=target,
        at=at,
        better=prepared.better,
        lines=prepared.lines if asked is None else with_plan(prepared.lines, asked),
        parts=parts,
        basis=indicator.basis,
        declared=None if said is None else said.value,
        declared_state="" if said is None else said.state,
        declared_at=None if said is None else said.at,
        deadline=deadline,
        code=indicator.code,
        meets=meets,
        stages=fraction.stages,
        encouraged=encouraged,
    )


def of_total(
    prepared: Prepared,
    total: Total,
    parts: Parts,
    *,
    level: Place,
    place_id: int,
    at: float,
    abouts: Collection[About] = (),
) -> IndicatorValue:
    """The value of a commune or province, from a sum that is already there; `abouts` are its schools.

    It is held against what plans ask of all of them; what is asked of some has a value of its own.
    """
    indicator = prepared.indicator
    unit: Unit = "ratio" if indicator.counts_schools else indicator.unit
    told = [about for about in abouts if is_asked(indicator, about)] if prepared.plans else ()
    asked, deadline, encouraged = asked_of_all(prepared, told, unit)
    target = prepared.target if asked is None else asked.value
    better: Better = "higher" if indicator.counts_schools else prepared.better
    value = _quotient(total)
    meets = None
    if value is not None and target is not None:
        meets = value >= target if better == "higher" else value <= target
    return IndicatorValue(
        indicator=indicator.id,
        level=level,
        place_id=place_id,
        unit=unit,
        status="not_enough_data" if value is None else "ok",
        reason=total.reason,
        value=value,
        numerator=total.numerator,
        denominator=total.denominator,
        coverage=total.coverage,
        source=prepared.source,
        pack=prepared.pack,
        target=target,
        at=at,
        better=better,
        lines=prepared.lines if asked is None else with_plan(prepared.lines, asked),
        parts=parts,
        basis=indicator.basis,
        declared=None if total.said is None else total.said.value,
        declared_state="" if total.said is None else total.said.state,
        declared_at=None if total.said is None else total.said.at,
        deadline=deadline,
        code=indicator.code,
        meets=meets,
        encouraged=encouraged,
    )


def parts_of(prepared: Prepared, counts: Counts) -> Parts:
    """The indicator's named parts of one school."""
    parts = prepared.indicator.parts
    return () if parts is None else parts(counts, prepared.numbers)


def add_parts(prepared: Prepared, parts: Iterable[Parts]) -> Parts:
    """Named parts, added up over schools, declared or not: they are what was seen."""
    if prepared.indicator.parts is None:
        return ()
    sums = {name: 0 for name, _ in parts_of(prepared, Counts())}
    for each in parts:
        for name, count in each:
            sums[name] += count
    return tuple(sums.items())


def _quotient(total: Total) -> float | None:
    if total.reason or total.numerator is None or not total.denominator:
        return None
    return total.numerator / total.denominator
