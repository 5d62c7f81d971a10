"""Hand-computed indicators: every number below was worked out on paper from the counts beside it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server import indicators, packs
from schoolwatch_server.indicators.indicator import Counts
from schoolwatch_server.indicators.judge import judge
from schoolwatch_server.packs import Packs
from schoolwatch_server.state import Posture

PACKS = packs.load()
BY_ID = {indicator.id: indicator for indicator in indicators.INDICATORS}
AT = 1_800_000_000.0


def judged(name: str, *schools: Counts, level="school", rules: Packs = PACKS):
    return judge(BY_ID[name], schools, rules, level=level, place_id=1, at=AT)


def lab(**changes) -> Counts:
    """A school with 10 declared devices, 8 of them student computers, all of them fine."""
    numbers = {
        "devices_declared": 10,
        "students_declared": 120,
        "student_devices_declared": 8,
        "devices_enrolled": 10,
        "devices_heard": 10,
        "student_devices_known": 8,
        "student_devices_working": 8,
        "protected_yes": 10,
        "protected_known": 10,
        "link_known": 10,
        "wired": 8,
        "wired_100": 8,
        "wired_1000": 4,
        "ipv6_known": 10,
        "ipv6_rung": (1, 0, 2, 0, 1, 6),
    }
    return Counts(**(numbers | changes))


@pytest.mark.parametrize(
    ("name", "changes", "value", "numerator", "denominator", "coverage", "reason"),
    [
        # 120 students on 8 computers
        ("students_per_computer", {}, 15.0, 120, 8, 1.0, ""),
        # 2 of 8 declared computers are broken: known, and not working
        ("students_per_computer", {"student_devices_working": 6}, 20.0, 120, 6, 1.0, ""),
        # 2 of 8 have not been heard: 75 % known is under the floor of 80 %
        (
            "students_per_computer",
            {"student_devices_working": 6, "student_devices_known": 6},
            None, 120, 6, 0.75, "coverage_below_floor",
        ),
        ("students_per_computer", {"students_declared": None}, None, None, 8, None, "not_declared"),
        ("students_per_computer", {"student_devices_declared": None}, None, 120, 8, None, "not_declared"),
        ("students_per_computer", {"student_devices_declared": 0}, None, 120, 8, None, "nothing_declared"),
        # all declared computers are known, and every one of them is broken
        ("students_per_computer", {"student_devices_working": 0}, None, 120, 0, 1.0, "none_working"),
        # nobody to share a computer with is no ratio of 0
        ("students_per_computer", {"students_declared": 0}, None, 0, 8, 1.0, "no_students"),
        ("antivirus_coverage", {}, 1.0, 10, 10, 1.0, ""),
        # 6 of 8 known; 8 of 10 are exactly the floor
        ("antivirus_coverage", {"protected_yes": 6, "protected_known": 8}, 0.75, 6, 8, 0.8, ""),
        (
            "antivirus_coverage",
            {"protected_yes": 7, "protected_known": 7},
            None, 7, 7, 0.7, "coverage_below_floor",
        ),
        ("antivirus_coverage", {"devices_declared": None}, None, 10, 10, None, "not_declared"),
        ("antivirus_coverage", {"protected_yes": 0}, 0.0, 0, 10, 1.0, ""),
        # twelve devices where ten are declared: covered, not over-covered
        ("antivirus_coverage", {"protected_yes": 9, "protected_known": 12}, 0.75, 9, 12, 1.0, ""),
        ("ipv6_ladder", {}, 0.6, 6, 10, 1.0, ""),
        ("ipv6_ladder", {"ipv6_known": 5, "ipv6_rung": (0, 0, 0, 0, 0, 5)}, None, 5, 5, 0.5,
         "coverage_below_floor"),
        # 8 wired and 2 on Wi-Fi: the latter are covered and not counted
        ("wired_links_100", {}, 1.0, 8, 8, 1.0, ""),
        ("wired_links_1000", {}, 0.5, 4, 8, 1.0, ""),
        ("wired_links_1000", {"wired": 0, "wired_100": 0, "wired_1000": 0}, None, 0, 0, 1.0,
         "nothing_to_count"),
        ("telemetry_coverage", {}, 1.0, 10, 10, 1.0, ""),
        # that seven are silent is known: the value is told, and it is no good one
        ("telemetry_coverage", {"devices_heard": 3}, 0.3, 3, 10, 1.0, ""),
        ("telemetry_coverage", {"devices_heard": 12}, 1.0, 10, 10, 1.0, ""),
        ("telemetry_coverage", {"devices_declared": None}, None, 10, None, None, "not_declared"),
        ("telemetry_coverage", {"devices_declared": 0}, None, 0, 0, None, "nothing_declared"),
    ],
)  # fmt: skip
def test_one_school(name: str, changes: dict, value, numerator, denominator, coverage, reason: str) -> None:
    got = judged(name, lab(**changes))
    assert (got.value, got.numerator, got.denominator) == (value, numerator, denominator)
    assert got.coverage == (None if coverage is None else pytest.approx(coverage))
    assert (got.reason, got.status) == (reason, "not_enough_data" if reason else "ok")


def test_an_empty_school_has_no_value_and_no_zero_and_fails_nothing() -> None:
    for name in BY_ID:
        got = judged(name, Counts())
        assert (got.status, got.value, got.meets) == ("not_enough_data", None, None), name
        assert got.reason, name
        assert not got.coverage, name


def test_a_commune_adds_up_its_schools() -> None:
    # 120 + 60 students on 8 + 4 computers
    got = judged(
        "students_per_computer", lab(), lab(students_declared=60, student_devices_working=4), level="commune"
    )
    assert (got.value, got.numerator, got.denominator, got.coverage) == (15.0, 180, 12, 1.0)


def test_a_school_without_declaration_stays_out_and_lowers_the_coverage() -> None:
    undeclared = lab(devices_declared=None, protected_yes=0)
    four = judged("antivirus_coverage", lab(), lab(), lab(), lab(), undeclared, level="commune")
    assert (four.value, four.numerator, four.denominator) == (1.0, 40, 40)
    assert four.coverage == pytest.approx(4 / 5)
    three = judged("antivirus_coverage", lab(), lab(), lab(), undeclared, level="commune")
    assert (three.value, three.coverage, three.reason) == (None, 0.75, "coverage_below_floor")


def test_a_school_with_too_many_devices_hides_no_silent_one() -> None:
    crowded = lab(protected_yes=20, protected_known=20)
    silent = lab(protected_yes=0, protected_known=0, devices_heard=0)
    got = judged("antivirus_coverage", crowded, silent, level="province")
    assert (got.value, got.numerator, got.denominator, got.coverage) == (None, 20, 20, 0.5)
    heard = judged("telemetry_coverage", lab(devices_heard=20), silent, level="province")
    assert (heard.value, heard.numerator, heard.denominator) == (0.5, 10, 20)


def test_telemetry_of_a_province_where_few_declared_is_not_told() -> None:
    rest = [lab(devices_declared=None) for _ in range(9)]
    got = judged("telemetry_coverage", lab(), *rest, level="province")
    assert (got.value, got.coverage, got.reason) == (None, pytest.approx(0.1), "coverage_below_floor")


def test_the_ladder_has_a_count_for_each_rung() -> None:
    got = judged("ipv6_ladder", lab(), lab(devices_declared=None), level="commune")
    assert got.parts == (("none", 2), ("0", 0), ("1", 4), ("2", 0), ("3", 2), ("4", 12))


def test_every_value_carries_its_source_pack_and_numbers() -> None:
    for name in BY_ID:
        got = judged(name, lab())
        assert got.source.document
        assert got.pack == PACKS.of(name).name
        assert {line.kind for line in got.lines} >= {"floor", "window"}
        assert all(line.source.confidence for line in got.lines)
    links = judged("wired_links_1000", lab())
    assert [line.value for line in links.lines if line.kind == "threshold"] == [1e9]
    reference = [line for line in judged("students_per_computer", lab()).lines if line.kind == "reference"]
    assert {(line.applies_to, line.value) for line in reference} == {
        (("TH",), 24.0),
        (("THCS",), 16.0),
        (("THPT",), 12.0),
    }


small = st.integers(0, 60)
perhaps = st.none() | small


@st.composite
def schools(draw: st.DrawFn) -> Counts:
    """Any counts that a database could give, also absurd ones: more devices than declared, none at all."""
    known, links, wired = draw(small), draw(small), draw(small)
    rungs = tuple(draw(small) for _ in range(6))
    working = draw(small)
    wired = min(wired, links)
    fast = draw(st.integers(0, wired))
    return Counts(
        devices_declared=draw(perhaps),
        students_declared=draw(perhaps),
        student_devices_declared=draw(perhaps),
        devices_enrolled=draw(small),
        devices_heard=draw(small),
        student_devices_known=working + draw(small),
        student_devices_working=working,
        protected_yes=draw(st.integers(0, known)),
        protected_known=known,
        link_known=links,
        wired=wired,
        wired_100=fast,
        wired_1000=draw(st.integers(0, fast)),
        ipv6_known=sum(rungs),
        ipv6_rung=rungs,
    )


@given(st.lists(schools(), min_size=1, max_size=6), st.sampled_from(sorted(BY_ID)))
def test_a_value_is_in_range_and_never_there_below_the_floor(places: list[Counts], name: str) -> None:
    floor = PACKS.of(name).coverage_floor.value
    for level in ("school", "commune"):
        members = places[:1] if level == "school" else places
        got = judged(name, *members, level=level)
        assert (got.value is None) == (got.status == "not_enough_data") == bool(got.reason)
        assert got.coverage is None or 0 <= got.coverage <= 1
        if got.value is None:
            continue
        assert math.isfinite(got.value)
        assert got.value >= 0
        assert got.unit != "ratio" or got.value <= 1
        assert got.coverage is not None
        assert got.coverage >= floor
        assert got.denominator > 0


SUMS = sorted(name for name, indicator in BY_ID.items() if not indicator.counts_schools)


@given(schools(), st.integers(2, 5), st.sampled_from(SUMS))
def test_equal_schools_add_up_to_the_same_value(counts: Counts, times: int, name: str) -> None:
    one = judged(name, counts)
    many = judged(name, *[counts] * times, level="commune")
    assert many.value == (None if one.value is None else pytest.approx(one.value))
    assert bool(many.reason) == bool(one.reason)


def test_indicators_group_by_what_the_posture_says() -> None:
    assert set(Posture.__struct_fields__) == {
        "protected",
        "ipv6_rung",
        "link_speed",
        "link_medium",
        "antivirus",
        "windows_activated",
        "office_activated",
    }
