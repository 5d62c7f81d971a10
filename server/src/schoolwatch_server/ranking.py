"""The communes of a province in the order of one indicator, each beside where it stood a month ago."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from sqlalchemy import Connection

from schoolwatch_server import progress
from schoolwatch_server.alphabet import order
from schoolwatch_server.database import history, judged
from schoolwatch_server.database.rows import CommuneRow
from schoolwatch_server.indicators.current import FRESH_BELOW, MEASUREMENT, REACHED
from schoolwatch_server.indicators.indicator import Indicator, Unit
from schoolwatch_server.indicators.total import of_numbers
from schoolwatch_server.packs import Packs
from schoolwatch_server.packs.plan import targets_of
from schoolwatch_server.store.series import Judged

FEW_SCHOOLS = 5
"""Where fewer schools are asked, one of them moves the number much, and the order says little.

A proposal of this project: no document says from how many on.
"""

LOOK_BACK = timedelta(days=7)
"""How long before that day of the last month a value may have been judged: a server may have been off."""

Better = Literal["higher", "lower"]
Key = Literal["rank", "name", "value", "change", "reached", "coverage"]


@dataclass(frozen=True, slots=True)
class Reached:
    """Schools that reach what is asked of them, of how many that is known, and of how many it is asked."""

    schools: int
    known: int
    asked: int


@dataclass(frozen=True, slots=True)
class Change:
    """The present value less the one of `day`; `other_pack`: another version of the pack judged that one."""

    amount: float
    day: date
    other_pack: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """One commune. Without a value `rank` is None and `reason` says why there is none.

    `change` None: nothing to compare with. `reached` None: nothing is asked of schools, or it is not known.
    """

    code: str
    name: str
    commune_id: int
    rank: int | None
    value: float | None
    numerator: float | None
    denominator: float | None
    coverage: float | None
    reason: str
    change: Change | None
    reached: Reached | None
    asked_schools: int | None

    @property
    def is_small(self) -> bool:
        """Whether so few schools are asked that the order says little."""
        return self.asked_schools is not None and self.asked_schools < FEW_SCHOOLS


@dataclass(frozen=True, slots=True)
class Ranking:
    """Communes with a value, the worst first, and those without one by name; `unit` is of the values.

    `compared` is the day of the last month that changes are reckoned from.
    """

    indicator: str
    unit: Unit
    better: Better
    target: float | None
    pack: str
    compared: date
    ranked: tuple[Standing, ...]
    apart: tuple[Standing, ...]


def read(
    conn: Connection, communes: Sequence[CommuneRow], indicator: Indicator, packs: Packs, now: float
) -> Ranking:
    """All these communes of one province as they were last judged; `now` is UTC seconds."""
    pack = packs.of(indicator.id)
    counted = indicator.counts_schools
    definition = pack.indicators[indicator.id]
    unit: Unit = "ratio" if counted else indicator.unit
    better: Better = "higher" if counted else definition.better
    tags = [
        {"level": "commune", "province": str(row.province_id), "commune": str(row.id)}
        | {"indicator": indicator.id}
        for row in communes
    ]
    newest = judged.latest_of(conn, MEASUREMENT, tags)
    compared = month_before(history.day_of(now))
    found = _Found(
        {int(row.tags["commune"]): row for row in newest},
        _before(conn, tags, compared),
        {int(row.tags["commune"]): _reached(row) for row in judged.latest_of(conn, REACHED, tags)},
    )
    placed = progress.rank(
        newest, "commune", better=better, floor=pack.coverage_floor.value, after=now - FRESH_BELOW
    )
    ranks = {each.place_id: each.rank for each in placed.ranked}
    stale = {each.place_id for each in placed.apart if each.reason == "stale"}
    standings = {
        row.id: _standing(
            row,
            found,
            ranks.get(row.id),
            "stale"
            if row.id in stale
            else _reason(found.newest.get(row.id), pack.coverage_floor.value, counted),
        )
        for row in communes
    }
    apart = [each for each in standings.values() if each.rank is None]
    return Ranking(
        indicator.id,
        unit,
        better,
        _target(packs, indicator.id, unit, definition.target.value if definition.target else None),
        pack.name,
        compared,
        tuple(standings[each.place_id] for each in placed.ranked),
        tuple(sorted(apart, key=lambda each: order(each.name))),
    )


def month_before(day: date) -> date:
    """The same day of the month before, or its last day where it is shorter."""
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=min(day.day, monthrange(last.year, last.month)[1]))


def ordered(found: Sequence[Standing], key: Key, *, is_descending: bool) -> tuple[Standing, ...]:
    """In another order; what has no number in it stays at the end either way, equals by name."""
    by_name = sorted(found, key=lambda each: order(each.name), reverse=key == "name" and is_descending)
    if key == "name":
        return tuple(by_name)
    known = [each for each in by_name if _number(each, key) is not None]
    known.sort(key=lambda each: _number(each, key) or 0.0, reverse=is_descending)
    return (*known, *(each for each in by_name if _number(each, key) is None))


def _number(of: Standing, key: Key) -> float | None:
    if key == "change":
        return None if of.change is None else of.change.amount
    if key == "reached":
        return None if of.reached is None else of.reached.schools / of.reached.known
    return {"rank": of.rank, "value": of.value, "coverage": of.coverage}.get(key)


@dataclass(frozen=True, slots=True)
class _Found:
    """What is kept of communes, by their ids."""

    newest: Mapping[int, Judged]
    before: Mapping[int, history.DayValue]
    reached: Mapping[int, tuple[Reached | None, int]]


def _standing(row: CommuneRow, found: _Found, rank: int | None, reason: str) -> Standing:
    now = found.newest.get(row.id)
    reached, asked = found.reached.get(row.id, (None, None))
    return Standing(
        row.code,
        row.name,
        row.id,
        rank,
        None if now is None or rank is None else now.value,
        None if now is None else now.numerator,
        None if now is None else now.denominator,
        None if now is None else now.coverage,
        "" if rank is not None else reason,
        None if now is None or rank is None else _change(now, found.before.get(row.id)),
        reached,
        asked,
    )


def _reached(row: Judged) -> tuple[Reached | None, int]:
    asked = int(row.denominator or 0)
    if row.value is None:
        return None, asked
    return Reached(int(row.value), int(row.numerator or 0), asked), asked


def _before(conn: Connection, tags: Sequence[Mapping[str, str]], day: date) -> dict[int, history.DayValue]:
    """The last value up to the end of that day, by commune."""
    known = judged.numbered(conn, MEASUREMENT, tags)
    rows = history.daily(conn, list(known), day - LOOK_BACK, day)
    return {int(known[row.series_id]["commune"]): row for row in rows}


def _change(now: Judged, then: history.DayValue | None) -> Change | None:
    if now.value is None or then is None or then.value is None:
        return None
    return Change(now.value - then.value, then.day, then.pack != now.pack)


def _reason(row: Judged | None, floor: float, counts_schools: bool) -> str:
    """Why a commune has no value; `no_schools`: nothing was ever judged of it."""
    if row is None:
        return "no_schools"
    kept = of_numbers(row.numerator, row.denominator, row.coverage, floor, counts_schools=counts_schools)
    return kept.reason or "not_declared"


def _target(packs: Packs, indicator: str, unit: Unit, own: float | None) -> float | None:
    """What a commune is held against, in the unit of its value: a plan's number before the definition's."""
    asked = [target.value for target in targets_of(packs.plans, indicator) if target.unit == unit]
    return asked[0] if asked else own
