"""How far what schools declare has come: what is accepted of what is asked, and answers by their state."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from schoolwatch_server.claims.questions import Question
from schoolwatch_server.claims.states import STATES, State
from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.store.names import CLAIMS, CLAIMS_BY_STATE
from schoolwatch_server.store.series import Judged

ALL: Final = "all"
"""The subject of all questions together."""

NONE: Final = "none"
"""The state of what has no answer."""

Tags = Mapping[tuple[Place, int], dict[str, str]]


def rows(
    asked: Mapping[int, Sequence[Question]],
    answers: Mapping[int, Mapping[str, tuple[State, bool]]],
    tags: Tags,
    at: float,
) -> tuple[list[Judged], list[Judged]]:
    """Shares, and numbers by state, of all places; `asked` is what each school is asked, by its id.

    `answers` has of each school the state of its newest answer to each question, and whether any counts.
    """
    shares: dict[tuple[Place, int], Counter[tuple[str, bool]]] = {}
    states: dict[tuple[Place, int], Counter[str]] = {}
    for school, questions in asked.items():
        its = tags.get(("school", school))
        if its is None or not questions:
            continue
        share, state = _of_school(questions, answers.get(school, {}))
        for key in (
            ("school", school),
            ("commune", int(its["commune"])),
            ("province", int(its["province"])),
        ):
            shares.setdefault(key, Counter()).update(share)
            states.setdefault(key, Counter()).update(state)
    whole = [row for key, found in shares.items() for row in _shares(tags[key], found, at)]
    parts = [
        Judged(CLAIMS_BY_STATE, tags[key] | {"state": state}, at, float(found[state]))
        for key, found in states.items()
        for state in (*STATES, NONE)
    ]
    return whole, parts


def _of_school(
    questions: Sequence[Question], answers: Mapping[str, tuple[State, bool]]
) -> tuple[Counter[tuple[str, bool]], Counter[str]]:
    """Questions by subject and whether an answer counts, and by the state of the newest answer."""
    share: Counter[tuple[str, bool]] = Counter()
    state: Counter[str] = Counter()
    for question in questions:
        newest, counts = answers.get(question.id, (NONE, False))
        share[question.subject, counts] += 1
        state[newest] += 1
    return share, state


def _shares(tags: dict[str, str], found: Mapping[tuple[str, bool], int], at: float) -> Iterator[Judged]:
    subjects = sorted({subject for subject, _ in found}) if tags["level"] != "school" else []
    for subject in (ALL, *subjects):
        counts = [(is_in, n) for (of, is_in), n in found.items() if subject in (ALL, of)]
        reached = float(sum(n for is_in, n in counts if is_in))
        whole = float(sum(n for _, n in counts))
        yield Judged(CLAIMS, tags | {"subject": subject}, at, reached / whole, reached, whole)
