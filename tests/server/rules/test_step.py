"""A rule over time: what opens, what closes, and what late, repeated or unknown evidence does."""

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server import rules
from schoolwatch_server.rules.step import Evidence, RuleState, step

(RULE,) = [rule for rule in rules.load() if rule.id == "antivirus_off"]
PATIENT = msgspec.structs.replace(RULE, close_after=300.0)
T = 1_800_000_000.0


FINE = RuleState(taken_at=T - 3600, version=RULE.version)
"""A computer that was judged before, and had no fault then."""


def play(*evidence: tuple, rule=RULE, state: RuleState = FINE) -> list[tuple[str, float, float, bool]]:
    """Events of (minute, value[, "late"]) in the order of arrival: (kind, since, at, late), in minutes."""
    events = []
    for number, (minute, value, *late) in enumerate(evidence):
        seen = Evidence(number, T + minute * 60)
        state, event = step(rule, value, state, seen, late=bool(late))
        if event is not None:
            events.append((event.kind, (event.since - T) / 60, (event.at - T) / 60, event.late))
    return events


def test_it_opens_after_ten_minutes_and_closes_on_recovery() -> None:
    assert play((0, False), (5, True), (10, True), (15, True), (20, True), (25, False)) == [
        ("opened", 5, 15, False),
        ("closed", 25, 25, False),
    ]


def test_it_opens_at_ten_minutes_and_not_before() -> None:
    assert play((0, True), (9.99, True)) == []
    assert play((0, True), (10, True)) == [("opened", 0, 10, False)]


def test_a_short_trouble_opens_nothing() -> None:
    assert play((0, True), (5, True), (9, False), (12, True), (20, True)) == []


def test_a_computer_that_was_off_meanwhile_opens_when_it_is_back_and_still_bad() -> None:
    assert play((0, True), (3000, True)) == [("opened", 0, 3000, False)]


def test_unknown_neither_opens_nor_closes() -> None:
    assert play((0, True), (5, None), (20, None)) == []
    assert play((0, True), (5, None), (20, True)) == [("opened", 0, 20, False)]
    assert play((0, True), (10, True), (15, None), (20, None)) == [("opened", 0, 10, False)]


def test_late_readings_raise_nothing_by_themselves() -> None:
    assert play((0, True, "late"), (10, True, "late"), (60, True, "late")) == []


def test_a_condition_still_true_in_the_newest_envelope_opens_and_is_marked_late() -> None:
    assert play((0, True, "late"), (10, True, "late"), (60, True)) == [("opened", 0, 60, True)]


def test_late_readings_that_have_recovered_open_nothing() -> None:
    assert play((0, True, "late"), (10, True, "late"), (60, False)) == []


def test_a_late_recovery_closes() -> None:
    assert play((0, True), (10, True), (15, False, "late")) == [
        ("opened", 0, 10, False),
        ("closed", 15, 15, True),
    ]


def test_evidence_older_than_what_was_judged_changes_nothing() -> None:
    assert play((0, True), (10, True), (5, False, "late")) == [("opened", 0, 10, False)]
    assert play((20, False), (0, True, "late"), (25, True), (30, True)) == []


def test_an_open_incident_does_not_open_again() -> None:
    assert play((0, True), (10, True), (20, True), (60, True)) == [("opened", 0, 10, False)]


def test_it_can_open_again_after_it_closed() -> None:
    kinds = [kind for kind, *_ in play((0, True), (10, True), (11, False), (12, True), (22, True))]
    assert kinds == ["opened", "closed", "opened"]


def test_a_rule_may_wait_before_it_closes() -> None:
    events = play(
        (0, True), (10, True), (12, False), (14, True), (16, False), (20, False), (21, False), rule=PATIENT
    )
    assert events == [("opened", 0, 10, False), ("closed", 16, 21, False)]


def test_the_evidence_of_beginning_and_end_is_kept() -> None:
    first = Evidence(1, T, {"antivirus.products": 0.0})
    last = Evidence(9, T + 600, {"antivirus.products": 0.0})
    state, _ = step(RULE, True, FINE, first, late=False)
    _, event = step(RULE, True, state, last, late=False)
    assert event is not None
    assert (event.first, event.last) == (first, last)


evidence = st.lists(
    st.tuples(st.integers(0, 120), st.none() | st.booleans()).flatmap(
        lambda pair: st.sampled_from([pair, (*pair, "late")])
    ),
    max_size=40,
)


@given(evidence)
def test_events_alternate_and_never_come_from_late_or_unknown_openings(played: list[tuple[Any, ...]]) -> None:
    events = play(*played)
    assert [kind for kind, *_ in events] == ["opened", "closed"] * (len(events) // 2) + ["opened"] * (
        len(events) % 2
    )
    on_time_and_true = {minute for minute, value, *late in played if value and not late}
    for kind, since, at, _ in events:
        assert at >= since
        if kind == "opened":
            assert at in on_time_and_true
            assert at - since >= 10


@given(evidence, st.integers(0, 40), st.sampled_from([RuleState(), FINE]))
def test_the_state_can_be_kept_and_taken_up_at_any_moment(
    played: list[tuple[Any, ...]], cut: int, begun: RuleState
) -> None:
    state = begun
    for number, (minute, value, *late) in enumerate(played[:cut]):
        state, _ = step(RULE, value, state, Evidence(number, T + minute * 60), late=bool(late))
    kept = msgspec.convert(msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(state))), RuleState)
    assert kept == state


