"""The alert rules that Grafana looks at by itself. They ask what the panels ask.

A value that is not known is no series for the condition, so Grafana calls it No data: neither good nor bad.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from schoolwatch_server.grafana import server_alerts
from schoolwatch_server.grafana.alert import Asked, Formula, Newest, Rule, uid_of
from schoolwatch_server.grafana.policy import LABEL
from schoolwatch_server.grafana.spec import SUFFIX, Query, Words, said
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import Indicator
from schoolwatch_server.indicators.stored import FRESH_BELOW, MEASUREMENT
from schoolwatch_server.influxql.query import Function
from schoolwatch_server.packs import Packs
from schoolwatch_server.texts import Language

LOOKED_BACK: Final = 30 * 86400
"""Seconds in which a value must have reached its target once, to have fallen below it since."""

LASTING: Final = 6 * 3600
"""Seconds that it must be below: proposed by SchoolWatch."""

EVERY: Final = 600
"""Seconds between two looks of Grafana at a group of rules."""


def rules(packs: Packs, today: date) -> tuple[Rule, ...]:
    """All rules, with the targets of the packs that are in force on a day."""
    targets = ((indicator, target_of(packs, indicator, today)) for indicator in INDICATORS)
    fallen = (_fallen(indicator, *target) for indicator, target in targets if target is not None)
    return (*fallen, *server_alerts.RULES)


def without_rule(rules: Sequence[Rule], language: Language) -> list[str]:
    """The uids, of both languages, that bear no rule: no target is in force, or it is in the other one."""
    known = {rule.uid_in(language) for rule in rules}
    every = [*(uid_of(one.id) for one in INDICATORS), *(rule.uid for rule in server_alerts.RULES)]
    return sorted({uid + end for uid in every for end in SUFFIX.values()} - known)


def target_of(packs: Packs, indicator: Indicator, today: date) -> tuple[float, bool] | None:
    """What communes are held against, and whether more is better: as the rule `indicator_fell_widely` does.

    What a plan asks of all schools without exception stands before the definition's own number; of several
    the one whose day comes next.
    """
    asked = [
        (item.deadline is not None and item.deadline < today, item.deadline or date.max, item)
        for plan in packs.plans
        for item in plan.items
        if item.indicator == indicator.id
        and item.target is not None
        and item.unit == indicator.unit
        and not indicator.counts_schools
        and not (item.levels or item.communes or item.former_places or item.public_only)
    ]
    if asked:
        item = min(asked, key=lambda each: each[:2])[2]
        return float(item.target or 0), item.better == "higher"
    definition = packs.of(indicator.id).indicators[indicator.id]
    if definition.target is None or definition.target.applies_to:
        return None
    return definition.target.value, definition.better == "higher"


def _fallen(indicator: Indicator, target: float, higher: bool) -> Rule:
    """A commune that met the target within 30 days, and has not for six hours."""

    def of(function: Function, *by: str, is_current: bool = False) -> Query:
        where = {"indicator": indicator.id, "level": "commune"}
        return Query(MEASUREMENT, where, by, function, is_over_time=False, is_current=is_current)

    misses, met = ("<", ">=") if higher else (">", "<=")
    number = f"{target:.10g}"
    name = said(f"indicator.{indicator.id}")
    shown = Words(number.replace(".", ","), number)
    place = Words(*["{{ $labels.commune_name }}"] * 2)
    return Rule(
        uid_of(indicator.id),
        "indicators",
        said("grafana.alert.fallen", name=name),
        said("grafana.alert.fallen_summary", name=name, target=shown, place=place),
        said("grafana.alert.fallen_what", target=shown),
        (
            Asked("A", of("last", "province_name", "commune_name", is_current=True), int(FRESH_BELOW)),
            # by ids alone: a name is another one from the day on that a commune is renamed
            Asked("B", of("max" if higher else "min", "province", "commune"), LOOKED_BACK),
            Newest("C", "A"),
            Newest("D", "B"),
            Formula("E", f"$C {misses} {number} && $D {met} {number}"),
        ),
        LASTING,
        {LABEL: "indicator", "indicator": indicator.id, "level": "commune"},
    )
