"""The indicators of the catalogue on schools that were computed by hand; the sums stand beside each case."""

from dataclasses import replace

import pytest

from judging import AT, DAY, judged, said
from schoolwatch_server import indicators
from schoolwatch_server.indicators.facts import (
    Assets,
    Classrooms,
    Lab,
    LabUse,
    Pair,
    Said,
    SchoolClass,
)
from schoolwatch_server.indicators.indicator import Counts


def group(stage: str, taught: int, room: int | None = 1, grade: int | None = None) -> SchoolClass:
    return SchoolClass(f"{grade or ''}{stage}", stage, taught, taught, grade, room)


def lab(room: int = 1, working: int = 20, known: int = 20, declared: int | None = 20, by_hand=None) -> Lab:
    return Lab(room, working, known, declared, by_hand)


# --- I-02: pupils that share a computer in a lesson ---------------------------------------------------------

LESSON = "students_per_computer_in_lesson"


def school(stages: tuple[str, ...], classes: tuple, labs: tuple = (lab(),), **more) -> Counts:
    return Counts(stages=stages, classes=classes, labs=labs, **more)


@pytest.mark.parametrize(
    ("counts", "value", "target", "meets", "reason"),
    [
        # THCS: 35 and 40 pupils on 20 computers: 40 / 20 = 2.0, which is just allowed
        (school(("THCS",), (group("THCS", 35), group("THCS", 40))), 2.0, 2, True, ""),
        # one more pupil in the largest class: 41 / 20 = 2.05
        (school(("THCS",), (group("THCS", 35), group("THCS", 41))), 2.05, 2, False, ""),
        # THPT: 40 / 40 = 1.0 is allowed, 40 / 39 is not
        (school(("THPT",), (group("THPT", 40),), (lab(1, 40, 40, 40),)), 1.0, 1, True, ""),
        (school(("THPT",), (group("THPT", 40),), (lab(1, 39, 40, 40),)), 40 / 39, 1, False, ""),
        # the worst class is the one with the worst lab, not the largest: 45/30 = 1.5, 24/8 = 3.0
        (
            school(
                ("THCS",),
                (group("THCS", 45, 1), group("THCS", 24, 2)),
                (lab(1, 30, 30, 30), lab(2, 8, 8, 8)),
            ),
            3.0, 2, False, "",
        ),
        # a lab that two campuses share serves one class at a time: 30/20, never (30+28)/20
        (school(("TH",), (group("TH", 30), group("TH", 28))), 1.5, 2, True, ""),
        # TH&THCS: TH 36/20 = 1.8, THCS 44/20 = 2.2: the worst is told
        (school(("TH", "THCS"), (group("TH", 36), group("THCS", 44))), 2.2, 2, False, ""),
        # THCS&THPT: 38/20 = 1.9 of 2 is near, 24/20 = 1.2 of 1 is over: the smaller ratio is the worst
        (school(("THCS", "THPT"), (group("THCS", 38), group("THPT", 24))), 1.2, 1, False, ""),
        # a class of 0 is nobody's lesson: 30/20
        (school(("THCS",), (group("THCS", 0), group("THCS", 30))), 1.5, 2, True, ""),
        (school(("THCS",), (group("THCS", 0),)), None, None, None, "no_students"),
        (school(("THCS",), ()), None, None, None, "no_classes"),
        # all 20 computers are broken: that is known, there is no ratio, and it is not met
        (school(("THCS",), (group("THCS", 30),), (lab(1, 0, 20, 20),)), None, 2, False, "none_working"),
        # 8 of 20 computers are known, 40 %: 40/8 = 5 is neither told nor held against the school
        (
            school(("THCS",), (group("THCS", 40),), (lab(1, 8, 8, 20),)),
            None, 2, None, "coverage_below_floor",
        ),
        # 12 seen, 8 without an agent were found working by hand: 40 / (12+8) = 2.0
        (school(("THCS",), (group("THCS", 40),), (lab(1, 12, 12, 20, 8),)), 2.0, 2, True, ""),
        # two labs and a class of which nobody said which: nothing is guessed
        (
            school(("THCS",), (group("THCS", 40, None),), (lab(1), lab(2))),
            None, None, None, "no_lab",
        ),
        # with a single lab it can be no other: 40/20
        (school(("THCS",), (group("THCS", 40, None),)), 2.0, 2, True, ""),
        # the lab of one of two classes is unknown: half of the classes is under the floor
        (
            school(("THCS",), (group("THCS", 40, 1), group("THCS", 20, None)), (lab(1), lab(2))),
            None, 2, None, "coverage_below_floor",
        ),
        # Informatics begins in grade 3: 50 in grade 1 are no lesson, 30/20 in grade 3
        (school(("TH",), (group("TH", 50, grade=1), group("TH", 30, grade=3))), 1.5, 2, True, ""),
        (school(("MN",), ()), None, None, None, "not_applicable"),
        # continuing education: 30/20 is told, and nothing is asked of it
        (school(("GDTX",), (group("GDTX", 30),)), 1.5, None, None, ""),
        (school(("THCS",), (group("THCS", 30),), (lab(declared=0),)), None, 2, None, "nothing_declared"),
        # the lab's number is not declared: the school's is, 20 of 25 known are 80 %
        (
            school(
                ("THCS",), (group("THCS", 40),), (lab(declared=None),),
                student_devices_declared=25, student_devices_known=20,
            ),
            2.0, 2, True, "",
        ),
        (school(("THCS",), (group("THCS", 40),), (lab(declared=None),)), None, 2, None, "not_declared"),
    ],
)  # fmt: skip
def test_the_worst_class_counts(counts: Counts, value, target, meets, reason: str) -> None:
    got = judged(LESSON, counts)
    assert got.value == (None if value is None else pytest.approx(value))
    assert (got.target, got.meets, got.reason) == (target, meets, reason)
    assert (got.code, got.basis) == ("I-02", "hybrid")


