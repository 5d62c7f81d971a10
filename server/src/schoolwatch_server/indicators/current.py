"""The indicators of a place now: counted on the spot, or in a large province as they were last judged."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from schoolwatch_server.database.counts import SchoolCounts, count, schools_of
from schoolwatch_server.indicators import INDICATORS, by_plan, concerned, stored
from schoolwatch_server.indicators.by_plan import OfItem, of_item
from schoolwatch_server.indicators.indicator import Fraction, IndicatorValue, Parts, Place
from schoolwatch_server.indicators.judge import (
    Prepared,
    add_parts,
    fraction_of,
    is_asked,
    of_one,
    of_total,
    parts_of,
    prepare,
    total_of,
)
from schoolwatch_server.indicators.limits import limits as limits
from schoolwatch_server.indicators.limits import limits_here
from schoolwatch_server.indicators.stored import FRESH as FRESH
from schoolwatch_server.indicators.stored import FRESH_BELOW as FRESH_BELOW
from schoolwatch_server.indicators.stored import MEASUREMENT as MEASUREMENT
from schoolwatch_server.indicators.stored import REACHED as REACHED
from schoolwatch_server.packs import About, Packs
from schoolwatch_server.scope import EVERYTHING, Scope

LARGE = 300
"""Schools from which on a province is not counted on the spot: 75,000 devices take a second."""


@dataclass(frozen=True, slots=True)
class At:
    """All that is judged of a place: its indicators, and items of plans over the schools of each."""

    values: tuple[IndicatorValue, ...] = ()
    items: tuple[OfItem, ...] = ()


def current(
    conn: Connection, level: Place, place_id: int, packs: Packs, now: float
) -> tuple[IndicatorValue, ...]:
    """All indicators of one place at `now`, as `INDICATORS` orders them; none for a place without schools."""
    return at(conn, level, place_id, packs, now, with_items=False).values


def at(
    conn: Connection, level: Place, place_id: int, packs: Packs, now: float, *, with_items: bool = True
) -> At:
    """All that is judged of one place at `now` (UTC seconds); a school has no items of its own."""
    prepared = _prepared(packs, now)
    scope = Scope(level, place_id)
    if level == "province" and len(schools_of(conn, scope, LARGE)) == LARGE:
        known = concerned.abouts(conn, scope) if packs.plans else {}
        kept = stored.values(conn, place_id, prepared, now, set(known.values()))
        items = stored.items(conn, place_id, packs, prepared, known.values(), now) if with_items else ()
        if kept and items is not None:
            return At(kept, items)
    schools = count(conn, scope, limits_here(conn, scope, packs, now))
    if not schools:
        return At()
    found = [_found(prepared, school) for school in schools]
    if level == "school":
        return At(_school(prepared, found[0], now))
    values = _place(prepared, found, level, place_id, now)
    return At(values, _items(packs, prepared, found, level, place_id, now) if with_items else ())


@dataclass(frozen=True, slots=True)
class Whole:
    """A commune or province: one of its schools, what its schools are, and all that is judged of it."""

    school: SchoolCounts
    level: Place
    abouts: Collection[About]
    values: tuple[IndicatorValue, ...]
    items: tuple[OfItem, ...]


@dataclass(frozen=True, slots=True)
class Everywhere:
    """What every school came to, to be added up for every commune and province."""

    packs: Packs
    now: float
    prepared: tuple[Prepared, ...]
    communes: "_Places"
    provinces: "_Places"

    def values(self) -> Iterator[tuple[SchoolCounts, IndicatorValue]]:
        """All indicators of all schools, communes and provinces, each beside a school in the place."""
        for members in self.provinces.values():
            for found in members:
                for value in _school(self.prepared, found, self.now):
                    yield found.school, value
        for level, places in _levels(self.communes, self.provinces):
            for place_id, members in places.items():
                for value in _place(self.prepared, members, level, place_id, self.now):
                    yield members[0].school, value

    def totals(self) -> Iterator[Whole]:
        """All that is judged of every commune and province."""
        for level, places in _levels(self.communes, self.provinces):
            for place_id, members in places.items():
                values = _place(self.prepared, members, level, place_id, self.now)
                items = _items(self.packs, self.prepared, members, level, place_id, self.now)
                yield Whole(members[0].school, level, {each.about for each in members}, values, items)

    def items(self) -> Iterator[tuple[SchoolCounts, OfItem]]:
        """Items of plans that are about some schools of a place, of all communes and provinces."""
        for level, places in _levels(self.communes, self.provinces):
            for place_id, members in places.items():
                for item in _items(self.packs, self.prepared, members, level, place_id, self.now):
                    if not item.is_of_all:
                        yield members[0].school, item


def count_all(conn: Connection, packs: Packs, now: float) -> Everywhere:
    """Every school of every province, counted and judged."""
    prepared = _prepared(packs, now)
    communes: defaultdict[int, list[_Found]] = defaultdict(list)
    provinces: defaultdict[int, list[_Found]] = defaultdict(list)
    for school in count(conn, EVERYTHING, limits_here(conn, EVERYTHING, packs, now)):
        found = _found(prepared, school)
        communes[school.commune_id].append(found)
        provinces[school.province_id].append(found)
    return Everywhere(packs, now, prepared, communes, provinces)


def everywhere(conn: Connection, packs: Packs, now: float) -> Iterator[tuple[SchoolCounts, IndicatorValue]]:
    """All indicators of all schools, communes and provinces, each beside a school that is in the place."""
    yield from count_all(conn, packs, now).values()


@dataclass(frozen=True, slots=True)
class _Found:
    """What one school's indicators came to, as `INDICATORS` orders them: computed once for all its places."""

    school: SchoolCounts
    about: About
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
        _about(school),
        tuple(fraction_of(each, counts) for each in prepared),
        tuple(parts_of(each, counts) for each in prepared),
    )


def _about(school: SchoolCounts) -> About:
    return About(
        stages=school.counts.stages,
        commune=school.commune,
        former_place=school.former_place,
        is_public=school.counts.is_public,
    )


def _school(prepared: Sequence[Prepared], found: _Found, now: float) -> tuple[IndicatorValue, ...]:
    return tuple(
        of_one(each, fraction, parts, place_id=found.school.school_id, at=now, about=found.about)
        for each, fraction, parts in zip(prepared, found.fractions, found.parts, strict=True)
    )


def _place(
    prepared: Sequence[Prepared], found: Sequence[_Found], level: Place, place_id: int, now: float
) -> tuple[IndicatorValue, ...]:
    abouts = {school.about for school in found}
    return tuple(
        of_total(
            each,
            total_of(each, [school.fractions[index] for school in found]),
            add_parts(
                each,
                (school.parts[index] for school in found if is_asked(each.indicator, school.school.counts)),
            ),
            level=level,
            place_id=place_id,
            at=now,
            abouts=abouts,
        )
        for index, each in enumerate(prepared)
    )


def _items(
    packs: Packs,
    prepared: Sequence[Prepared],
    found: Sequence[_Found],
    level: Place,
    place_id: int,
    now: float,
) -> tuple[OfItem, ...]:
    if not packs.plans:
        return ()
    index = {each.indicator.id: number for number, each in enumerate(prepared)}
    made = (
        of_item(
            plan,
            item,
            each,
            [(school.about, school.fractions[index[each.indicator.id]]) for school in found],
            level=level,
            place_id=place_id,
            at=now,
        )
        for plan, item, each in by_plan.items(packs.plans, prepared)
    )
    return tuple(item for item in made if item is not None)
