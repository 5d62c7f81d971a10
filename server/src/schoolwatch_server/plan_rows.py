"""What plans ask of a place, beside what is reached there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Connection

from schoolwatch_server.claims.claim import Claim
from schoolwatch_server.claims.questions import BY_ID
from schoolwatch_server.database import claims
from schoolwatch_server.database.registry import SchoolRow
from schoolwatch_server.indicators import INDICATORS, by_plan, concerned
from schoolwatch_server.indicators.by_plan import OfItem
from schoolwatch_server.indicators.current import At
from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.packs import Item, Packs, Plan
from schoolwatch_server.scope import Scope

Standing = Literal["met", "not_met", "unknown", "outside", "no_number"]
"""`outside`: nothing here measures it; `no_number`: the document gives none to compare with."""


_OF_SCHOOLS = {indicator.id for indicator in INDICATORS if indicator.counts_schools}
"""A share that a plan asks of these is one of schools; at one school it is whether it is among them."""


@dataclass(frozen=True, slots=True)
class Row:
    """An item of a plan at a place.

    `value` is in `unit`; for what schools declare, at a place of several, `reached` of `schools` that are
    concerned reach it and `answered` have an answer. `schools`: at a place of several, how many the item is
    about, of `all_schools`; a measured value is of these alone.
    """

    plan: Plan
    item: Item
    standing: Standing
    value: float | None = None
    unit: str = ""
    coverage: float | None = None
    reached: int | None = None
    answered: int = 0
    schools: int = 0
    all_schools: int = 0

    @property
    def is_of_some(self) -> bool:
        """Whether it is about some of the place's schools alone."""
        return 0 < self.schools < self.all_schools


def of_school(
    conn: Connection, school: SchoolRow, values: Sequence[IndicatorValue], packs: Packs
) -> tuple[Row, ...]:
    """The items of plans in force that are about a school; `values` are its own."""
    if not packs.plans:
        return ()
    questions = _questions(packs.plans)
    scope = Scope("school", school.id)
    said = claims.recognised(conn, scope, questions).get(school.id, {}) if questions else {}
    about = concerned.abouts(conn, scope)[school.id]
    by_id = {value.indicator: value for value in values}
    return tuple(
        _measured(plan, item, by_id.get(item.indicator)) if item.indicator else _declared(plan, item, said)
        for plan in packs.plans
        for item in plan.items
        if item.concerns(about, plan.former_places)
    )


def of_place(conn: Connection, scope: Scope, at: At, packs: Packs) -> tuple[Row, ...]:
    """The items of plans in force that are about schools of a commune or province, each over these."""
    if not packs.plans:
        return ()
    questions = _questions(packs.plans)
    said = claims.recognised(conn, scope, questions) if questions else {}
    abouts = concerned.abouts(conn, scope)
    by_id = {value.indicator: value for value in at.values}
    of_items = {(one.plan, one.item): one for one in at.items}
    rows = []
    for plan in packs.plans:
        for item in plan.items:
            theirs = [id_ for id_, about in abouts.items() if item.concerns(about, plan.former_places)]
            if not theirs:
                continue
            if item.indicator:
                of = of_items.get((plan.id, item.id))
                some, whole = (of.schools, of.all_schools) if of else (len(theirs), len(abouts))
                row = _measured_of(plan, item, by_id, of)
            else:
                some, whole = len(theirs), len(abouts)
                row = _counted(plan, item, theirs, said)
            rows.append(replace(row, schools=some, all_schools=whole))
    return tuple(rows)


def standing(item: Item, value: IndicatorValue) -> Standing:
    """Whether a measured value reaches what an item asks; one of another unit is asked of each school."""
    if item.target is None:
        return "no_number"
    if value.value is None and value.meets is None:
        return "unknown"
    if value.level == "school" and value.stages:
        return _of_stages(item, value)
    if value.level == "school" and value.indicator in _OF_SCHOOLS and item.unit == "ratio":
        return "unknown" if value.meets is None else "met" if value.meets else "not_met"
    if value.value is not None and item.unit == value.unit:
        reached = value.value >= item.target if item.better == "higher" else value.value <= item.target
    elif value.level == "school":
        if value.meets is None:
            return "unknown"
        reached = value.meets
    elif value.unit == "ratio" and value.value is not None:
        reached = value.value >= 1  # every school is to reach it
    else:
        return "unknown"
    return "met" if reached else "not_met"


