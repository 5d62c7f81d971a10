"""Rules of watches, over copies of the past: place by place, instant by instant."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Engine

from schoolwatch_server.database import past as pasts
from schoolwatch_server.database.past_rows import Part
from schoolwatch_server.packs import Packs
from schoolwatch_server.replays import judge
from schoolwatch_server.replays.histories import of_condition
from schoolwatch_server.replays.job import Found, Job, Place, instants
from schoolwatch_server.replays.watched import Version, follow
from schoolwatch_server.rules import Rule
from schoolwatch_server.sheets import packs_in_force


def steps(engine: Engine, rules: Sequence[Rule], job: Job) -> Iterator[tuple[int, int, list[list[Found]]]]:
    """Of each look how many rows of the past it rested on anew; what was found comes with a place's last."""
    packs = packs_in_force(job.config, engine).now()
    for place in job.places:
        yield from _place(engine, rules, job, place, packs)


def _place(
    engine: Engine, rules: Sequence[Rule], job: Job, place: Place, packs: Packs
) -> Iterator[tuple[int, int, list[list[Found]]]]:
    versions = [Version(rule) for rule in rules]
    past = pasts.open_past(engine, _part(rules, place, packs), job.begin, job.end)
    nothing: list[list[Found]] = [[] for _ in rules]
    try:
        rows = 0
        for _ in follow(past, job.config, packs, versions, instants(job), job.larger):
            yield 1, past.rows - rows, nothing
            rows = past.rows
        yield 0, 0, judge.compared([version.finds.found for version in versions])
    finally:
        past.close()


def _part(rules: Sequence[Rule], place: Place, packs: Packs) -> Part:
    found = [of_condition(rule.condition) for rule in rules]
    needs = frozenset(need for history in found if history is not None for need in history.needs)
    targets = {
        indicator
        for pack in packs.packs
        for indicator, definition in pack.indicators.items()
        if definition.target is not None
    } | {item.indicator for plan in packs.plans for item in plan.items if item.indicator is not None}
    days = max(rule.condition.parameters.get("days", 0.0) for rule in rules)
    return Part(place.schools, place.communes, place.provinces, needs, frozenset(targets), days)
