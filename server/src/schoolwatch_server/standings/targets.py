"""What is asked of communes and provinces by which day, beside what they stand at, each with its source."""

from collections.abc import Iterator

from schoolwatch_server import progress
from schoolwatch_server.indicators.by_plan import OfItem
from schoolwatch_server.indicators.current import Everywhere, Whole
from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.indicators.series import place
from schoolwatch_server.packs import Packs
from schoolwatch_server.progress import Aim
from schoolwatch_server.store.names import TARGET, TARGET_NUMBER, TARGET_SHARE
from schoolwatch_server.store.series import Judged
from schoolwatch_server.vietnam import ends


def rows(every: Everywhere, at: float) -> Iterator[Judged]:
    """The points of every target of every commune and province."""
    for whole in every.totals():
        for value in whole.values:
            for aim in progress.aims(every.packs, value, whole.abouts):
                yield _point(whole, value, aim, at)
        for one in whole.items:
            yield from _of_item(whole, one, every.packs, at)


def _of_item(whole: Whole, one: OfItem, packs: Packs, at: float) -> Iterator[Judged]:
    """What is asked of some of the schools alone: of all of them it is a target of the whole."""
    if one.is_of_all or one.value is None:
        return
    plan = next(plan for plan in packs.plans if plan.id == one.plan)
    item = next(item for item in plan.items if item.id == one.item)
    target = plan.target(item)
    aim = None if target is None else progress.aim_of(target, one.value)
    if aim is not None:
        yield _point(whole, one.value, aim, at, {"item": item.vi})


def _point(
    whole: Whole, value: IndicatorValue, aim: Aim, at: float, more: dict[str, str] | None = None
) -> Judged:
    is_share = value.unit == "ratio" or aim.is_of_each
    tags = {
        **place(whole.school, whole.level),
        "indicator": value.indicator,
        "kind": TARGET_SHARE if is_share else TARGET_NUMBER,
        "better": aim.better,
        "source": ", ".join(part for part in (aim.source.document, aim.source.clause) if part),
        "confidence": aim.source.confidence,
        "deadline": aim.deadline.isoformat() if aim.deadline else "",
        **(more or {}),
    }
    told = {key: text for key, text in tags.items() if text}
    last = ends(aim.deadline) if aim.deadline else None
    return Judged(TARGET, told, at, value.value, aim.value, last, value.coverage, value.pack)
