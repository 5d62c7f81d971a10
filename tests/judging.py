"""Indicators of schools whose numbers a test gives, as the shipped packs judge them."""

from schoolwatch_server import indicators, packs
from schoolwatch_server.indicators.facts import Said
from schoolwatch_server.indicators.indicator import Counts, IndicatorValue, Place
from schoolwatch_server.indicators.judge import judge
from schoolwatch_server.packs import About

PACKS = packs.load()
BY_ID = {indicator.id: indicator for indicator in indicators.INDICATORS}
AT = 1_800_000_000.0
DAY = 86400.0


def judged(name: str, *schools: Counts, level: Place = "school") -> IndicatorValue:
    return judge(BY_ID[name], schools, PACKS, level=level, place_id=1, at=AT, about=About())


def said(**values: float) -> dict[str, Said]:
    return {question: Said(value, "accepted", AT - 10 * DAY) for question, value in values.items()}
