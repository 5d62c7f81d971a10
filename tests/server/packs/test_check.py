"""What a version must be before it is saved: whatever it names is there, and its pack stays whole."""

from datetime import date
from pathlib import Path

import pytest

from schoolwatch_server import packs
from schoolwatch_server.claims.questions import BY_ID
from schoolwatch_server.pack_versions import Known, VersionError, check
from schoolwatch_server.packs.load import SHIPPED
from schoolwatch_server.packs.sheet import Stored
from schoolwatch_server.strict_yaml import SheetError

DAY = date(2027, 1, 1)
PLAN = "kind: plan\nid: so\nvi: Kế hoạch\nissuer: Sở\nitems:\n- {id: a, vi: A, clause: I, confidence: P%s}\n"


def known(folder: Path, *stored: Stored) -> Known:
    return Known(folder, stored, {"dx_page"})


def shipped(name: str) -> str:
    return (SHIPPED / name).read_text(encoding="utf-8")


QD4725 = shipped("criteria/qd4725.yaml")


def test_a_version_has_the_next_number_whatever_its_text_says(tmp_path: Path) -> None:
    text = PLAN % ""
    assert check("version: 77\n" + text, DAY, known(tmp_path)).sheet.version == 1
    there = known(tmp_path, Stored("so", 4, DAY, text, 0.0, "x"))
    held = check(text, DAY, there)
    assert held.sheet.name == "so@5"
    assert b"version: 5\n" in held.text
    assert check(shipped("network.yaml"), DAY, there).sheet.name == "network@2"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (PLAN % ", indicator: nothing", "unknown_indicator"),
        (PLAN % ", question: nothing", "unknown_question"),
        (PLAN % ", target: 80", "not_a_share"),
        (PLAN % ", indicator: patched, target: 0.8, better: lower", "other_way"),
        (PLAN % ", indicator: students_per_computer, unit: students/computer, target: 8", "other_way"),
        (PLAN % ", indicator: lan_standard, target: 0.8, better: lower", "other_way"),
        (PLAN % "" + "- {id: a, vi: B, clause: I, confidence: P}\n", "written_twice"),
        ((PLAN % "").replace("id: so", "id: network"), "other_kind"),
        (
            shipped("criteria/qd4725.yaml").replace('group: "2", vi: Dịch', 'group: "3", vi: Dịch'),
            "unknown_group",
        ),
        (shipped("criteria/qd4725.yaml").replace('code: "2.4"', 'code: "2.3"'), "written_twice"),
        (shipped("criteria/qd4725.yaml").replace("basic: 50", "basic: 90"), "level_order"),
        (
            shipped("criteria/qd4725.yaml").replace("indicator: studio", "indicator: none"),
            "unknown_indicator",
        ),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(VersionError) as refused:
        check(text, DAY, known(tmp_path))
    assert refused.value.reason == reason


@pytest.mark.parametrize("held", packs.examples(), ids=lambda held: held.sheet.id)
def test_every_example_can_be_taken(tmp_path: Path, held: packs.Held) -> None:
    there = Known(tmp_path, (), BY_ID)
    assert check(held.text.decode(), DAY, there).sheet.id == held.sheet.id


def test_a_question_that_schools_answer_is_taken(tmp_path: Path) -> None:
    assert check(PLAN % ", question: dx_page", DAY, known(tmp_path)).sheet.name == "so@1"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ((PLAN % "").replace("confidence: P", "confidence: sure"), "$.items[0].confidence"),
        (PLAN % ", deadline: soon", "$.items[0].deadline"),
        (PLAN % ", aim: 3", "$.items[0]"),
        ("kind: budget\nid: so\n", "$.kind"),
        ("id: so\nid: so\n", ""),
    ],
)
def test_a_field_that_is_wrong_is_named(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(SheetError) as refused:
        check(text, DAY, known(tmp_path))
    assert refused.value.where == where


def test_an_indicator_that_two_packs_would_define_is_refused(tmp_path: Path) -> None:
    text = shipped("network.yaml").replace("id: network", "id: another")
    with pytest.raises(SheetError, match="another pack defines it too"):
        check(text, DAY, known(tmp_path))


def test_a_day_that_there_is_not_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SheetError, match=r"'2027-02-31' is no day.*line 6"):
        check(PLAN % ", deadline: 2027-02-31", DAY, known(tmp_path))
