"""Each question says where it comes from, what evidence it wants, and whom it is for."""

import re
from pathlib import Path

from schoolwatch_server import indicators, levels, texts
from schoolwatch_server.claims.questions import BY_ID, FEEDS, QUESTIONS, Criterion, of_school, with_criteria
from schoolwatch_server.packs.asked import questions
from schoolwatch_server.packs.load import load

WORDS = texts.load().entries


def test_every_question_reads_in_both_languages_and_has_its_source() -> None:
    assert len(BY_ID) == len(QUESTIONS) > 25
    for question in QUESTIONS:
        assert question.text_key in WORDS
        assert question.help_key in WORDS
        assert question.document
        assert question.clause
        assert question.confidence in {"V-law", "V-seed", "V-2nd", "P"}
    asked = {q.text_key for q in QUESTIONS} | {q.help_key for q in QUESTIONS}
    kept = {key for key in WORDS if key.startswith(("claim.question.", "claim.help."))}
    assert kept == asked, "a text without its question"


def test_a_file_is_its_own_answer_and_a_choice_has_choices() -> None:
    for question in QUESTIONS:
        assert question.kind != "file" or question.evidence == "yes", question.id
        assert (question.kind == "choice") == bool(question.choices), question.id


def test_preschools_are_not_asked_what_their_decision_does_not_say() -> None:
    asked = {question.id for question in of_school("MN")}
    assert not {id_ for id_ in asked if id_.startswith("qd4725.")}
    assert {"dt_level", "firewall_ips", "website"} <= asked
    assert "studio" not in asked


def test_every_other_level_is_asked_every_criterion_that_no_device_can_tell() -> None:
    criteria = {f"qd4725.{code}" for code in ("1.1", "1.2", "1.3", "1.4", "1.5", "1.6")}
    criteria |= {f"qd4725.{code}" for code in ("2.1", "2.2", "2.3", "2.4")}
    for level in (*(level for level in levels.LEVELS if level != "MN"), ""):
        assert criteria <= {question.id for question in of_school(level)}, level


def test_a_criterion_that_somebody_typed_into_a_pack_is_asked_in_its_words() -> None:
    one = Criterion("qd3276", "1.1", "Kế hoạch", "Plan", "QĐ 3276", "P", ("MN",), is_mandatory=True)
    two = Criterion("qd3276", "2.1", "Phần mềm", "Software", "QĐ 3276", "P", ("MN",), is_mandatory=False)
    known = Criterion("qd4725", "1.3", "khác", "x", "QĐ 4725", "P", ("TH",), is_mandatory=False)
    asked = with_criteria([one, two, known])
    assert (asked["qd3276.1.1"].kind, asked["qd3276.2.1"].kind) == ("yes_no", "score")
    assert asked["qd3276.2.1"].evidence == "yes"
    assert asked["qd4725.1.3"] is BY_ID["qd4725.1.3"], "what is known already stays in its own words"
    preschool = {question.id for question in of_school("MN", asked.values())}
    assert {"qd3276.1.1", "qd3276.2.1"} <= preschool
    assert not {"qd3276.1.1", "qd3276.2.1"} & {question.id for question in of_school("THPT", asked.values())}


def test_every_criterion_of_the_shipped_packs_can_be_declared() -> None:
    packs = load()
    asked = questions(packs)
    wanted = {f"{of.id}.{one.code}" for of in packs.criteria for one in of.criteria}
    assert len(wanted) > 10
    assert wanted <= {*asked}
    assert asked["qd4725.1.7.2"].kind == "score"


def test_every_answer_that_an_indicator_reads_is_read_for_it() -> None:
    files = [file.read_text("utf-8") for file in Path(indicators.__file__).parent.glob("*.py")]
    words = {word for text in files for word in re.findall(r'"([a-z_]+)"', text)}
    read = {question.id for question in QUESTIONS if question.id in words}
    assert {"studio", "firewall_ips", "network_diagram", "backup_restore_test"} <= read
    assert read <= FEEDS
