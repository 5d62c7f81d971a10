"""What values of places are held against: what plans ask of them, else the definition's own number."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from schoolwatch_server.indicators import INDICATORS, concerned
from schoolwatch_server.indicators.indicator import Indicator, Place
from schoolwatch_server.indicators.judge import is_asked
from schoolwatch_server.indicators.stored import MEASUREMENT, PLAN_ITEM, item_tags
from schoolwatch_server.packs import About, Item, Number, Plan, Target
from schoolwatch_server.packs.plan import rank
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.watches.sight import Sight

Places = Mapping[Place, frozenset[int]]
"""Ids of places by their level."""


@dataclass(frozen=True, slots=True)
class Held:
    """A number that an indicator's series are held against, with its source as it is kept as evidence.

    `tags` and `measurement` find the series; `places` are those of which it is asked, None: of all that no
    plan asks anything of.
    """

    indicator: str
    measurement: str
    tags: Mapping[str, str]
    target: float
    higher: bool
    facts: Mapping[str, str]
    places: Places | None


def held(sight: Sight) -> Iterator[Held]:
    """All of them; what plans ask stands first, in the order in which it binds."""
    yield from _of_plans(sight)
    for pack in sight.packs.packs:
        for indicator, definition in pack.indicators.items():
            target = definition.target
            if target is not None and not target.applies_to:
                tags = {"indicator": indicator}
                higher = definition.better == "higher"
                yield Held(indicator, MEASUREMENT, tags, target.value, higher, _source(target), None)


def _of_plans(sight: Sight) -> Iterator[Held]:
    known = {indicator.id: indicator for indicator in INDICATORS}
    asked = [
        (plan, item, target)
        for plan in sight.packs.plans
        for item in plan.items
        if item.indicator in known and (target := plan.target(item)) is not None
    ]
    if not asked:
        return
    abouts = concerned.abouts(sight.conn, EVERYTHING)
    for plan, item, target in sorted(asked, key=lambda each: rank(each[0], each[2])):
        indicator = known[item.indicator or ""]
        own, of_some = _places(sight, plan, item, indicator, abouts)
        facts = _source(target)
        higher = item.better == "higher"
        for measurement, tags, places in (
            (MEASUREMENT, {"indicator": indicator.id}, own),
            (PLAN_ITEM, item_tags(plan.id, item.id), of_some),
        ):
            if any(places.values()):
                yield Held(indicator.id, measurement, tags, target.value, higher, facts, places)


def _places(
    sight: Sight, plan: Plan, item: Item, indicator: Indicator, abouts: Mapping[int, About]
) -> tuple[Places, Places]:
    """Places whose own value an item is about, and those of which it is about some of the schools alone.

    A target in another unit than a place's value is asked of each of its schools, and watched there; of a
    school with several stages no value is known of one alone.
    """
    asked = {id_ for id_, about in abouts.items() if is_asked(indicator, about)}
    some = {id_ for id_ in asked if item.concerns(abouts[id_], plan.former_places)}
    own: dict[Place, frozenset[int]] = {}
    of_some: dict[Place, frozenset[int]] = {}
    is_of_schools = indicator.counts_schools and item.unit == "ratio"
    if item.unit == indicator.unit and not is_of_schools:
        own["school"] = frozenset(id_ for id_ in some if _is_whole(item, abouts[id_]))
    if item.unit == ("ratio" if indicator.counts_schools else indicator.unit):
        for level, schools in _schools(sight, asked).items():
            own[level] = frozenset(id_ for id_, its in schools.items() if its <= some)
            of_some[level] = frozenset(id_ for id_, its in schools.items() if its & some) - own[level]
    return own, of_some


def _is_whole(item: Item, about: About) -> bool:
    return not item.levels or set(about.stages) <= set(item.levels)


def _schools(sight: Sight, ids: Collection[int]) -> Mapping[Place, Mapping[int, set[int]]]:
    """The schools of each commune and province."""
    found: dict[Place, defaultdict[int, set[int]]] = {
        "commune": defaultdict(set), "province": defaultdict(set),
    }  # fmt: skip
    for id_ in ids:
        if id_ in sight.places:
            found["commune"][sight.places[id_].commune_id].add(id_)
            found["province"][sight.places[id_].province_id].add(id_)
    return found


def _source(target: Target | Number) -> dict[str, str]:
    facts = {
        "finding.target_document": target.document,
        "finding.target_clause": target.clause,
        "finding.target_confidence": target.confidence,
    }
    if isinstance(target, Target) and target.deadline is not None:
        facts["finding.target_deadline"] = target.deadline.isoformat()
    return {name: text for name, text in facts.items() if text}
