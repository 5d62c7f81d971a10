"""Targets beside what is reached, and places in their order: pure, from made-up values."""

import dataclasses
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server import packs, progress
from schoolwatch_server.indicators.indicator import IndicatorValue, Source
from schoolwatch_server.packs.plan import Item, Plan
from schoolwatch_server.sections import Forecasting
from schoolwatch_server.store.series import Judged

TODAY = date(2026, 11, 29)
NOW = 1_795_000_000.0
SHIPPED = packs.load()
ABOUT = (packs.About(is_public=True),)


def value(indicator: str, number: float | None, unit: str = "ratio", **more) -> IndicatorValue:
    own = SHIPPED.of(indicator).indicators[indicator].target
    return IndicatorValue(
        indicator=indicator, level="province", place_id=1, unit=unit,
        status="ok" if number is not None else "not_enough_data", reason="", value=number,
        numerator=None, denominator=None, coverage=0.9, source=Source("d", "c", "P"),
        pack=SHIPPED.of(indicator).name, target=own.value if own else None, at=NOW, **more,
    )  # fmt: skip


def item(**more) -> Item:
    return Item(**({"id": "a", "vi": "A", "indicator": "antivirus_coverage", "target": 0.9, "clause": "mục 1",
                    "confidence": "V-seed"} | more))  # fmt: skip


def with_plan(*items: Item) -> packs.Packs:
    plan = Plan(kind="plan", id="plan", version=1, vi="Kế hoạch", number="1/KH", date=None, issuer="Sở",
                items=items)  # fmt: skip
    return dataclasses.replace(SHIPPED, plans=(plan,))


def goals(found: packs.Packs, *values: IndicatorValue, histories=None) -> tuple[progress.Goal, ...]:
    return progress.goals(values, histories or {}, found, TODAY, Forecasting())