def test_a_split_class_is_its_largest_group() -> None:
    # 44 pupils taught in groups of 22: 22 / 20
    split = SchoolClass("6A", "THCS", 44, 22, 6, 1)
    assert judged(LESSON, school(("THCS",), (split,))).value == pytest.approx(1.1)


def test_a_school_of_two_levels_tells_each_of_them() -> None:
    got = judged(LESSON, school(("TH", "THCS"), (group("TH", 36), group("THCS", 44))))
    assert [(s.stage, s.value, s.target, s.meets) for s in got.stages] == [
        ("TH", pytest.approx(1.8), 2, True),
        ("THCS", pytest.approx(2.2), 2, False),
    ]


def test_below_the_floor_the_declared_ratio_is_there_beside_it() -> None:
    # 8 of 20 are known; by the school's own number it is 40 / 20
    got = judged(LESSON, school(("THCS",), (group("THCS", 40),), (lab(1, 8, 8, 20),)))
    assert (got.value, got.declared, got.declared_state, got.declared_at) == (None, 2.0, "declared", AT)
    assert got.coverage == pytest.approx(0.4)


def test_a_commune_has_the_share_of_its_schools_that_meet_it() -> None:
    good = school(("THCS",), (group("THCS", 40),))
    bad = school(("THCS",), (group("THCS", 50),))
    broken = school(("THCS",), (group("THCS", 30),), (lab(1, 0, 20, 20),))
    kindergarten = school(("MN",), ())
    # 2 of 4 schools meet it; a school whose computers are all broken does not, a preschool is not asked
    got = judged(LESSON, good, good, bad, broken, kindergarten, level="commune")
    assert (got.value, got.numerator, got.denominator, got.coverage) == (0.5, 2, 4, 1.0)
    assert (got.unit, got.better, got.target, got.meets) == ("ratio", "higher", 1.0, False)
    # 3 of 4 known are 75 %
    unknown = school(("THCS",), ())
    got = judged(LESSON, good, good, bad, unknown, level="province")
    assert (got.value, got.coverage, got.reason) == (None, 0.75, "few_schools")
    assert judged(LESSON, kindergarten, level="commune").reason == "not_applicable"


def test_a_commune_of_which_too_little_is_seen_has_what_its_schools_declare() -> None:
    # 8 of 20 computers of each are known; by their own numbers it is 40/20 and 50/20: one of two meets it
    unseen = (lab(1, 8, 8, 20),)
    one, other = (school(("THCS",), (group("THCS", pupils),), unseen) for pupils in (40, 50))
    got = judged(LESSON, one, other, level="commune")
    assert (got.value, got.declared, got.declared_state) == (None, 0.5, "declared")
    # where one of two has declared nothing, that is half of them: under the floor too
    assert judged(LESSON, one, school(("THCS",), ()), level="commune").declared is None
    # I-03: 400 + 600 pupils on 20 + 20 declared computers
    small = Counts(students_declared=400, student_devices_declared=20)
    large = replace(small, students_declared=600)
    whole = judged("students_per_computer", small, large, level="province")
    assert (whole.value, whole.declared, whole.declared_state) == (None, 25.0, "declared")


