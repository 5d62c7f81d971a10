"""The states of an incident: what stands in its row says which it is in."""

from typing import Literal, get_args

State = Literal[
    "open", "acknowledged", "evidence", "resolved", "false_alarm", "standing", "withdrawn", "merged"
]
"""`open`: nobody has taken it. `evidence`: the readings closed it. `resolved`, `false_alarm`: a person did.
`standing`: it has lasted so long that it is on the work list instead. `withdrawn`: its rule applies no more,
its computer was retired, no sensor listens there (also as a person said), or the target is no longer set.
`merged`: it is part of a larger one."""

STATES: tuple[State, ...] = get_args(State)


def state_of(closed_at: float | None, acknowledged_at: float | None, verdict: str) -> State:
    """The state of an incident with these."""
    if closed_at is None:
        return "open" if acknowledged_at is None else "acknowledged"
    return next((state for state in STATES[3:] if state == verdict), "evidence")
