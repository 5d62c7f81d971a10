"""What plans ask of a place beside its values: met, not met, or said to be unknown."""

from datetime import date

import httpx
import pytest
import yaml

from schoolwatch_server import plan_rows, scores
from schoolwatch_server.database import registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.indicators.current import At
from schoolwatch_server.indicators.indicator import IndicatorValue, OfStage, Source
from schoolwatch_server.packs import Item, load
from schoolwatch_server.packs.sheet import Stored
from schoolwatch_server.plan_rows import standing
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import Tree

DAY = date(2026, 11, 29)


def item(**more: object) -> Item:
    given = {"id": "a", "vi": "A", "indicator": "x", "target": 0.8, "clause": "I", "confidence": "V-law"}
    return Item(**(given | more))  # type: ignore[arg-type]


def value(number: float | None, unit: str = "ratio", level: str = "school", **more: object) -> IndicatorValue:
    given = {
        "indicator": "x", "level": level, "place_id": 1, "unit": unit, "reason": "", "value": number,
        "status": "ok" if number is not None else "not_enough_data", "numerator": None, "denominator": None,
        "coverage": 1.0, "source": Source("", "", "P"), "pack": "x@1", "target": None, "at": 0.0,
    }  # fmt: skip
    return IndicatorValue(**(given | more))  # type: ignore[arg-type]


AT_MOST_2 = item(target=2, unit="students/computer", better="lower")


@pytest.mark.parametrize(
    ("asked", "seen", "expected"),
    [
        (item(), value(0.8), "met"),
        (item(), value(0.79), "not_met"),
        (item(), value(None), "unknown"),
        (item(target=None), value(0.9), "no_number"),
        (AT_MOST_2, value(2, "students/computer"), "met"),
        (
            item(target=2, unit="students/computer", better="lower"),
            value(2.1, "students/computer"),
            "not_met",
        ),
        # at a province the value is the share of schools that reach it: every school is to
        (AT_MOST_2, value(0.99, level="province"), "not_met"),
        (AT_MOST_2, value(1.0, level="province"), "met"),
        # "100 % of schools" at one school: whether it reaches what the indicator asks of it
        (item(target=1.0), value(3, "level", meets=True), "met"),
        (item(target=1.0), value(1, "level", meets=False), "not_met"),
        (item(target=1.0), value(1, "level"), "unknown"),
    ],
)
def test_an_item_against_a_value(asked: Item, seen: IndicatorValue, expected: str) -> None:
    assert standing(asked, seen) == expected


def of_stages(lower: float | None, upper: float | None) -> IndicatorValue:
    """A THCS&THPT school, each stage against its own number; the worse is told."""
    stages = (
        OfStage("THCS", lower, None, None, 2, lower is not None and lower <= 2),
        OfStage("THPT", upper, None, None, 1, upper is not None and upper <= 1),
    )
    return value(upper, "students/computer", meets=all(s.meets for s in stages), stages=stages)


@pytest.mark.parametrize(
    ("levels", "target", "lower", "upper", "expected"),
    [
        # 40 of THPT on 20 computers are 2.0 and the worst; 50 of THCS on 20 are 2.5, over their own 2
        (("TH", "THCS"), 2, 2.5, 2.0, "not_met"),
        # 38 on 20 are 1.9: THCS reaches it, though THPT with 1.2 does not reach 1
        (("TH", "THCS"), 2, 1.9, 1.2, "met"),
        (("THPT",), 1, 1.9, 1.2, "not_met"),
        # no computer of that lab works
        (("THCS",), 2, None, None, "not_met"),
    ],
)
def test_a_school_of_two_levels_is_held_against_an_item_by_the_stages_that_it_names(
    levels: tuple[str, ...], target: float, lower: float | None, upper: float | None, expected: str
) -> None:
    asked = item(target=target, unit="students/computer", better="lower", levels=levels)
    assert standing(asked, of_stages(lower, upper)) == expected


def test_ten_checks_of_one_school_are_no_share_of_schools() -> None:
    # nine of ten checks passed and what is needed among them: the school is one of the 100 %
    one = {"indicator": "lan_standard", "target": 0.7}
    assert standing(item(target=1.0), value(0.9, meets=True, **one)) == "met"
    assert standing(item(target=0.5), value(0.9, meets=False, **one)) == "not_met"
    assert standing(item(target=0.5), value(None, meets=None, **one)) == "unknown"


def plan(*items: dict[str, object], **more: object) -> Stored:
    given = {"kind": "plan", "id": "so", "version": 1, "vi": "Kế hoạch", "issuer": "Sở", "items": list(items)}
    return Stored("so", 1, DAY, yaml.safe_dump(given | more, allow_unicode=True), 0.0, "so-admin")


ANSWERED = {
    "id": "page",
    "vi": "Trang",
    "question": "dx_page",
    "target": 1.0,
    "clause": "I",
    "confidence": "P",
}
OUTSIDE = {"id": "day", "vi": "Ngày", "target": 1.0, "clause": "I", "confidence": "P"}


def test_a_place_counts_the_schools_that_an_item_is_about_and_a_school_sees_its_own_alone(tree: Tree) -> None:
    elsewhere = {**ANSWERED, "id": "other", "former_places": ["Nơi Khác"]}
    packs = load(None, [plan(ANSWERED, OUTSIDE, elsewhere)], DAY)
    with begin_read(tree.engine) as conn:
        school = registry.schools(conn, EVERYTHING)[0]
        schools = len(registry.schools(conn, Scope("province", school.province_id)))
        there = plan_rows.of_place(conn, Scope("province", school.province_id), At(), packs)
        own = plan_rows.of_school(conn, school, (), packs)
    assert [(row.item.id, row.standing, row.reached, row.schools) for row in there] == [
        ("page", "unknown", 0, schools),
        ("day", "outside", None, schools),
    ], "what is about no school here is not shown"
    assert [(row.item.id, row.standing) for row in own] == [("page", "unknown"), ("day", "outside")]


def test_reports_on_time_stand_among_the_indicators_of_a_place(tree: Tree, head: httpx.Client) -> None:
    page = head.get(f"/schools/{tree.schools[0].code}").text
    assert 'id="reports_on_time"' in page
    assert "I-30" in page


def test_without_a_plan_nothing_is_asked(tree: Tree) -> None:
    with begin_read(tree.engine) as conn:
        school = registry.schools(conn, EVERYTHING)[0]
        assert plan_rows.of_school(conn, school, (), load()) == ()
        assert plan_rows.of_place(conn, Scope("commune", school.commune_id), At(), load()) == ()


def test_a_school_is_assessed_by_the_criteria_of_its_level_and_provisionally_by_what_is_measured(
    tree: Tree,
) -> None:
    seen = (
        value(0.5, indicator="classrooms_equipped"),
        value(1.8, "students/computer", indicator="students_per_computer_in_lesson", meets=True),
    )
    with begin_read(tree.engine) as conn:
        school = registry.schools(conn, EVERYTHING)[0]
        assessed = scores.of_school(conn, school, seen, load())
    assert [one.criteria.id for one in assessed] == ["qd4725"]
    lines = {line.criterion.code: line for line in assessed[0].scores.lines}
    assert (lines["1.7.1"].score, lines["1.7.1"].basis) == (4.0, "provisional")
    assert (lines["1.7.2"].score, lines["1.7.2"].basis) == (None, "missing")
    assert assessed[0].scores.level is None
