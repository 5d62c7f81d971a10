"""What becomes of a frozen report: handed in, returned with a remark, accepted. Pure."""

from typing import Literal

State = Literal["frozen", "handed_in", "returned", "accepted"]
Act = Literal["hand_in", "return", "accept"]

_AFTER: dict[tuple[State, Act], State] = {
    ("frozen", "hand_in"): "handed_in",
    ("returned", "hand_in"): "handed_in",
    ("handed_in", "return"): "returned",
    ("handed_in", "accept"): "accepted",
}


def after(state: State, act: Act) -> State | None:
    """The state that an act leads to; None when it can't be done from there."""
    return _AFTER.get((state, act))
