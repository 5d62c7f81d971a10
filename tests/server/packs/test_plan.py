"""A plan's targets: who is concerned, which one binds, and when one is overdue."""

from datetime import date

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server import packs
from schoolwatch_server.claims.questions import BY_ID
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.packs import About, Item, Plan
from schoolwatch_server.packs.plan import targets_of


def item(**given: object) -> Item:
    values = {"id": "lan", "vi": "LAN", "clause": "I.2.2", "confidence": "V-seed", "target": 1.0}
    return Item(**({"indicator": "lan"} | values | given))  # type: ignore[arg-type]


def plan(*items: Item, day: date = date(2025, 9, 19), name: str = "example") -> Plan:
    return Plan(
        kind="plan", id=name, version=1, vi="Kế hoạch", number="27/KH", date=day, issuer="Sở", items=items
    )


def test_an_item_concerns_only_the_schools_that_it_is_about() -> None:
    school = About(stages=("TH", "THCS"), commune="12345", former_place="Kon Tum", is_public=True)
    assert item().concerns(school)
    assert item(levels=("THCS",)).concerns(school)
    assert not item(levels=("THPT",)).concerns(school)
    assert not item(communes=("99999",)).concerns(school)
    assert item(former_places=("Kon Tum",)).concerns(school)
    assert not item(former_places=("Quảng Ngãi",)).concerns(school)
    assert item(public_only=True).concerns(school)
    assert not item(public_only=True).concerns(About(is_public=False))
    assert not item(public_only=True).concerns(About()), "nobody said that it is public"


def test_a_level_that_nobody_gave_lies_in_no_scope_that_asks_for_one() -> None:
    assert not item(levels=("THPT",)).concerns(About())


def test_the_mandatory_target_binds_before_the_encouraged_and_the_newest_before_older_ones() -> None:
    old = plan(item(target=0.5), day=date(2024, 1, 1), name="old")
    new = plan(item(target=0.8), item(id="more", target=0.9, mandatory=False), name="new")
    assert [(t.plan, t.value) for t in targets_of((old, new), "lan")] == [
        ("new@1", 0.8),
        ("old@1", 0.5),
        ("new@1", 0.9),
    ]


def test_the_first_deadline_binds_before_a_later_one_of_the_same_document() -> None:
    both = plan(
        item(target=1.0, deadline=date(2030, 12, 31)),
        item(id="soon", target=0.8, deadline=date(2025, 12, 31)),
    )
    assert [target.item for target in targets_of((both,), "lan")] == ["soon", "lan"]


def test_a_plan_of_a_former_province_is_about_its_schools_alone() -> None:
    kon_tum = msgspec.structs.replace(plan(item()), former_places=("Kon Tum",))
    assert targets_of((kon_tum,), "lan", (About(former_place="Kon Tum"),))
    assert not targets_of((kon_tum,), "lan", (About(former_place="Quảng Ngãi"),))
    assert not targets_of((kon_tum,), "lan", (About(),)), "nobody said where it lay"


def test_a_target_of_some_schools_is_none_of_a_place_that_has_others_too() -> None:
    public, private = About(is_public=True), About(is_public=False)
    of_public = (plan(item(public_only=True)),)
    assert targets_of(of_public, "lan", (public, public))
    assert not targets_of(of_public, "lan", (public, private))


def test_an_item_without_a_number_sets_no_target() -> None:
    assert targets_of((plan(item(target=None)),), "lan") == ()


def test_the_last_day_still_counts() -> None:
    target = plan(item(deadline=date(2025, 12, 31))).target(item(deadline=date(2025, 12, 31)))
    assert target is not None
    assert not target.is_overdue(date(2025, 12, 31))
    assert target.is_overdue(date(2026, 1, 1))
    assert target.document == "27/KH ngày 19/09/2025 của Sở"


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_value_meets_a_target_in_the_direction_that_is_better(value: float, asked: float) -> None:
    high = plan(item(target=asked)).target(item(target=asked))
    low = plan(item(target=asked, better="lower")).target(item(target=asked, better="lower"))
    assert high is not None
    assert low is not None
    assert high.is_met(value) == (value >= asked)
    assert low.is_met(value) == (value <= asked)


def test_the_shipped_examples_say_what_their_documents_say() -> None:
    plans = {held.sheet.id: held.sheet for held in packs.examples()}
    said = {
        (name, one.indicator or one.question): (one.target, one.deadline, one.mandatory)
        for name, each in plans.items()
        if isinstance(each, Plan)
        for one in each.items
    }
    end_2025 = date(2025, 12, 31)
    assert said["ninh_binh_2025", "lan_standard"] == (1.0, end_2025, True)
    assert said["ninh_binh_2025", "ipv6_transition"] == (1.0, end_2025, True)
    assert said["ninh_binh_2025", "digital_transformation_level"] == (1.0, None, True)
    assert said["kon_tum_2025", "issued_antivirus"] == (1.0, None, True)
    assert said["kon_tum_2025", "expenditure_share"] == (0.01, None, False)
    assert said["an_lao_2024", "classrooms_connected"] == (1.0, None, True)
    assert said["an_lao_2024", "several_providers"] == (None, None, False)
    assert said["quang_ngai_2023", "fibre"] == (1.0, end_2025, True)
    records = [one for one in plans["cao_bang_2022"].items if one.indicator == "digital_records"]
    assert [(one.target, one.deadline) for one in records] == [(0.8, end_2025), (1.0, date(2030, 12, 31))]


def test_no_number_that_a_document_does_not_give_is_called_its_own() -> None:
    for held in packs.examples():
        assert isinstance(held.sheet, Plan)
        for one in held.sheet.items:
            assert one.quote
            assert (one.target is None) == (one.confidence == "NF"), (held.sheet.id, one.id)
            if one.confidence == "P":
                assert "đề xuất" in one.note, (held.sheet.id, one.id)


def test_what_an_example_measures_by_is_there() -> None:
    indicators = {indicator.id for indicator in INDICATORS}
    for held in packs.examples():
        assert isinstance(held.sheet, Plan)
        for one in held.sheet.items:
            assert one.indicator is None or one.indicator in indicators, (held.sheet.id, one.id)
            assert one.question is None or one.question in BY_ID, (held.sheet.id, one.id)
