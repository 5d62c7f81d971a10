"""Each question says where it comes from, what evidence it wants, and whom it is for."""

from schoolwatch_server import levels, texts
from schoolwatch_server.claims.questions import BY_ID, QUESTIONS, of_school

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
