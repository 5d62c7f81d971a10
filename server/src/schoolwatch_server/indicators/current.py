"""The indicators of a place now: counted on the spot, or in a large province as they were last judged."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from schoolwatch_server.database import judged
from schoolwatch_server.database.counts import SchoolCounts, count, schools_of
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import Counts, Fraction, IndicatorValue, Parts, Place
from schoolwatch_server.indicators.judge import (
    Prepared,
    add_parts,
    of_one,
    of_total,
    parts_of,
    prepare,
    total_of,
)
from schoolwatch_server.indicators.limits import limits as limits
from schoolwatch_server.indicators.limits import limits_here
from schoolwatch_server.indicators.total import of_numbers
from schoolwatch_server.packs import About, Packs
from schoolwatch_server.scope import EVERYTHING, Scope

MEASUREMENT = "indicator"
"""The series of judged indicators."""

PARTS = "indicator_part"
"""The counts behind an indicator of a commune or province (`part`: `none`, `0` … `4` of the IPv6 ladder)."""

LARGE = 300
"""Schools from which on a province is not counted on the spot: 75,000 devices take a second."""

FRESH = 4500.0
"""Seconds that a judged value counts as current; one of a province is written at least every hour."""

FRESH_BELOW = 86400.0 + FRESH
"""The same of a commune or school, of which an unchanged value is written once a day."""

REACHED = "indicator_schools"
"""How many schools of a commune or province reach what is asked of them (value), of how many of which that is
known (numerator), of how many of which anything is asked (denominator)."""


def current(
    conn: Connection, level: Place, place_id: int, packs: Packs, now: float
) -> tuple[IndicatorValue, ...]:
    """All indicators of one place at `now`, as `INDICATORS` orders them; none for a place without schools."""
    prepared = _prepared(packs, now)
    if level == "province" and len(schools_of(conn, Scope(level, place_id), LARGE)) == LARGE:
        stored = _stored(conn, place_id, prepared, now)
        if stored:
            return stored
    scope = Scope(level, place_id)
    schools = count(conn, scope, limits_here(conn, scope, packs, now))
    if not schools:
        return ()
    found = [_found(prepared, school) for school in schools]
    if level == "school":
        return _school(prepared, found[0], now)
    return _place(prepared, found, level, place_id, now)


def everywhere(conn: Connection, packs: Packs, now: float) -> Iterator[tuple[SchoolCounts, IndicatorValue]]:
    """All indicators of all schools, communes and provinces, each beside a school that is in the place."""
    prepared = _prepared(packs, now)
    communes: defaultdict[int, list[_Found]] = defaultdict(list)
    provinces: defaultdict[int, list[_Found]] = defaultdict(list)
    for school in count(conn, EVERYTHING, limits_here(conn, EVERYTHING, packs, now)):
        found = _found(prepared, school)
        communes[school.commune_id].append(found)
        provinces[school.province_id].append(found)
        for value in _school(prepared, found, now):
            yield school, value
    for level, places in _levels(communes, provinces):
        for place_id, members in places.items():
            for value in _place(prepared, members, level, place_id, now):
                yield members[0].school, value


@dataclass(frozen=True, slots=True)
class _Found:
    """What one school's indicators came to, as `INDICATORS` orders them: computed once for all its places."""

    school: SchoolCounts
    fractions: tuple[Fraction, ...]
    parts: tuple[Parts, ...]


_Places = Mapping[int, list[_Found]]


def _levels(communes: _Places, provinces: _Places) -> Iterable[tuple[Place, _Places]]:
    return (("commune", communes), ("province", provinces))


def _prepared(packs: Packs, now: float) -> tuple[Prepared, ...]:
    return tuple(prepare(indicator, packs, now) for indicator in INDICATORS)


def _found(prepared: Sequence[Prepared], school: SchoolCounts) -> _Found:
    counts = school.counts
    return _Found(
        school,
        tuple(each.indicator.compute(counts, each.numbers) for each in prepared),
        tuple(parts_of(each, counts) for each in prepared),
    )


def _school(prepared: Sequence[Prepared], found: _Found, now: float) -> tuple[IndicatorValue, ...]:
    school = found.school
    about = About(
        stages=school.counts.stages,
        commune=school.commune,
        former_place=school.former_place,
        is_public=school.counts.is_public,
    )
    return tuple(
        of_one(each, fraction, parts, place_id=school.school_id, at=now, about=about)
        for each, fraction, parts in zip(prepared, found.fractions, found.parts, strict=True)
    )


def _place(
    prepared: Sequence[Prepared], found: Sequence[_Found], level: Place, place_id: int, now: float
) -> tuple[IndicatorValue, ...]:
    return tuple(
        of_total(
            each,
            total_of(each, [school.fractions[index] for school in found]),
            add_parts(each, (school.parts[index] for school in found)),
            level=level,
            place_id=place_id,
            at=now,
        )
        for index, each in enumerate(prepared)
    )


def _stored(
    conn: Connection, province_id: int, prepared: Sequence[Prepared], now: float
) -> tuple[IndicatorValue, ...]:
    """A province as it was last judged; nothing when that is too old or was judged with other packs."""
    here = {"level": "province", "province": str(province_id)}
    tags = [here | {"indicator": each.indicator.id} for each in prepared]
    rows = {row.tags["indicator"]: row for row in judged.latest_of(conn, MEASUREMENT, tags)}
    named = [
        its | {"part": name}
        for its, each in zip(tags, prepared, strict=True)
        for name, _ in parts_of(each, Counts())
    ]
    parts: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row in judged.latest_of(conn, PARTS, named):
        parts[row.tags["indicator"]][row.tags["part"]] = int(row.value or 0)
    values = []
    for each in prepared:
        id_ = each.indicator.id
        held = rows.get(id_)
        if held is None or held.at < now - FRESH or held.pack != each.pack:
            return ()
        names = [name for name, _ in parts_of(each, Counts())]
        seen = tuple((name, parts[id_].get(name, 0)) for name in names)
        total = of_numbers(
            held.numerator,
            held.denominator,
            held.coverage,
            each.floor,
            counts_schools=each.indicator.counts_schools,
        )
        values.append(of_total(each, total, seen, level="province", place_id=province_id, at=held.at))
    return tuple(values)
