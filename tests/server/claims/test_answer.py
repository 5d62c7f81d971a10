"""What is typed becomes a number or is refused in words; what an answer lacks is said."""

from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server.claims.answer import AnswerError, lacks, parse, typed
from schoolwatch_server.claims.questions import BY_ID, QUESTIONS

TODAY = date(2026, 11, 29)
DAY = "2026-11-20"


def value(question: str, text: str) -> float | None:
    return parse(BY_ID[question], text, "", DAY, TODAY).value


def fault(question: str, text: str, note: str = "", day: str = DAY, most: float = 100.0) -> str:
    with pytest.raises(AnswerError) as error:
        parse(BY_ID[question], text, note, day, TODAY, most)
    return error.value.fault


def test_numbers_are_read_as_people_here_write_them() -> None:
    assert value("studio", "yes") == 1
    assert value("studio", "no") == 0
    assert value("expenditure_share", "1,5") == 0.015
    assert value("expenditure_share", "1.5") == 0.015
    assert value("expenditure_share", "100") == 1
    assert value("qd4725.1.3", " 21,25 ") == 21.25
    assert value("dt_level", "2") == 2
    assert value("it_staff", "3") == 3
    assert value("network_diagram", "whatever") is None


@pytest.mark.parametrize(
    ("question", "text", "says"),
    [
        ("studio", "", "yes_no"),
        ("studio", "1", "yes_no"),
        ("expenditure_share", "100,01", "share"),
        ("expenditure_share", "-1", "share"),
        ("expenditure_share", "1.000,5", "share"),
        ("expenditure_share", "٣", "share"),
        ("qd4725.1.3", "nan", "score"),
        ("qd4725.1.3", "1e2", "score"),
        ("qd4725.1.3", "", "score"),
        ("dt_level", "4", "choice"),
        ("dt_level", "²", "choice"),
        ("it_staff", "1,5", "number"),
        ("it_staff", "٣", "number"),
    ],
)
def test_what_is_no_answer_is_refused(question: str, text: str, says: str) -> None:
    assert fault(question, text) == says


def test_a_score_is_not_above_what_the_criterion_gives() -> None:
    assert parse(BY_ID["qd4725.1.3"], "30", "", DAY, TODAY, 30).value == 30
    assert fault("qd4725.1.3", "30,5", most=30) == "score"


def test_the_day_is_a_day_that_has_been() -> None:
    assert fault("studio", "yes", day="20/11/2026") == "day"
    assert fault("studio", "yes", day="2026-11-30") == "future"
    assert fault("studio", "yes", day="0001-01-01") == "day"
    assert parse(BY_ID["studio"], "yes", "", "2026-11-29", TODAY).as_of == TODAY


def test_an_address_is_one() -> None:
    good = parse(BY_ID["website"], "", " https://thcs-a.edu.vn/ ", DAY, TODAY)
    assert (good.value, good.text) == (None, "https://thcs-a.edu.vn/")
    for note in ("thcs-a.edu.vn", "javascript:alert(1)", "https://a b.vn", "https://", "http://[1", ""):
        assert fault("website", "", note) == "address"
    assert fault("website", "", "https://me:secret@thcs-a.edu.vn") == "address", "no login in an address"
    assert fault("studio", "yes", "x" * 501) == "note"


def test_evidence_is_wanted_where_the_question_says_so() -> None:
    day = TODAY
    assert lacks(BY_ID["studio"], 1, 0, day, TODAY) == ("evidence",)
    assert lacks(BY_ID["studio"], 0, 0, day, TODAY) == (), "who says no proves nothing"
    assert lacks(BY_ID["studio"], 1, 1, day, TODAY) == ()
    assert lacks(BY_ID["network_diagram"], None, 0, day, TODAY) == ("evidence",)
    assert lacks(BY_ID["website"], None, 0, day, TODAY) == ()


def test_an_answer_grows_old_by_whole_months() -> None:
    diagram = BY_ID["network_diagram"]
    assert lacks(diagram, None, 1, date(2025, 11, 30), TODAY) == ()
    assert lacks(diagram, None, 1, date(2025, 11, 29), TODAY) == ("old",)
    assert lacks(BY_ID["studio"], 1, 1, date(2010, 1, 1), TODAY) == (), "a room does not grow old by itself"


NUMBERS = [q for q in QUESTIONS if q.kind in {"yes_no", "share", "score", "choice", "number"}]


@given(st.sampled_from(NUMBERS), st.integers(0, 10_000), st.sampled_from(("vi", "en")), st.integers(0, 9000))
def test_what_is_shown_again_is_read_again_as_the_same(question, hundredths, language, back) -> None:
    raw = {
        "yes_no": float(hundredths % 2),
        "share": hundredths / 10_000,
        "score": hundredths / 100,
        "choice": float(question.choices[hundredths % len(question.choices)] if question.choices else 0),
        "number": float(hundredths),
    }[question.kind]
    day = (TODAY - timedelta(days=back)).isoformat()
    again = parse(question, typed(question, raw, language), "", day, TODAY)
    assert again.value == pytest.approx(raw, abs=1e-9)


@given(st.sampled_from(QUESTIONS), st.text(max_size=20), st.text(max_size=20), st.text(max_size=12))
def test_whatever_is_typed_is_an_answer_or_a_fault(question, text, note, day) -> None:
    with suppress(AnswerError):
        answer = parse(question, text, note, day, TODAY)
        assert answer.value is None or 0 <= answer.value <= 10_000_000
