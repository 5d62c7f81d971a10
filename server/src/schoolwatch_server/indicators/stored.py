"""The indicators of a large province as they were last judged, out of the series that evaluation writes."""

from collections import defaultdict
from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import Connection

from schoolwatch_server.database import judged
from schoolwatch_server.indicators import by_plan
from schoolwatch_server.indicators.by_plan import OfItem
from schoolwatch_server.indicators.facts import Said
from schoolwatch_server.indicators.indicator import Counts, IndicatorValue
from schoolwatch_server.indicators.judge import Prepared, of_total, parts_of
from schoolwatch_server.indicators.total import of_numbers
from schoolwatch_server.packs import About, Packs
from schoolwatch_server.store.series import Judged

MEASUREMENT = "indicator"
"""The series of judged indicators."""

PARTS = "indicator_part"
"""The counts behind an indicator of a commune or province (`part`: `none`, `0` … `4` of the IPv6 ladder)."""

FRESH = 4500.0
"""Seconds that a judged value counts as current; one of a province is written at least every hour."""

FRESH_BELOW = 86400.0 + FRESH
"""The same of a commune or school, of which an unchanged value is written once a day."""

REACHED = "indicator_schools"
"""How many schools of a commune or province reach what is asked of them (value), of how many of which that is
known (numerator), of how many of which anything is asked (denominator)."""

SAID = "indicator_said"
"""What the schools of a province declare of an indicator, added up (value), how far that has come (numerator:
its place in `STATES`) and since when (denominator, UTC seconds; nothing: since that moment)."""

STATES = ("declared", "accepted", "recognised")
"""How far what was declared has come, in the order of `SAID`; a further one is added at the end."""

PLAN_ITEM = "plan_item"
"""The series of what items of plans come to at communes and provinces, over the schools of each."""


def values(
    conn: Connection,
    province_id: int,
    prepared: Sequence[Prepared],
    now: float,
    abouts: Collection[About],
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
    declared = {row.tags["indicator"]: row for row in judged.latest_of(conn, SAID, tags)}
    made = []
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
        said = _said(declared.get(id_), now, each.pack)
        if said is not None:
            total = msgspec.structs.replace(total, said=said)
        made.append(
            of_total(each, total, seen, level="province", place_id=province_id, at=held.at, abouts=abouts)
        )
    return tuple(made)


def _said(row: Judged | None, now: float, pack: str) -> Said | None:
    """What was declared when the value was judged; not what an older version left there."""
    if row is None or row.value is None or row.at < now - FRESH or row.pack != pack:
        return None
    since = row.at if row.denominator is None else row.denominator
    return Said(row.value, STATES[int(row.numerator or 0)], since)


def item_tags(plan: str, item: str) -> dict[str, str]:
    """What tells the series of an item apart at its place."""
    return {"plan": plan, "item": item}


def items(
    conn: Connection,
    province_id: int,
    packs: Packs,
    prepared: Sequence[Prepared],
    abouts: Collection[About],
    now: float,
) -> tuple[OfItem, ...] | None:
    """The items of plans at a province as last judged; None when that is too old, or was not done."""
    here = {"level": "province", "province": str(province_id)}
    found: list[OfItem] = []
    asked = [(*each, by_plan.concerned(*each, abouts)) for each in by_plan.items(packs.plans, prepared)]
    tags = [
        here | item_tags(plan.id, item.id) for plan, item, _, (some, whole) in asked if 0 < len(some) < whole
    ]
    rows = {(row.tags["plan"], row.tags["item"]): row for row in judged.latest_of(conn, PLAN_ITEM, tags)}
    for plan, item, each, (some, whole) in asked:
        if not some:
            continue
        one = OfItem(plan.id, item.id, each.indicator.id, len(some), whole)
        if not one.is_of_all:
            held = rows.get((plan.id, item.id))
            if held is None or held.at < now - FRESH or held.pack != by_plan.judged_with(each, plan):
                return None
            total = of_numbers(
                held.numerator,
                held.denominator,
                held.coverage,
                each.floor,
                counts_schools=each.indicator.counts_schools,
            )
            one = by_plan.valued(one, plan, item, each, total, set(some), "province", province_id, held.at)
        found.append(one)
    return tuple(found)