def rising(last: float, weeks: int = 12) -> list[tuple[tuple[date, float], str]]:
    """A point of a hundred a week, up to `last` yesterday."""
    return [
        ((TODAY - timedelta(days=day), last - 0.01 * (day // 7)), "security@1")
        for day in range(7 * weeks, 0, -1)
    ]


def test_without_a_plan_the_definition_says_what_is_aimed_at() -> None:
    (goal,) = goals(SHIPPED, value("antivirus_coverage", 0.7))
    assert goal.target is not None
    assert (goal.target.value, goal.target.deadline) == (1.0, None)
    assert goal.forecast is not None
    assert goal.forecast.reason == "too_short"


def test_what_has_no_target_gets_no_forecast_and_stands_last() -> None:
    found = goals(
        SHIPPED, value("students_per_computer", 12.0, "students/computer"), value("antivirus_coverage", 0.7)
    )
    assert [goal.value.indicator for goal in found] == ["antivirus_coverage", "students_per_computer"]
    assert found[1].target is None
    assert found[1].forecast is None


def test_each_number_of_the_plans_is_a_row_and_the_most_urgent_is_first() -> None:
    plans = with_plan(
        item(id="easy", target=0.5),
        item(id="past", target=0.9, deadline=date(2025, 12, 31)),
        item(id="soon", target=0.95, deadline=TODAY + timedelta(days=3)),
        item(id="again", target=0.9, deadline=date(2025, 12, 31)),
    )
    found = goals(plans, value("antivirus_coverage", 0.7), histories={"antivirus_coverage": rising(0.7)})
    assert [goal.forecast.standing for goal in found if goal.forecast] == ["overdue", "missed", "reached"]


def test_a_target_in_another_unit_is_not_held_against_the_value() -> None:
    plans = with_plan(item(target=2.0, unit="level"))
    (goal,) = goals(plans, value("antivirus_coverage", 0.7))
    assert goal.target is not None
    assert goal.target.value == 1.0, "the definition's own"


def test_what_a_plan_asks_of_each_school_every_school_is_to_reach_by_its_day() -> None:
    soon = TODAY + timedelta(days=300)
    plans = with_plan(item(indicator="digital_transformation_level", target=2.0, unit="level", deadline=soon))
    history = {"digital_transformation_level": rising(0.9)}
    (goal,) = goals(plans, value("digital_transformation_level", 0.9), histories=history)
    assert goal.target is not None
    assert (goal.target.value, goal.target.deadline, goal.target.is_of_each) == (1.0, soon, True)
    assert goal.forecast is not None
    assert goal.forecast.standing in ("on_time", "likely"), "a point of a hundred a week: ten weeks"


def test_no_value_now_is_no_forecast_and_a_past_deadline_is_past_all_the_same() -> None:
    plans = with_plan(item(deadline=date(2025, 12, 31)))
    history = {"antivirus_coverage": rising(0.7)}
    (goal,) = goals(plans, value("antivirus_coverage", None), histories=history)
    assert goal.forecast is not None
    assert (goal.forecast.standing, goal.forecast.reason) == ("overdue", "no_value")
    assert len(goal.history) == 84, "what was is shown"
    (goal,) = goals(with_plan(item()), value("antivirus_coverage", None), histories=history)
    assert goal.forecast is not None
    assert goal.forecast.standing == "unknown"


def test_a_history_under_two_packs_is_marked() -> None:
    history = [*rising(0.7), ((TODAY, 0.71), "security@2")]
    (goal,) = goals(SHIPPED, value("antivirus_coverage", 0.71), histories={"antivirus_coverage": history})
    assert goal.packs == 2


def test_items_that_nothing_measures_are_told_apart() -> None:
    plans = with_plan(
        item(), item(id="studio", indicator=None, question="studio"), item(id="x", indicator=None)
    )
    assert [each.id for _, each in progress.beside(plans, ABOUT)] == ["studio", "x"]
    assert progress.beside(SHIPPED, ABOUT) == ()
    elsewhere = with_plan(item(id="x", indicator=None, communes=("99999",)))
    assert progress.beside(elsewhere, ABOUT) == (), "it is about no school here"


def test_what_is_asked_of_some_schools_has_a_row_of_their_own_value() -> None:
    asked = item(levels=("THPT",), target=0.6)
    plans = with_plan(asked)
    both = (packs.About(stages=("THPT",)), packs.About(stages=("TH",)))
    of_all, theirs = value("antivirus_coverage", 0.7), value("antivirus_coverage", 0.5)
    some = [progress.Some(plans.plans[0], asked, theirs)]
    found = progress.goals([of_all], {}, plans, TODAY, Forecasting(), both, some)
    told = {(goal.of is not None, goal.value.value, goal.target.value) for goal in found if goal.target}
    # all schools against the definition's 100 %, those of THPT with their own 50 % against the plan's 60 %
    assert told == {(False, 0.7, 1.0), (True, 0.5, 0.6)}
    alone = progress.goals([of_all], {}, plans, TODAY, Forecasting(), both[:1])
    assert [goal.target.value for goal in alone if goal.target] == [0.6]


def test_a_number_that_is_not_all_that_is_asked_reaches_nothing() -> None:
    lan = msgspec.structs.replace(value("lan_standard", 0.9), level="school", target=0.7, meets=False)
    (goal,) = goals(SHIPPED, lan)
    assert goal.forecast is not None
    assert goal.forecast.standing == "unknown"


def judged(place: int, number: float | None, *, at: float = NOW, coverage: float | None = 0.9) -> Judged:
    denominator = None if coverage is None else 10.0
    return Judged("indicator", {"school": str(place)}, at, number, 5.0, denominator, coverage)


def order(*rows: Judged, better: str = "higher") -> progress.Ranking:
    return progress.rank(rows, "school", better=better, floor=0.8, after=NOW - 4500)


def test_the_worst_comes_first_and_equals_share_a_rank() -> None:
    found = order(judged(1, 0.9), judged(2, 0.5), judged(3, 0.9), judged(4, 0.7))
    assert [(each.place_id, each.rank) for each in found.ranked] == [(2, 4), (4, 3), (1, 1), (3, 1)]
    less = order(judged(1, 2.0), judged(2, 30.0), better="lower")
    assert [(each.place_id, each.rank) for each in less.ranked] == [(2, 2), (1, 1)], "30 students is worse"


def test_what_has_not_enough_data_is_neither_best_nor_worst() -> None:
    found = order(
        judged(1, None, coverage=0.4), judged(2, 0.1), judged(3, None, coverage=None),
        judged(4, 0.9, at=NOW - 9000),
    )  # fmt: skip
    assert [each.place_id for each in found.ranked] == [2]
    assert [(each.place_id, each.reason) for each in found.apart] == [
        (1, "coverage_below_floor"), (3, "other"), (4, "stale"),
    ]  # fmt: skip


@given(st.lists(st.none() | st.floats(0, 1), max_size=40))
def test_every_place_is_somewhere_once(numbers: list[float | None]) -> None:
    found = order(*(judged(place, number, coverage=0.9 if number is not None else 0.1)
                    for place, number in enumerate(numbers)))  # fmt: skip
    places = [each.place_id for each in (*found.ranked, *found.apart)]
    assert sorted(places) == list(range(len(numbers)))
    for each in found.ranked:
        assert each.rank == 1 + sum(other.value > each.value for other in found.ranked)
    assert [each.value for each in found.ranked] == sorted(each.value for each in found.ranked)


def test_the_shipped_examples_make_goals(tmp_path: Path) -> None:
    for path in (Path(packs.__file__).parent / "plans").glob("*.yaml"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    found = packs.load(tmp_path)
    assert found.plans
    every = [value(name, 0.5) for pack in found.packs for name in pack.indicators if "students" not in name]
    assert len(goals(found, *every)) >= len(every)
    there = packs.About(stages=("TH", "THCS", "THPT"), former_place="Kon Tum", is_public=True)
    assert progress.beside(found, (there,))


@pytest.mark.parametrize("more", [{}, {"better": "lower"}])
def test_a_goal_says_by_its_own_direction_whether_it_is_reached(more: dict[str, str]) -> None:
    (goal,) = goals(with_plan(item(target=0.5, **more)), value("antivirus_coverage", 0.7))
    assert goal.forecast is not None
    assert (goal.forecast.standing == "reached") == (not more)


def test_what_is_either_there_or_not_has_no_trend() -> None:
    school = msgspec.structs.replace(value("fibre", 0.0, "boolean"), level="school", target=1.0)
    (goal,) = goals(SHIPPED, school, histories={"fibre": rising(0.7)})
    assert goal.forecast is not None
    assert (goal.forecast.standing, goal.forecast.reason) == ("unknown", "yes_no")
    (goal,) = goals(SHIPPED, msgspec.structs.replace(school, deadline="2025-12-31"))
    assert goal.forecast is not None
    assert goal.forecast.standing == "overdue"
    (goal,) = goals(SHIPPED, msgspec.structs.replace(school, value=1.0))
    assert goal.forecast is not None
    assert goal.forecast.standing == "reached"
