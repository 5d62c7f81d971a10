"""Targets of a place beside what is reached and when the rest will be, and places in their order. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from schoolwatch_server.forecast import Day, Forecast, Standing, forecast
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import IndicatorValue, Source
from schoolwatch_server.indicators.judge import is_asked
from schoolwatch_server.packs import About, Packs
from schoolwatch_server.packs.plan import Item, Plan, Target, targets_of
from schoolwatch_server.sections import Forecasting
from schoolwatch_server.store.series import Judged

URGENCY: tuple[Standing, ...] = (
    "overdue", "missed", "unlikely", "unknown", "likely", "dated", "on_time", "reached",
)  # fmt: skip
"""What somebody must see to comes first."""

_BY_ID = {indicator.id: indicator for indicator in INDICATORS}


@dataclass(frozen=True, slots=True)
class Aim:
    """A number to be reached, in the unit of the value, with its last day (None: the source names none).

    `is_of_each`: it is asked of each school, and the value is the share of schools that reach it.
    """

    value: float
    deadline: date | None
    better: Literal["higher", "lower"]
    mandatory: bool
    source: Source
    is_of_each: bool = False


@dataclass(frozen=True, slots=True)
class Goal:
    """A target of a place: what holds now, when it will be reached, and the days that say so.

    `target` None: the pack gives none, and there is nothing to forecast. `packs`: under how many versions the
    history was judged; more than one is to be marked, for what was counted may have been another thing.
    `of`: the item of a plan that is about some of the place's schools alone, which the value then is of.
    """

    value: IndicatorValue
    target: Aim | None
    forecast: Forecast | None
    history: tuple[Day, ...]
    packs: int
    of: tuple[Plan, Item] | None = None


@dataclass(frozen=True, slots=True)
class Some:
    """An item that is about some of the place's schools alone, with their value and its history."""

    plan: Plan
    item: Item
    value: IndicatorValue
    history: Sequence[tuple[Day, str]] = ()


@dataclass(frozen=True, slots=True)
class Ranked:
    """A place with its value; places that are equal share a rank, 1 is the best."""

    place_id: int
    rank: int
    value: float
    numerator: float | None
    denominator: float | None
    coverage: float | None


