"""What an item of a plan comes to at a place: over the schools that it is about, and no others. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from schoolwatch_server.indicators.indicator import Fraction, IndicatorValue, OfStage, Place, Total
from schoolwatch_server.indicators.judge import Prepared, is_asked, of_total, total_of
from schoolwatch_server.packs import About, Item, Plan


@dataclass(frozen=True, slots=True)
class OfItem:
    """An item's value at a place; `schools` are those that it is about, of `all_schools` of the place.

    `value` None: the schools that it is about were not counted yet.
    """

    plan: str
    item: str
    indicator: str
    schools: int
    all_schools: int
    value: IndicatorValue | None = None

    @property
    def is_of_all(self) -> bool:
        """Whether the place's own value is the item's."""
        return self.schools == self.all_schools


def items(plans: Iterable[Plan], prepared: Iterable[Prepared]) -> Iterable[tuple[Plan, Item, Prepared]]:
    """The items of plans that an indicator measures."""
    known = {each.indicator.id: each for each in prepared}
    for plan in plans:
        for item in plan.items:
            if item.indicator in known:
                yield plan, item, known[item.indicator]


def concerned(plan: Plan, item: Item, prepared: Prepared, abouts: Iterable[About]) -> tuple[list[About], int]:
    """The schools that an item is about, of how many that its indicator is of."""
    asked = [about for about in abouts if is_asked(prepared.indicator, about)]
    return [about for about in asked if item.concerns(about, plan.former_places)], len(asked)


def of_item(
    plan: Plan,
    item: Item,
    prepared: Prepared,
    schools: Sequence[tuple[About, Fraction]],
    *,
    level: Place,
    place_id: int,
    at: float,
) -> OfItem | None:
    """The item at a commune or province, from what each of its schools came to; None: it is about none.

    `at` is the instant that is judged, UTC seconds.
    """
    some, whole = concerned(plan, item, prepared, [about for about, _ in schools])
    if not some:
        return None
    abouts = set(some)
    total = total_of(prepared, [_of_stages(each, item) for about, each in schools if about in abouts])
    one = OfItem(plan.id, item.id, prepared.indicator.id, len(some), whole)
    return valued(one, plan, item, prepared, total, abouts, level, place_id, at)


def valued(
    of: OfItem,
    plan: Plan,
    item: Item,
    prepared: Prepared,
    total: Total,
    abouts: Collection[About],
    level: Place,
    place_id: int,
    at: float,
) -> OfItem:
    """With the value of a sum that is already there, held against this item alone."""
    alone = msgspec.structs.replace(plan, items=(item,))
    only = replace(prepared, plans=(alone,), pack=judged_with(prepared, plan))
    value = of_total(only, total, (), level=level, place_id=place_id, at=at, abouts=abouts)
    return replace(of, value=value)


def judged_with(prepared: Prepared, plan: Plan) -> str:
    """The packs behind an item's value: `lines@1 so_2027@2`."""
    return f"{prepared.pack} {plan.name}"


def of_levels(stages: Iterable[OfStage], levels: Sequence[str]) -> tuple[OfStage, ...]:
    """The stages of a school that an item is about: all of them where it names none."""
    return tuple(stage for stage in stages if not levels or stage.stage in levels)


def _of_stages(fraction: Fraction, item: Item) -> Fraction:
    """What is asked of upper secondary classes is not failed by a lower secondary one."""
    told = of_levels(fraction.stages, item.levels)
    if fraction.meets is None or not told or len(told) == len(fraction.stages):
        return fraction
    answers = [stage.meets for stage in told]
    return msgspec.structs.replace(
        fraction, meets=False if False in answers else None if None in answers else True
    )
