"""Whether a rule's condition is met by what one envelope says: yes, no, or not known."""

from collections.abc import Callable

import msgspec

from schoolwatch_server.rules.rule import Condition, Rule
from schoolwatch_server.rules.told import Told, subject
from schoolwatch_server.rules.verdicts import MACHINE, POSTURE
from schoolwatch_server.settled import is_settled
from schoolwatch_server.state import Known, find, parse_key


def met(condition: Condition, told: Told) -> bool | None:
    """True, False, or None when what is known doesn't decide it."""
    if condition.posture is not None:
        return _judged(condition, POSTURE[condition.posture](told))
    if condition.machine is not None:
        found = _judged(condition, MACHINE[condition.machine](told))
        if found and condition.machine in _OF_AGES and not _has_settled(condition, told.state):
            return None
        return found
    return _combined(_answers(condition, condition.reading or "", told.state), condition.every)


_OF_AGES = frozenset({"patch_age"})
"""Verdicts of what a computer catches up with after its start."""


def met_worse(rule: Rule, told: Told) -> bool:
    """Whether the second limit is known to be passed too."""
    if rule.worse is None:
        return False
    limits = {"above": rule.worse.above, "below": rule.worse.below}
    return met(msgspec.structs.replace(rule.condition, **limits), told) is True


def _judged(condition: Condition, value: float | bool | None) -> bool | None:
    return None if value is None else _comparison(condition)(value)


def _has_settled(condition: Condition, state: Known) -> bool:
    """Whether what the verdict rests on may be judged bad: see `settled`."""
    about = ((name, told.taken_at) for name, told in state.readings.items())
    return all(
        is_settled(state, parse_key(name)[0], at) for name, at in about if subject(name) in condition.evidence
    )


def _answers(condition: Condition, metric: str, state: Known) -> list[bool | None]:
    """Of each reading; what a computer has yet to catch up with after its start is not known to be met."""
    meets = _comparison(condition)
    answers: list[bool | None] = []
    for name, (_, number) in find(state.readings, metric).items():
        answer = None if number is None else meets(number)
        settled = is_settled(state, metric, state.readings[name].taken_at)
        answers.append(answer if settled or not answer else None)
    return answers


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
