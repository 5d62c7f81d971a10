"""What to buy or repair, worked out by hand; unknown never becomes 0."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server import needs, packs, texts
from schoolwatch_server.indicators.facts import Classrooms, Contract, Lab, LineTests, Pair, Said, SchoolClass
from schoolwatch_server.indicators.indicator import Counts

NOW = 1_795_000_000.0
BY = needs.rules(packs.load(), NOW)


def of(counts: Counts, item: str) -> list[needs.Need]:
    return [line for line in needs.of_school(counts, BY) if line.item == item]


def taught(stage: str, pupils: int, room: int | None = 1, name: str = "A") -> SchoolClass:
    return SchoolClass(name=name, stage=stage, students=pupils, taught=pupils, grade=6, room_id=room)


def school(*classes: SchoolClass, labs: tuple[Lab, ...] = (Lab(1, 20, 20, 20),), **more) -> Counts:
    return Counts(**({"stages": ("THCS",), "classes": classes, "labs": labs} | more))


# --- computers of labs ------------------------------------------------------------------------------------


def test_a_lab_needs_what_its_largest_class_needs() -> None:
    # 45 pupils at most 2 a computer: 22.5, so 23 computers; 20 work, none is silent: 3 are missing
    (line,) = of(school(taught("THCS", 45), taught("THCS", 30, name="B")), "lab_computers")
    assert (line.least, line.most, line.stage, line.room_id) == (3, 3, "THCS", 1)
    assert dict(line.terms) == {
        "taught": 45, "target": 2, "required": 23, "working": 20, "broken": 0, "silent": 0,
    }  # fmt: skip
    assert line.source.confidence == "V-seed"
    assert "THCS" in line.source.clause


def test_upper_secondary_pupils_have_one_each() -> None:
    # 45 pupils, one each: 45 computers, 20 work: 25 are missing
    (line,) = of(school(taught("THPT", 45), stages=("THPT",)), "lab_computers")
    assert (line.least, line.most) == (25, 25)


def test_a_lab_of_two_stages_needs_what_the_more_demanding_one_needs_and_not_the_sum() -> None:
    # TH&THCS: 50 primary pupils want 25, 44 lower secondary 22; one lab of 20 serves one class at a time: 5
    (line,) = of(school(taught("TH", 50), taught("THCS", 44), stages=("TH", "THCS")), "lab_computers")
    assert (line.least, line.stage) == (5, "TH")


def test_silent_computers_may_be_in_order() -> None:
    # 23 required, 12 work and 2 are broken of 20 in the room: 6 are silent: 11 at most, 5 at least
    (line,) = of(school(taught("THCS", 45), labs=(Lab(1, 12, 14, 20),)), "lab_computers")
    assert (line.least, line.most) == (5, 11)
    assert dict(line.terms)["broken"] == 2


def test_computers_that_a_person_found_working_count() -> None:
    (line,) = of(school(taught("THCS", 45), labs=(Lab(1, 12, 12, 20, by_hand=8),)), "lab_computers")
    assert (line.least, line.most) == (3, 3)


def test_all_broken_means_all_missing_or_to_be_repaired() -> None:
    (line,) = of(school(taught("THCS", 40), labs=(Lab(1, 0, 20, 20),)), "lab_computers")
    assert (line.least, line.most, dict(line.terms)["broken"]) == (20, 20, 20)


def test_a_lab_whose_size_nobody_said_surely_lacks_nothing() -> None:
    (line,) = of(school(taught("THCS", 45), labs=(Lab(1, 12, 12, None),)), "lab_computers")
    assert (line.least, line.most) == (0, 11)


def test_a_lab_that_is_enough_has_no_line() -> None:
    assert of(school(taught("THCS", 40)), "lab_computers") == []


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (school(), "no_classes"),
        (school(taught("THCS", 0)), "no_students"),
        (school(taught("THCS", 30, room=9)), "no_lab"),
    ],
)
def test_without_lists_the_need_is_unknown(counts: Counts, reason: str) -> None:
    (line,) = of(counts, "lab_computers")
    assert (line.least, line.most, line.reason) == (None, None, reason)


def test_nothing_is_asked_of_a_preschool() -> None:
    assert of(Counts(stages=("MN",)), "lab_computers") == []
    assert of(Counts(stages=("MN",)), "labs") == []


def test_two_labs_are_two_lines() -> None:
    labs = (Lab(1, 20, 20, 20), Lab(2, 10, 10, 10))
    lines = of(school(taught("THCS", 45), taught("THCS", 30, room=2), labs=labs), "lab_computers")
    assert [(line.room_id, line.least) for line in lines] == [(1, 3), (2, 5)]


# --- the others -------------------------------------------------------------------------------------------


def test_antivirus() -> None:
    # 50 declared, 40 known, 33 of them protected: 7 surely not, and perhaps the 10 of which nothing is known
    counts = Counts(devices_declared=50, protected_known=40, protected_yes=33)
    (line,) = of(counts, "antivirus")
    assert (line.least, line.most, dict(line.terms)) == (7, 17, {"known": 40, "bad": 7, "declared": 50})
    assert of(replace(counts, devices_declared=None), "antivirus")[0].most is None
    assert of(Counts(), "antivirus")[0].reason == "not_declared"
    assert of(Counts(devices_declared=40, protected_known=40, protected_yes=40), "antivirus") == []


def test_the_issued_product_is_unknown_while_nobody_said_which() -> None:
    counts = Counts(devices_declared=50, issued=Pair(10, 40))
    assert of(counts, "issued_antivirus")[0].reason == "no_product"
    assert of(replace(counts, issued_named=True), "issued_antivirus")[0].least == 30


def test_replacement_counts_what_is_due() -> None:
    (line,) = of(Counts(devices_declared=50, due=Pair(12, 45)), "replacement")
    assert (line.least, line.most) == (12, 17)


def test_ports_and_rooms() -> None:
    (ports,) = of(Counts(link_known=30, wired=20, wired_100=17), "slow_ports")
    assert (ports.least, ports.most) == (3, 3)
    rooms = Classrooms(rooms=20, connected=14, equipped=8, equipped_known=15)
    (projection,) = of(Counts(classrooms=rooms), "projection")
    assert (projection.least, projection.most) == (7, 12)
    (network,) = of(Counts(classrooms=rooms), "room_network")
    assert (network.least, network.most) == (0, 6), "no sign of a network is no proof that there is none"
    assert of(Counts(), "projection")[0].reason == "no_rooms"


def test_a_lower_secondary_school_needs_a_lab() -> None:
    counts = Counts(stages=("THCS",), classrooms=Classrooms(rooms=10))
    assert of(counts, "labs")[0].least == 1
    assert of(replace(counts, labs=(Lab(1, 0, 0),)), "labs") == []
    assert of(Counts(stages=("THCS",)), "labs")[0].reason == "no_rooms"


def test_lines_and_what_a_school_has_or_not() -> None:
    copper = Counts(contracts=(Contract("VNPT", "dsl"),))
    assert of(copper, "fibre")[0].least == 1
    assert of(Counts(contracts=(Contract("VNPT", "fibre"),)), "fibre") == []
    assert of(Counts(), "fibre")[0].reason == "no_contracts"
    slow = Counts(students_declared=300, line=LineTests(4, 10e6, 5e6))  # 10 of the 20 Mbit/s
    assert of(slow, "bandwidth")[0].least == 1
    assert of(Counts(students_declared=300, line=LineTests(4, 30e6, 5e6)), "bandwidth") == []
    assert of(Counts(said={"studio": Said(0.0, "accepted", NOW)}), "studio")[0].least == 1
    assert of(Counts(said={"studio": Said(1.0, "accepted", NOW)}), "studio") == []
    assert of(Counts(), "studio")[0].least is None


# --- sums -------------------------------------------------------------------------------------------------


def test_a_sum_keeps_apart_what_is_not_known() -> None:
    lacking = needs.of_school(Counts(devices_declared=50, protected_known=40, protected_yes=33), BY)
    unknown = needs.of_school(Counts(), BY)
    fine = needs.of_school(Counts(devices_declared=40, protected_known=40, protected_yes=40), BY)
    found = {each.item: each for each in needs.add_up([lacking, lacking, unknown, fine], BY)}
    antivirus = found["antivirus"]
    assert (antivirus.least, antivirus.most, antivirus.schools, antivirus.unknown) == (14, 34, 2, 1)
    assert found["fibre"].unknown == 4
    assert found["fibre"].least == found["fibre"].schools == 0
    assert list(found) == [item.id for item in needs.NEEDS]


COUNTS = st.builds(
    Counts,
    devices_declared=st.none() | st.integers(0, 60),
    protected_known=st.integers(20, 60),
    protected_yes=st.integers(0, 20),
    stages=st.sampled_from([(), ("MN",), ("TH",), ("THCS",), ("TH", "THCS"), ("THPT",)]),
    labs=st.lists(
        st.builds(
            Lab, st.integers(1, 3), st.integers(0, 20), st.integers(20, 40), st.none() | st.integers(0, 50)
        ),
        max_size=3,
        unique_by=lambda lab: lab.room_id,
    ).map(tuple),
    classes=st.lists(
        st.builds(
            SchoolClass, st.just("A"), st.sampled_from(["TH", "THCS", "THPT", "MN"]), st.integers(0, 60),
            st.integers(0, 60), st.none() | st.integers(1, 12), st.none() | st.integers(1, 4),
        ),
        max_size=5,
    ).map(tuple),
)  # fmt: skip


@given(st.lists(COUNTS, max_size=6))
def test_bounds_are_bounds_and_sums_are_sums(schools: list[Counts]) -> None:
    lines = [needs.of_school(counts, BY) for counts in schools]
    for line in (line for of_one in lines for line in of_one):
        assert (line.least is None) == bool(line.reason)
        if line.least is not None:
            assert 0 <= line.least <= (line.least if line.most is None else line.most)
            assert line.source.document
            assert line.source.confidence
    for total in needs.add_up(lines, BY):
        own = [line for of_one in lines for line in of_one if line.item == total.item]
        assert total.least == sum(line.least or 0 for line in own)
        assert total.least <= total.most
        assert total.schools <= len(schools)
        assert total.unknown <= len(schools)


def test_every_need_and_number_has_its_words() -> None:
    known = texts.load().entries
    for item in needs.NEEDS:
        assert f"needs.item.{item.id}" in known
        assert f"needs.unit.{item.unit}" in known
    source = Path(needs.__file__).read_text(encoding="utf-8")
    for term in ("taught", "target", "required", "working", "broken", "silent", "known", "bad", "declared"):
        assert f'"{term}"' in source
        assert f"needs.term.{term}" in known
