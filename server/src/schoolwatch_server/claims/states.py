"""The way of a claim from the school to recognition: which step leads where, and who may take it. Pure.

Nobody passes over anybody: the school's head answers for what leaves the school, the direct manager for what
reaches the Sở, the Sở for what is published. What came back or was taken back stays as it was; the school
answers anew.
"""

from collections.abc import Mapping
from typing import Literal, get_args

from schoolwatch_server.levels import Manager
from schoolwatch_server.roles import Role

State = Literal["draft", "submitted", "approved", "accepted", "recognised", "returned", "withdrawn"]
Step = Literal["submit", "withdraw", "approve", "accept", "recognise", "return"]
Party = Literal["school", "head", "manager", "so"]
"""Who takes a step: who fills in for the school, its head, its direct manager, the Sở."""

STATES: tuple[State, ...] = get_args(State)

STEPS: Mapping[tuple[State, Step], tuple[State, Party]] = {
    ("draft", "submit"): ("submitted", "school"),
    ("submitted", "withdraw"): ("withdrawn", "school"),
    ("submitted", "approve"): ("approved", "head"),
    ("submitted", "return"): ("returned", "head"),
    ("approved", "withdraw"): ("withdrawn", "head"),
    ("approved", "accept"): ("accepted", "manager"),
    ("approved", "return"): ("returned", "manager"),
    ("accepted", "recognise"): ("recognised", "so"),
    ("accepted", "return"): ("returned", "so"),
    ("recognised", "return"): ("returned", "so"),  # what an inspection found untrue
}
"""From a state by a step to a state, and whose step that is; what isn't here can't be done."""

COUNTS: tuple[State, ...] = ("accepted", "recognised")
"""What others may count with, and print as declared."""

CLOSED: tuple[State, ...] = ("returned", "withdrawn")
"""It leads nowhere any more."""

_PARTIES: Mapping[Party, frozenset[Role]] = {
    "school": frozenset({"technician", "school_head"}),
    "head": frozenset({"school_head"}),
    "so": frozenset({"so_admin"}),
}


def leads_to(state: State, step: Step) -> State | None:
    """The state after a step; None when it can't be taken from here."""
    found = STEPS.get((state, step))
    return None if found is None else found[0]


def may_take(role: Role | None, state: State, step: Step, manager: Manager | None) -> bool:
    """Whether somebody of that role takes this step with a claim of a school within their scope.

    `manager` is the school's; one whose level nobody gave, and so has none (None), is the Sở's to decide on.
    """
    found = STEPS.get((state, step))
    if found is None or role is None:
        return False
    party = found[1]
    if party == "manager":
        return role == ("commune" if manager == "xa" else "so_admin")
    return role in _PARTIES[party]


def may_answer(newest: State | None) -> bool:
    """Whether the school may begin a new answer, its newest being in that state (None: it has none)."""
    return newest is None or newest in ("recognised", "accepted", *CLOSED)