def _of_stages(item: Item, value: IndicatorValue) -> Standing:
    """Of a school of several stages those that the item is about: the worst of them is no other's."""
    told = by_plan.of_levels(value.stages, item.levels)
    if item.unit == value.unit and item.target is not None:
        answers = [None if one.value is None else _holds(item, one.value) for one in told]
        answers = [one.meets if answer is None else answer for one, answer in zip(told, answers, strict=True)]
    else:
        answers = [one.meets for one in told]
    if value.value is None:  # what is known of a lab without a value is that nothing in it works
        answers = [answer if answer is False else None for answer in answers]
    return "not_met" if False in answers else "unknown" if None in answers or not answers else "met"


def _holds(item: Item, value: float) -> bool:
    target = item.target or 0.0
    return value >= target if item.better == "higher" else value <= target


def _measured_of(plan: Plan, item: Item, by_id: Mapping[str, IndicatorValue], of: OfItem | None) -> Row:
    """Over the schools that it is about; the place's own value where that is all of them.

    Of schools that the indicator isn't asked of, as private ones, nothing is measured: it is of others.
    """
    if of is None:
        return _measured(plan, item, None)
    return _measured(plan, item, of.value or by_id.get(of.indicator))


def _measured(plan: Plan, item: Item, value: IndicatorValue | None) -> Row:
    if value is None:
        return Row(plan, item, "outside" if item.target is not None else "no_number")
    return Row(plan, item, standing(item, value), value.value, value.unit, value.coverage)


def _declared(plan: Plan, item: Item, said: Mapping[str, Claim]) -> Row:
    if item.question is None:
        return Row(plan, item, "outside")
    claim = said.get(item.question)
    value = None if claim is None else claim.value
    if item.target is None:
        return Row(plan, item, "no_number", value, _unit(item))
    if value is None:
        return Row(plan, item, "unknown")
    return Row(plan, item, "met" if _reaches(item, value) else "not_met", value, _unit(item))


def _counted(
    plan: Plan, item: Item, concerned: Sequence[int], said: Mapping[int, Mapping[str, Claim]]
) -> Row:
    """How many of the schools that it is about have an answer that reaches it."""
    if item.question is None:
        return Row(plan, item, "outside")
    answers = [claim.value for id_ in concerned if (claim := said.get(id_, {}).get(item.question))]
    known = [value for value in answers if value is not None]
    reached = sum(value >= 1 if item.target is None else _reaches(item, value) for value in known)
    asked = item.target if item.target is not None and _is_yes_no(item) else 1.0
    could = reached + len(concerned) - len(known)
    told: Standing = "not_met"
    if item.target is None:
        told = "no_number"
    elif concerned and reached >= asked * len(concerned):
        told = "met"
    elif could >= asked * len(concerned):
        told = "unknown"
    return Row(plan, item, told, reached=reached, answered=len(known), schools=len(concerned))


def _reaches(item: Item, value: float) -> bool:
    """Whether one school's answer does: a yes, or a number that reaches the target."""
    if item.target is None or _is_yes_no(item):
        return value >= 1
    return value >= item.target if item.better == "higher" else value <= item.target


def _is_yes_no(item: Item) -> bool:
    known = BY_ID.get(item.question or "")
    return known is not None and known.kind in ("yes_no", "file")


def _unit(item: Item) -> str:
    return "boolean" if _is_yes_no(item) else item.unit


def _questions(plans: Iterable[Plan]) -> set[str]:
    return {item.question for plan in plans for item in plan.items if item.question}