@given(evidence)
def test_a_second_delivery_of_everything_changes_nothing_more(played: list[tuple[Any, ...]]) -> None:
    ordered = sorted({minute: (minute, value, *late) for minute, value, *late in played}.values())
    assert play(*ordered) == play(*(one for each in ordered for one in (each, each)))


@pytest.mark.parametrize("minutes", [0, 1, 60])
def test_the_time_to_open_is_the_rules_own(minutes: int) -> None:
    rule = msgspec.structs.replace(RULE, open_after=minutes * 60.0)
    assert play((0, True), (minutes, True), rule=rule)[0] == ("opened", 0, minutes, False)


NEW = RuleState()
"""A computer of which nothing was judged yet."""


def test_what_was_wrong_when_the_computer_came_is_for_the_work_list() -> None:
    assert play((0, True), (9, True), (10, True), (60, True), state=NEW) == [("listed", 0, 10, False)]
    assert play((0, True), (10, True), (60, False), state=NEW) == [
        ("listed", 0, 10, False),
        ("mended", 60, 60, False),
    ]


def test_a_fault_that_comes_back_after_it_was_mended_is_an_incident() -> None:
    events = play((0, True), (10, True), (60, False), (90, True), (100, True), state=NEW)
    assert [kind for kind, *_ in events] == ["listed", "mended", "opened"]


def test_a_trouble_of_the_first_minutes_is_on_no_list() -> None:
    events = play((0, True), (5, False), (60, True), (70, True), state=NEW)
    assert events == [("opened", 60, 70, False)]


def test_what_comes_late_can_be_put_on_the_work_list() -> None:
    assert play((0, True, "late"), (10, True, "late"), state=NEW) == [("listed", 0, 10, True)]


def test_some_rules_make_an_incident_of_what_they_find() -> None:
    rule = msgspec.structs.replace(RULE, when_found="incident")
    assert play((0, True), (10, True), rule=rule, state=NEW) == [("opened", 0, 10, False)]


def test_an_incident_of_weeks_becomes_a_standing_fault() -> None:
    weeks = RULE.standing_after / 60
    begun = [(0, True), (10, True), (weeks - 1, True)]
    assert [kind for kind, *_ in play(*begun)] == ["opened"]
    events = play(*begun, (weeks, True), (weeks + 60, True), (weeks + 99, False))
    assert events == [
        ("opened", 0, 10, False),
        ("stood", 0, weeks, False),
        ("mended", weeks + 99, weeks + 99, False),
    ]


def test_the_weeks_of_an_incident_that_an_older_program_opened_count_from_now() -> None:
    weeks = RULE.standing_after / 60
    opened = RuleState(taken_at=T - 99 * 86_400, is_open=True)
    assert play((0, True), (weeks - 1, True), state=opened) == []
    assert play((0, True), (weeks, True), state=opened) == [("stood", 0, weeks, False)]


def test_a_rule_that_was_changed_finds_faults_and_did_not_see_them_begin() -> None:
    stricter = msgspec.structs.replace(RULE, version=RULE.version + 1)
    assert play((0, True), (10, True), rule=stricter) == [("listed", 0, 10, False)]
    assert play((0, False), (5, True), (15, True), rule=stricter) == [("opened", 5, 15, False)]


def test_of_a_rule_whose_texts_or_times_were_changed_a_new_fault_is_an_incident_as_before() -> None:
    known = RuleState(taken_at=T - 3600, condition=RULE.condition.mark)
    later = msgspec.structs.replace(RULE, version=RULE.version + 1, severity="low", open_after=300.0)
    assert play((0, True), (5, True), rule=later, state=known) == [("opened", 0, 5, False)]


def test_of_a_rule_that_asks_something_else_an_old_fault_goes_on_the_work_list() -> None:
    known = RuleState(taken_at=T - 3600, condition=RULE.condition.mark)
    asks = msgspec.structs.replace(RULE.condition, posture="ipv6_rung", equals=None, below=3.0)
    other = msgspec.structs.replace(RULE, condition=asks)
    assert asks.mark != RULE.condition.mark
    assert play((0, True), (10, True), rule=other, state=known) == [("listed", 0, 10, False)]
    began = msgspec.structs.replace(known, first=Evidence(0, T - 300))
    assert play((0, True), (5, True), rule=other, state=began) == [], "its time begins anew"


def test_an_open_incident_stays_open_when_its_rule_is_changed() -> None:
    opened = RuleState(taken_at=T - 60, version=RULE.version, is_open=True, opened_since=T - 60)
    stricter = msgspec.structs.replace(RULE, version=RULE.version + 1)
    assert play((0, True), (10, False), rule=stricter, state=opened) == [("closed", 10, 10, False)]


@given(evidence)
def test_of_a_new_computer_nothing_opens_before_it_was_once_without_the_fault(
    played: list[tuple[Any, ...]],
) -> None:
    kinds = [kind for kind, *_ in play(*played, state=NEW)]
    if "opened" in kinds:
        first = next(at for kind, _, at, _ in play(*played, state=NEW) if kind == "opened")
        assert any(value is False and minute <= first for minute, value, *_ in played)
    for before, after in itertools.pairwise(kinds):
        assert (
            after
            in {"opened": {"closed"}, "closed": {"opened"}, "listed": {"mended"}, "mended": {"opened"}}[
                before
            ]
        )