@dataclass(frozen=True, slots=True)
class Apart:
    """A place that has no value; `reason` is `coverage_below_floor`, `stale` or `other`."""

    place_id: int
    reason: str
    coverage: float | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Places with a value, the worst first, and apart from them those without one."""

    ranked: tuple[Ranked, ...]
    apart: tuple[Apart, ...]


def goals(
    values: Iterable[IndicatorValue],
    histories: Mapping[str, Sequence[tuple[Day, str]]],
    packs: Packs,
    today: date,
    terms: Forecasting,
    abouts: Collection[About] = (),
    some: Iterable[Some] = (),
) -> tuple[Goal, ...]:
    """Every indicator against each of its targets, the most urgent first; without a target at the end.

    `histories` has of each indicator its days with the pack of each. `abouts` are the schools of the place:
    what a plan asks of all of them is a target of the whole, what it asks of `some` one of their own.
    """
    found = [
        _goal(value, target, histories.get(value.indicator, ()), today, terms)
        for value in values
        for target in aims(packs, value, abouts) or (None,)
    ]
    for one in some:
        target = one.plan.target(one.item)
        aim = None if target is None else aim_of(target, one.value)
        if aim is not None:
            goal = _goal(one.value, aim, one.history, today, terms)
            found.append(replace(goal, of=(one.plan, one.item)))
    return tuple(sorted(found, key=_urgency))


def aims(packs: Packs, value: IndicatorValue, abouts: Collection[About] = ()) -> tuple[Aim, ...]:
    """What plans ask of every school here, each number and day once; without a plan the definition's number.

    A school has one: which plans concern it is decided where its value is judged.
    """
    found = {}
    if value.level != "school":
        asked = [about for about in abouts if is_asked(_BY_ID[value.indicator], about)]
        for target in reversed(targets_of(packs.plans, value.indicator, asked)):
            aim = aim_of(target, value)
            if aim is not None:
                found[aim.value, aim.deadline, aim.better] = aim
    return tuple(reversed(found.values())) or _own(value)


def _own(value: IndicatorValue) -> tuple[Aim, ...]:
    """The number that the value was judged against."""
    if value.target is None:
        return ()
    lines = [line for line in value.lines if line.kind == "target" and line.value == value.target]
    source = lines[0].source if lines else value.source
    deadline = date.fromisoformat(value.deadline) if value.deadline else None
    return (Aim(value.target, deadline, value.better, True, source),)


def aim_of(target: Target, value: IndicatorValue) -> Aim | None:
    """A plan's target as the place's value is held against it; None for one in a unit of something else.

    What is asked of each school, every school is to reach by that day.
    """
    source = Source(target.document, target.clause, target.confidence)
    if target.unit == value.unit:
        return Aim(target.value, target.deadline, target.better, target.mandatory, source)
    indicator = _BY_ID[value.indicator]
    if indicator.counts_schools and target.unit == indicator.unit and value.level != "school":
        return Aim(1.0, target.deadline, "higher", target.mandatory, source, is_of_each=True)
    return None


def beside(packs: Packs, abouts: Collection[About]) -> tuple[tuple[Plan, Item], ...]:
    """Items about schools here that no indicator measures: what they declare, or is followed elsewhere."""
    measured = {name for pack in packs.packs for name in pack.indicators}
    return tuple(
        (plan, item)
        for plan in packs.plans
        for item in plan.items
        if item.indicator not in measured
        and any(item.concerns(about, plan.former_places) for about in abouts)
    )


def rank(rows: Iterable[Judged], level: str, *, better: str, floor: float, after: float) -> Ranking:
    """The newest judged values of places of a level in their order; whatever can't be compared is apart.

    What lies below the floor of coverage is neither good nor bad, nor is a value from before `after` (UTC
    seconds).
    """
    ranked: list[tuple[float, int, Judged]] = []
    apart: list[Apart] = []
    for row in rows:
        place_id = int(row.tags[level])
        if row.at < after:
            apart.append(Apart(place_id, "stale", row.coverage))
        elif row.value is None:
            below = row.coverage is not None and row.coverage < floor
            apart.append(Apart(place_id, "coverage_below_floor" if below else "other", row.coverage))
        else:
            ranked.append((row.value if better == "higher" else -row.value, place_id, row))
    ranked.sort(key=lambda each: each[:2])
    return Ranking(tuple(_with_ranks(ranked)), tuple(sorted(apart, key=lambda each: each.place_id)))


def _with_ranks(ranked: Sequence[tuple[float, int, Judged]]) -> Iterable[Ranked]:
    """The worst first; the rank is 1 more than how many are better."""
    better: dict[float, int] = {}
    for at, (score, _, _) in enumerate(reversed(ranked)):
        better.setdefault(score, at)
    for score, place_id, row in ranked:
        number = float(row.value or 0)
        yield Ranked(place_id, better[score] + 1, number, row.numerator, row.denominator, row.coverage)


def _goal(
    value: IndicatorValue,
    target: Aim | None,
    history: Sequence[tuple[Day, str]],
    today: date,
    terms: Forecasting,
) -> Goal:
    days = tuple(day for day, _ in history)
    packs = len({pack for _, pack in history})
    if target is None:
        return Goal(value, None, None, days, packs)
    if value.value is None:  # what held last week is no answer to what holds now
        return Goal(value, target, _overdue(Forecast("unknown", "no_value"), target, today), days, packs)
    if value.unit == "boolean" and value.value < target.value:
        return Goal(value, target, _overdue(Forecast("unknown", "yes_no"), target, today), days, packs)
    with_now = [*(day for day in days if day[0] < today), (today, value.value)]
    found = forecast(
        with_now,
        target.value,
        target.deadline,
        today,
        better=target.better,
        is_share=value.unit == "ratio",
        terms=terms,
    )
    if value.meets is False and found.standing == "reached":  # the number alone is not all that is asked
        found = _overdue(Forecast("unknown", "yes_no"), target, today)
    return Goal(value, target, found, days, packs)


def _overdue(found: Forecast, target: Aim, today: date) -> Forecast:
    """A deadline that is past is so whether there is a value or not."""
    return (
        Forecast("overdue", found.reason)
        if target.deadline is not None and target.deadline < today
        else found
    )


def _urgency(goal: Goal) -> tuple[int, float, float]:
    """By standing, then by the nearer deadline, then by how much of the target is missing."""
    if goal.forecast is None or goal.target is None:
        return len(URGENCY), 0.0, 0.0
    due = goal.target.deadline.toordinal() if goal.target.deadline else 9e9
    value = goal.value.value
    missing = 0.0 if value is None else abs(goal.target.value - value) / (goal.target.value or 1)
    return URGENCY.index(goal.forecast.standing), due, -missing
