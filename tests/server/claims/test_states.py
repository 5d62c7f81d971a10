"""No claim is published that has not passed the head, the direct manager and the Sở, in this order."""

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server import texts
from schoolwatch_server.claims.states import (
    CLOSED,
    COUNTS,
    STATES,
    STEPS,
    State,
    Step,
    leads_to,
    may_answer,
    may_take,
)
from schoolwatch_server.levels import Manager
from schoolwatch_server.roles import Role

ROLES = st.sampled_from(get_args(Role))
MANAGERS = st.sampled_from(("so", "xa", None))
WALKS = st.lists(st.tuples(ROLES, st.sampled_from(get_args(Step))), max_size=200)


def walked(walk: list[tuple[Role, Step]], manager: Manager | None) -> list[tuple[Role, Step, State]]:
    """The steps that were let through, each with the state that it led to."""
    state: State = "draft"
    taken: list[tuple[Role, Step, State]] = []
    for role, step in walk:
        if may_take(role, state, step, manager):
            after = leads_to(state, step)
            assert after is not None
            taken.append((role, step, after))
            state = after
    return taken


@given(WALKS, MANAGERS)
def test_nobody_is_passed_over(walk: list[tuple[Role, Step]], manager: Manager | None) -> None:
    taken = walked(walk, manager)
    reached = [state for _, _, state in taken]
    who = {step: role for role, step, _ in taken}
    if "accepted" in reached:
        assert who["approve"] == "school_head"
        assert who["accept"] == ("commune" if manager == "xa" else "so_admin")
    if "recognised" in reached:
        assert reached[:4] == ["submitted", "approved", "accepted", "recognised"]
        assert who["recognise"] == "so_admin"


@given(WALKS, MANAGERS)
def test_what_was_returned_or_taken_back_leads_nowhere(
    walk: list[tuple[Role, Step]], manager: Manager | None
) -> None:
    reached = [state for _, _, state in walked(walk, manager)]
    assert not any(state in CLOSED for state in reached[:-1])


@given(ROLES, st.sampled_from(STATES), st.sampled_from(get_args(Step)), MANAGERS)
def test_who_only_reads_takes_no_step(role: Role, state: State, step: Step, manager: Manager | None) -> None:
    if role in {"so_viewer", "auditor"}:
        assert not may_take(role, state, step, manager)
    assert not may_take(None, state, step, manager)


def test_the_commune_decides_on_its_schools_and_the_department_on_its_own() -> None:
    assert may_take("commune", "approved", "accept", "xa")
    assert may_take("commune", "approved", "return", "xa")
    assert not may_take("so_admin", "approved", "accept", "xa"), "the manager is not passed over"
    assert not may_take("commune", "approved", "accept", "so")
    assert may_take("so_admin", "approved", "accept", "so")
    assert may_take("so_admin", "approved", "accept", None), "a school without a level is not left alone"


def test_the_school_does_not_answer_over_whoever_waits() -> None:
    assert may_answer(None)
    assert {state for state in STATES if may_answer(state)} == {"accepted", "recognised", *CLOSED}
    assert {after for after, _ in STEPS.values()} == {*STATES} - {"draft"}
    assert {*COUNTS} < {*STATES}


def test_every_state_has_its_words() -> None:
    assert [state for state in STATES if f"claim_state.{state}" not in texts.load().entries] == []