# --- I-03: the whole school -----------------------------------------------------------------------------


def test_computers_without_an_agent_count_by_hand() -> None:
    counts = Counts(
        students_declared=400,
        student_devices_declared=20,
        student_devices_known=12,
        student_devices_working=12,
        labs=(lab(1, 12, 12, 20, by_hand=8),),
    )
    got = judged("students_per_computer", counts)
    assert (got.value, got.denominator, got.coverage) == (20.0, 20, 1.0)  # 400 / (12 + 8)
    assert got.declared == 20.0  # 400 / 20
    without = judged("students_per_computer", replace(counts, labs=()))
    assert (without.value, without.coverage, without.declared) == (None, 0.6, 20.0)


def test_pupils_without_informatics_share_no_computer() -> None:
    # TH of 300: 60 in grade 1 and 60 in grade 2 have none, 180 are left on 12 computers: 15
    young = (group("TH", 60, grade=1), group("TH", 60, grade=2), group("TH", 60, grade=3))
    counts = Counts(
        stages=("TH",),
        students_declared=300,
        student_devices_declared=12,
        student_devices_known=12,
        student_devices_working=12,
    )
    assert judged("students_per_computer", replace(counts, classes=young)).value == 15.0
    # a list that is not complete makes nothing better: 300/12, or less the 60 that are in it
    assert judged("students_per_computer", counts).value == 25.0
    assert judged("students_per_computer", replace(counts, classes=young[:1])).value == 20.0
    # a THCS class has Informatics, whatever its grade is written as
    of_thcs = (group("THCS", 60, grade=1),)
    assert judged("students_per_computer", replace(counts, classes=of_thcs)).value == 25.0
    assert judged("students_per_computer", replace(counts, classes=(group("TH", 400, grade=1),))).reason == (
        "no_students"
    )


def test_a_school_without_pupils_is_no_part_of_the_commune() -> None:
    full = Counts(
        students_declared=400,
        student_devices_declared=20,
        student_devices_known=20,
        student_devices_working=20,
    )
    closed = replace(full, students_declared=0)
    assert judged("students_per_computer", closed).reason == "no_students"
    got = judged("students_per_computer", full, closed, level="commune")
    assert (got.value, got.denominator) == (20.0, 20)  # 400 / 20, not 400 / 40


# --- rooms: I-01, I-05, I-13 --------------------------------------------------------------------------------


def test_rooms_are_equipped_connected_or_unknown() -> None:
    # 10 rooms, of 9 it is known, 6 project and are connected: 6/10, at least; 8 connected, 3 by hand alone
    rooms = Classrooms(rooms=10, connected=8, connected_by_hand=3, equipped=6, equipped_known=9)
    got = judged("classrooms_equipped", Counts(classrooms=rooms))
    assert (got.value, got.coverage) == (0.6, 0.9)
    assert got.parts == (("by_computer", 5), ("by_hand", 3), ("not_shown", 2))
    network = judged("classrooms_connected", Counts(classrooms=rooms))
    assert (network.value, network.coverage) == (0.8, 0.8)
    few = judged("classrooms_connected", Counts(classrooms=replace(rooms, connected=7)))
    assert (few.value, few.coverage, few.reason) == (None, 0.7, "coverage_below_floor")
    assert judged("classrooms_equipped", Counts()).reason == "no_rooms"


def test_lower_secondary_schools_need_a_lab() -> None:
    rooms = Classrooms(rooms=3)
    none = judged("informatics_rooms", Counts(stages=("THCS",), classrooms=rooms))
    assert (none.reason, none.meets) == ("", False)
    assert (none.value, none.target) == (0, 1)
    one = Counts(stages=("THCS",), classrooms=rooms, labs=(lab(),))
    assert (judged("informatics_rooms", one).value, judged("informatics_rooms", one).meets) == (1, True)
    primary = judged("informatics_rooms", replace(one, stages=("TH",)))
    assert (primary.value, primary.target, primary.meets) == (1, None, None)
    # what is asked of primary schools was not found: they are not counted among those that are asked
    assert judged("informatics_rooms", one, replace(one, stages=("TH",)), level="commune").denominator == 1


