"""Whether a rule's condition is met by what one envelope says: yes, no, or not known."""

from collections.abc import Callable

from schoolwatch_server.posture import posture
from schoolwatch_server.rules.rule import Condition
from schoolwatch_server.state import State, find


def says_something(condition: Condition, state: State) -> bool:
    """Whether the state holds a reading of the condition's subjects."""
    return any(_subject(name) in condition.evidence for name in state.readings)


def met(condition: Condition, state: State) -> bool | None:
    """True, False, or None when what is known doesn't decide it."""
    if condition.posture is not None:
        value = getattr(posture(state), condition.posture)
        return None if value is None else _comparison(condition)(value)
    values = [number for _, number in find(state.readings, condition.reading or "").values()]
    return _combined([None if v is None else _comparison(condition)(v) for v in values], condition.every)


def _combined(answers: list[bool | None], every: bool) -> bool | None:
    """All of them or any of them; an unknown one only decides nothing that another one decides."""
    decisive = not every
    if not answers:
        return None
    if decisive in answers:
        return decisive
    return None if None in answers else every


def _comparison(condition: Condition) -> Callable[[float | bool], bool]:
    if condition.below is not None:
        below = condition.below
        return lambda value: value < below
    if condition.above is not None:
        above = condition.above
        return lambda value: value > above
    return lambda value: value == condition.equals


def _subject(name: str) -> str:
    return name.partition(".")[0]
