"""What plans ask of a place, beside what is reached there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from schoolwatch_server.claims.claim import Claim
from schoolwatch_server.claims.questions import BY_ID
from schoolwatch_server.database import claims, registry
from schoolwatch_server.database.registry import SchoolRow
from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.levels import stages
from schoolwatch_server.packs import About, Item, Packs, Plan
from schoolwatch_server.scope import Scope

Standing = Literal["met", "not_met", "unknown", "outside", "no_number"]
"""`outside`: nothing here measures it; `no_number`: the document gives none to compare with."""


@dataclass(frozen=True, slots=True)
class Row:
    """An item of a plan at a place.

    `value` is in `unit`; for what schools declare, at a place of several, `reached` of `schools` that are
    concerned reach it and `answered` have an answer. `of_all`: the value is of all schools of the place,
    though the item is about some of them.
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
    of_all: bool = False


def of_school(
    conn: Connection, school: SchoolRow, values: Sequence[IndicatorValue], packs: Packs
) -> tuple[Row, ...]:
    """The items of plans in force that are about a school; `values` are its own."""
    if not packs.plans:
        return ()
    questions = _questions(packs.plans)
    scope = Scope("school", school.id)
    said = claims.recognised(conn, scope, questions).get(school.id, {}) if questions else {}
    about = _about(school, _codes(conn, scope, [school]))
    by_id = {value.indicator: value for value in values}
    return tuple(
        _measured(plan, item, by_id.get(item.indicator)) if item.indicator else _declared(plan, item, said)
        for plan in packs.plans
        for item in plan.items
        if item.concerns(about, plan.former_places)
    )


def of_place(
    conn: Connection, scope: Scope, values: Sequence[IndicatorValue], packs: Packs
) -> tuple[Row, ...]:
    """The items of plans in force at a commune or province; `values` are the place's own."""
    if not packs.plans:
        return ()
    questions = _questions(packs.plans)
    said = claims.recognised(conn, scope, questions) if questions else {}
    schools = registry.schools(conn, scope) if questions else ()
    codes = _codes(conn, scope, schools)
    abouts = [(school.id, _about(school, codes)) for school in schools]
    by_id = {value.indicator: value for value in values}
    rows = []
    for plan in packs.plans:
        for item in plan.items:
            if item.indicator:
                rows.append(_measured(plan, item, by_id.get(item.indicator)))
            else:
                concerned = [id_ for id_, about in abouts if item.concerns(about, plan.former_places)]
                rows.append(_counted(plan, item, concerned, said))
    return tuple(rows)


def standing(item: Item, value: IndicatorValue) -> Standing:
    """Whether a measured value reaches what an item asks; one of another unit is asked of each school."""
    if item.target is None:
        return "no_number"
    if value.value is None and value.meets is None:
        return "unknown"
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


def _measured(plan: Plan, item: Item, value: IndicatorValue | None) -> Row:
    if value is None:
        return Row(plan, item, "outside" if item.target is not None else "no_number")
    scoped = bool(
        item.levels or item.communes or item.public_only or item.former_places or plan.former_places
    )
    return Row(
        plan,
        item,
        standing(item, value),
        value.value,
        value.unit,
        value.coverage,
        of_all=scoped and value.level != "school",
    )


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


def _about(school: SchoolRow, codes: Mapping[int, str]) -> About:
    return About(
        stages=stages(school.level),
        commune=codes.get(school.commune_id, ""),
        former_place=school.former_place,
        is_public=school.is_public,
    )


def _codes(conn: Connection, scope: Scope, schools: Sequence[SchoolRow]) -> dict[int, str]:
    """Codes of the schools' communes by id."""
    return {one.id: one.code for one in registry.communes(conn, scope)} if schools else {}
