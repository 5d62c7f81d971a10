"""Items of plans at communes and provinces: over the schools that each is about, worked out by hand."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, Engine, insert, update

from databases import make_database
from schoolwatch_server import packs, plan_rows
from schoolwatch_server.database import declarations, judged, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write, open_database
from schoolwatch_server.indicators import INDICATORS, current, series
from schoolwatch_server.indicators.by_plan import of_item
from schoolwatch_server.indicators.facts import Lab, SchoolClass
from schoolwatch_server.indicators.indicator import Counts
from schoolwatch_server.indicators.judge import fraction_of, prepare
from schoolwatch_server.indicators.stored import PLAN_ITEM
from schoolwatch_server.packs import About, Item, Plan
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.standings import targets
from schoolwatch_server.store.names import TARGET

NOW = 1_800_000_000.0
SHIPPED = packs.load()


def item(id_: str, indicator: str, **more: object) -> Item:
    given = {"id": id_, "vi": id_, "indicator": indicator, "target": 1.0, "clause": "I", "confidence": "P"}
    return Item(**(given | more))  # type: ignore[arg-type]


FIREWALL = item("firewall", "host_firewall", public_only=True)
UPPER = item("upper", "host_firewall", levels=("THPT",))
ELSEWHERE = item("elsewhere", "host_firewall", former_places=("Nơi khác",))
EVERY = item("every", "host_firewall")
PLAN = Plan(kind="plan", id="so", version=1, vi="Kế hoạch", issuer="Sở",
            items=(FIREWALL, UPPER, ELSEWHERE, EVERY))  # fmt: skip
RULES = replace(SHIPPED, plans=(PLAN,))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator:
    engine = open_database(make_database(tmp_path), tmp_path)
    with begin_write(engine) as conn:
        commune = registry.create_commune(conn, registry.create_province(conn, "P", "Tỉnh"), "C", "Xã")
        # 4 of 4 firewalls of the public THCS, 1 of 4 of the public THPT, none of 2 of the private THCS
        _school(conn, commune, "S1", "THCS", on=4, off=0)
        _school(conn, commune, "S2", "THPT", on=1, off=3)
        private = _school(conn, commune, "S3", "THCS", on=0, off=2)
        conn.execute(update(t.school).where(t.school.c.id == private).values(is_public=False))
    yield engine
    engine.dispose()


def _school(conn: Connection, commune: int, code: str, level: str, *, on: int, off: int) -> int:
    of = registry.create_school(conn, commune, code, f"Trường {code}", level, 0.0)
    declarations.declare(conn, of, "devices", on + off, NOW, "test")
    for number in range(on + off):
        device = registry.create_device(conn, of, None, "", 0.0).id
        row = {"device_id": device, "seq": 1, "agent": "1", "taken_at": NOW, "heard_at": NOW}
        conn.execute(insert(t.state).values(firewall=number < on, **row))
    return of


EXPECTED = {
    "firewall": (5 / 8, 2, 3),  # (4 + 1) of (4 + 4) computers, two public schools of three
    "upper": (1 / 4, 1, 3),
    "every": (5 / 10, 3, 3),
}
"""Value, schools that it is about, and all; what is about none is not there."""


def rows(conn: Connection) -> dict[str, tuple[float | None, int, int]]:
    province = registry.provinces(conn, EVERYTHING)[0].id
    at = current.at(conn, "province", province, RULES, NOW)
    found = plan_rows.of_place(conn, Scope("province", province), at, RULES)
    assert {row.standing for row in found} == {"not_met"}
    return {row.item.id: (row.value, row.schools, row.all_schools) for row in found}


def test_an_item_is_counted_over_the_schools_that_it_is_about(engine) -> None:
    with begin_read(engine) as conn:
        assert rows(conn) == EXPECTED
        province = registry.provinces(conn, EVERYTHING)[0].id
        (own,) = [
            value
            for value in current.current(conn, "province", province, RULES, NOW)
            if value.indicator == "host_firewall"
        ]
    # 5 of 10 of all schools, held against the one item that is about all of them
    assert (own.value, own.target, own.lines[-1].source.document) == (0.5, 1.0, PLAN.document)


def test_of_schools_that_an_indicator_is_not_asked_of_the_places_own_value_says_nothing(engine) -> None:
    """What public schools reach stood in for an item that is about private ones alone."""
    public = next(one for one in INDICATORS if one.public_only)
    asked = item("private", public.id, levels=("MN",))
    rules = replace(SHIPPED, plans=(replace_items(PLAN, asked, item("all", public.id)),))
    with begin_write(engine) as conn:
        commune = registry.communes(conn, EVERYTHING)[0].id
        private = _school(conn, commune, "S4", "MN", on=1, off=1)
        conn.execute(update(t.school).where(t.school.c.id == private).values(is_public=False))
    with begin_read(engine) as conn:
        scope = Scope("commune", commune)
        at = current.at(conn, "commune", commune, rules, NOW)
        values = tuple(
            msgspec.structs.replace(each, value=0.5) if each.indicator == public.id else each
            for each in at.values
        )
        found = plan_rows.of_place(conn, scope, replace(at, values=values), rules)
    told = {row.item.id: (row.standing, row.value is None, row.schools) for row in found}
    assert told["private"] == ("outside", True, 1)
    assert told["all"][0] != "outside"


def test_a_large_province_has_the_same_rows_from_its_series(engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "LARGE", 1)
    with begin_read(engine) as conn:
        assert rows(conn) == EXPECTED  # nothing was judged yet: counted on the spot
    series.write(engine, RULES, NOW, 300, {})
    with begin_write(engine) as conn:
        conn.execute(update(t.state).values(firewall=True))
        assert rows(conn) == EXPECTED
        kept = judged.latest(conn, PLAN_ITEM, {"level": "province"})
    # the item of all schools has the place's own series
    assert {row.tags["item"]: row.value for row in kept} == {"firewall": 5 / 8, "upper": 1 / 4}
    other = replace(RULES, plans=(PLAN, replace_version(PLAN)))
    with begin_read(engine) as conn:
        province = registry.provinces(conn, EVERYTHING)[0].id
        at = current.at(conn, "province", province, other, NOW)
    assert all(each.value is not None for each in at.items), "a new plan is counted on the spot"


def replace_items(plan: Plan, *items: Item) -> Plan:
    return Plan(kind="plan", id=plan.id, version=1, vi=plan.vi, issuer=plan.issuer, items=items)


def replace_version(plan: Plan) -> Plan:
    return Plan(kind="plan", id="later", version=2, vi=plan.vi, issuer=plan.issuer, items=plan.items)


def test_what_is_asked_of_upper_classes_no_lower_class_fails() -> None:
    """THCS&THPT: 50 of THCS on 20 computers are 2.5 of 2, 20 of THPT on 20 are 1.0 of 1."""
    counts = Counts(
        stages=("THCS", "THPT"),
        classes=(SchoolClass("6A", "THCS", 50, 50, 6, 1), SchoolClass("10A", "THPT", 20, 20, 10, 1)),
        labs=(Lab(1, 20, 20, 20),),
    )
    lesson = next(one for one in INDICATORS if one.code == "I-02")
    prepared = prepare(lesson, SHIPPED, NOW)
    school = (About(stages=counts.stages), fraction_of(prepared, counts))
    told = {
        level: of_item(PLAN, item("x", lesson.id, levels=(level,)), prepared, [school],
                       level="commune", place_id=1, at=NOW)
        for level in ("THCS", "THPT", "TH")
    }  # fmt: skip
    assert {level: one and one.value and one.value.value for level, one in told.items()} == {
        "THCS": 0.0,
        "THPT": 1.0,
        "TH": None,
    }


def test_each_target_is_a_series_with_its_deadline_and_source(engine: Engine) -> None:
    """What is asked of all and of some; without a value the target is there all the same."""
    dated = item("every", "host_firewall", deadline=date(2030, 12, 31), clause="mục 3", target=0.9)
    plan = Plan(kind="plan", id="so", version=1, vi="Kế hoạch", number="1/KH", issuer="Sở",
                items=(UPPER, dated, item("backup", "backup", target=0.5)))  # fmt: skip
    with begin_read(engine) as conn:
        found = current.count_all(conn, replace(SHIPPED, plans=(plan,)), NOW)
    rows = [row for row in targets.rows(found, NOW) if row.tags["level"] == "province"]
    assert {row.measurement for row in rows} == {TARGET}
    by = {(row.tags["indicator"], row.tags.get("item")): row for row in rows}
    whole = by["host_firewall", None]
    assert (whole.value, whole.numerator) == (0.5, 0.9)
    assert whole.denominator == 1_924_966_800.0  # 2031-01-01 in Vietnam
    assert whole.tags["deadline"] == "2030-12-31"
    assert whole.tags["source"] == "1/KH của Sở, mục 3"
    assert (whole.tags["kind"], whole.tags["better"], whole.tags["confidence"]) == ("share", "higher", "P")
    some = by["host_firewall", "upper"]
    assert (some.value, some.numerator, "deadline" in some.tags) == (1 / 4, 1.0, False)
    unknown = by["backup", None]
    assert (unknown.value, unknown.numerator) == (None, 0.5)
    assert len({tuple(sorted(row.tags.items())) for row in rows}) == len(rows)
