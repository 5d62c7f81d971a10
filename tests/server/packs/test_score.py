"""Scores by QĐ 4725: provisional ones are marked, and nothing is added up before all of it is known."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server import packs
from schoolwatch_server.packs.criteria import Criteria
from schoolwatch_server.packs.score import score

OTHERS = {"1.1": 1, "1.2": 1, "1.3": 20, "1.4": 8, "1.5": 15, "1.6": 12, "1.7.2": 5, "2.1": 1, "2.2": 1}
SEEN = {"classrooms_equipped": 0.5, "studio": 1.0}


def shipped(name: str) -> Criteria:
    return next(one for one in packs.load().criteria if one.id == name)


def complete() -> Criteria:
    """As a department completes it: the maxima of group 2 typed in, 60 and 40."""
    most = {"2.3": 60.0, "2.4": 40.0}
    pack = shipped("qd4725")
    return msgspec.structs.replace(
        pack,
        criteria=tuple(
            msgspec.structs.replace(one, max=most.get(one.code, one.max)) for one in pack.criteria
        ),
    )


def test_provisional_scores_are_marked_on_their_lines() -> None:
    lines = {line.criterion.code: line for line in score(shipped("qd4725"), {}, SEEN).lines}
    assert (lines["1.7.1"].score, lines["1.7.1"].basis) == (4.0, "provisional")  # 8 × 0.5
    assert (lines["1.7.3"].score, lines["1.7.3"].basis) == (5.0, "provisional")
    assert (lines["1.7.2"].score, lines["1.7.2"].basis) == (None, "missing"), "no source says how to score it"


def test_what_the_school_enters_takes_the_place_of_what_was_guessed() -> None:
    line = next(
        each for each in score(shipped("qd4725"), {"1.7.1": 6}, SEEN).lines if each.criterion.code == "1.7.1"
    )
    assert (line.score, line.basis) == (6, "entered")


def test_no_total_before_every_other_score_is_entered() -> None:
    first = score(complete(), {name: value for name, value in OTHERS.items() if name != "1.4"}, SEEN).groups[
        0
    ]
    assert (first.total, first.why, first.criteria) == (None, "not_entered", ("1.4",))
    first = score(complete(), OTHERS, SEEN).groups[0]
    assert first.total == 20 + 8 + 15 + 12 + 4 + 5 + 5  # 69
    assert first.is_provisional


def test_no_total_of_group_2_before_the_department_gives_its_maxima() -> None:
    scores = score(shipped("qd4725"), OTHERS | {"2.3": 50, "2.4": 40}, SEEN)
    assert (scores.groups[1].total, scores.groups[1].why) == (None, "no_maximum")
    assert scores.groups[1].criteria == ("2.3", "2.4")
    assert (scores.level, scores.why) == (None, "no_maximum")


def test_maxima_that_do_not_add_up_to_the_group_give_no_total() -> None:
    pack = complete()
    wrong = msgspec.structs.replace(
        pack,
        criteria=tuple(
            msgspec.structs.replace(one, max=30.0) if one.code == "2.4" else one for one in pack.criteria
        ),
    )
    assert score(wrong, OTHERS | {"2.3": 50, "2.4": 30}, SEEN).groups[1].why == "maxima_differ"


def test_a_score_above_its_maximum_gives_no_total() -> None:
    assert score(complete(), OTHERS | {"1.4": 11}, SEEN).groups[0].why == "too_high"


def test_the_lower_group_decides() -> None:
    high = score(complete(), OTHERS | {"2.3": 60, "2.4": 40}, SEEN)
    assert (high.groups[0].total, high.groups[1].total, high.level) == (69, 100, 2)
    low = score(complete(), OTHERS | {"2.3": 29, "2.4": 20}, SEEN)
    assert (low.groups[1].total, low.level) == (49, 1)
    assert low.is_provisional


def test_a_mandatory_criterion_is_answered_before_there_is_a_level_and_told_when_it_fails() -> None:
    entered = OTHERS | {"2.3": 60, "2.4": 40}
    unsaid = score(complete(), {name: value for name, value in entered.items() if name != "2.1"}, SEEN)
    assert (unsaid.level, unsaid.why) == (None, "mandatory")
    assert score(complete(), entered | {"2.1": 0}, SEEN).unfulfilled == ("2.1",)


def test_nothing_is_known_of_qd3276_and_nothing_is_made_up() -> None:
    scores = score(shipped("qd3276"), {}, {})
    assert (scores.lines, scores.groups, scores.level, scores.why) == ((), (), None, "no_rule")


POINTS = st.floats(0, 100).map(lambda value: round(value, 1))


@given(st.lists(POINTS, min_size=6, max_size=6), st.sets(st.sampled_from(["1.3", "1.4", "1.5", "1.6"])))
def test_a_level_needs_every_score_and_follows_from_the_lower_total(
    points: list[float], left_out: set[str]
) -> None:
    pack = complete()
    most = {one.code: one.max or 0 for one in pack.criteria}
    codes = ["1.3", "1.4", "1.5", "1.6", "2.3", "2.4"]
    entered = {code: value * most[code] / 100 for code, value in zip(codes, points, strict=True)}
    entered |= {"1.1": 1, "1.2": 1, "2.1": 1, "2.2": 1, "1.7.1": 8, "1.7.2": 7, "1.7.3": 5}
    scores = score(pack, {code: value for code, value in entered.items() if code not in left_out}, {})
    if left_out:
        assert scores.level is None
        assert scores.groups[0].criteria == tuple(sorted(left_out))
        return
    totals = [group.total for group in scores.groups]
    assert None not in totals
    lowest = min(total for total in totals if total is not None)
    assert not scores.is_provisional
    assert scores.level == (3 if lowest > 75 else 2 if lowest >= 50 else 1)


@given(st.dictionaries(st.sampled_from(["classrooms_equipped", "studio"]), st.floats(-1, 2)))
def test_no_provisional_score_is_below_0_or_above_its_maximum(measured: dict[str, float]) -> None:
    for line in score(complete(), {}, measured).lines:
        if line.score is not None:
            assert line.basis == "provisional"
            assert 0 <= line.score <= (line.criterion.max or 0)
