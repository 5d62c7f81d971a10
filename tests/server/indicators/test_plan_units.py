"""A plan's number is held only against a value of its own unit."""

import msgspec

from schoolwatch_server import packs
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import Counts, IndicatorValue
from schoolwatch_server.indicators.judge import judge
from schoolwatch_server.packs.plan import Plan


def judged(example: str, indicator: str, level: str) -> IndicatorValue:
    plan = next(held.sheet for held in packs.examples() if held.sheet.id == example)
    assert isinstance(plan, Plan)
    loaded = packs.load()
    with_plan = packs.Packs(loaded.packs, (msgspec.structs.replace(plan, former_places=()),))
    one = next(each for each in INDICATORS if each.id == indicator)
    return judge(one, [Counts()], with_plan, level=level, place_id=1, at=1.8e9)


def test_students_per_computer_are_nothing_to_hold_a_share_of_schools_against() -> None:
    value = judged("an_lao_2024", "students_per_computer_in_lesson", "province")
    assert value.unit == "ratio"
    assert value.target != 2


def test_a_share_of_schools_is_held_against_a_share_and_says_its_deadline() -> None:
    value = judged("ninh_binh_2025", "ipv6_transition", "province")
    assert (value.unit, value.target, value.deadline) == ("ratio", 1.0, "2025-12-31")


def test_a_school_is_told_the_deadline_of_a_share_of_schools() -> None:
    assert judged("ninh_binh_2025", "lan_standard", "school").deadline == "2025-12-31"