# --- safeguards and equipment: I-17 to I-27 -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "field", "code"),
    [
        ("host_firewall", "firewall", "I-19a"),
        ("patched", "patched", "I-20"),
        ("supported_system", "supported", "I-20a"),
        ("usb_autorun_off", "autorun_off", "I-22a"),
        ("attachments_marked", "attachments_marked", "I-22b"),
        ("due_for_replacement", "due", "I-24"),
        ("account_rules", "accounts", "I-27"),
        ("issued_antivirus", "issued", "I-17"),
    ],
)
def test_shares_of_computers(name: str, field: str, code: str) -> None:
    # 6 of 8 known, 8 of 10 declared are the floor; 4 of 10 are 40 %, not enough
    counts = Counts(devices_declared=10, issued_named=True)
    got = judged(name, replace(counts, **{field: Pair(6, 8)}))
    assert (got.value, got.coverage, got.code) == (0.75, 0.8, code)
    few = judged(name, replace(counts, **{field: Pair(4, 4)}))
    assert (few.value, few.coverage, few.reason) == (None, 0.4, "coverage_below_floor")
    assert judged(name, replace(counts, devices_declared=None)).reason == "not_declared"


def test_without_a_name_nobody_lacks_the_issued_antivirus() -> None:
    got = judged("issued_antivirus", Counts(devices_declared=10, issued=Pair(0, 10)))
    assert (got.value, got.numerator, got.reason) == (None, None, "no_product")


def test_servers_are_backed_up_or_there_is_none() -> None:
    got = judged("backup", Counts(servers=2, backed_up=Pair(1, 2), said=said(backup_restore_test=1)))
    assert (got.value, got.declared, got.parts) == (0.5, None, (("restore_tested", 1),))
    assert judged("backup", Counts()).reason == "nothing_to_count"
    old = {"backup_restore_test": Said(1, "accepted", AT - 366 * DAY)}
    assert judged("backup", Counts(servers=2, said=old)).parts == (("restore_tested", 0),)


def test_equipment_without_a_record_counts() -> None:
    # 30 records, 24 of them complete, 10 computers that no record is about: 24 / 40
    got = judged("digital_records", Counts(assets=Assets(30, 24, 10)))
    assert (got.value, got.numerator, got.denominator) == (0.6, 24, 40)
    assert judged("digital_records", Counts()).reason == "no_assets"


def test_the_use_of_labs_is_a_mean_of_those_that_may_be_told() -> None:
    # 5 labs, 4 told: 360 hours on 120 computer days are 3 hours a day
    got = judged("lab_use", Counts(use=LabUse(5, 4, 360 * 3600.0, 120)))
    assert (got.value, got.coverage, got.unit) == (3.0, 0.8, "hours/day")
    few = judged("lab_use", Counts(use=LabUse(5, 2, 360 * 3600.0, 120)))
    assert (few.value, few.coverage) == (None, 0.4)
    assert judged("lab_use", Counts()).reason == "no_use"


# --- what only schools say: I-04, I-06, I-18, I-19, I-21 ----------------------------------------------


@pytest.mark.parametrize(
    ("name", "question", "no", "yes"),
    [
        ("studio", "studio", 0, 1),
        ("digital_transformation_level", "dt_level", 1, 2),
        ("licensed_antivirus", "licensed_antivirus", 0, 1),
        ("network_firewall", "firewall_ips", 0, 1),
        ("licensed_software", "licensed_software", 0, 1),
    ],
)
def test_an_accepted_answer_counts_and_an_open_question_is_unknown(name, question, no, yes) -> None:
    schools = [Counts(said=said(**{question: value})) for value in (yes, yes, yes, no)]
    got = judged(name, schools[0])
    assert (got.value, got.meets, got.basis, got.declared_state) == (yes, True, "declared", "accepted")
    assert judged(name, schools[3]).meets is False
    # 3 of 4 schools; a fifth that has not answered leaves 4 of 5, two leave 4 of 6 = 67 %
    assert judged(name, *schools, Counts(), level="province").value == 0.75
    many = judged(name, *schools, Counts(), Counts(), level="province")
    assert (many.value, many.reason) == (None, "few_schools")
    assert judged(name, Counts()).reason == "no_claim"


def test_every_code_of_the_catalogue_is_there_once() -> None:
    codes = [indicator.code for indicator in indicators.INDICATORS]
    assert len(set(codes)) == len(codes)
    wanted = {f"I-{n:02d}" for n in (1, 2, 3, 4, 5, 6, *range(10, 15), *range(16, 29), 31)} - {"I-22"}
    assert wanted | {"I-15a", "I-15b", "I-15c", "I-22a", "I-22b"} <= set(codes)
