"""How pages write what a school declares: the answer in words, its state, how many stand where."""

from collections import Counter
from collections.abc import Iterable

from schoolwatch_server.claims.questions import Question
from schoolwatch_server.claims.states import STATES
from schoolwatch_server.console.words import Words
from schoolwatch_server.database.claims import ClaimRow

CHIPS = {
    "draft": "unknown",
    "submitted": "warn",
    "approved": "warn",
    "accepted": "good",
    "recognised": "good",
    "returned": "bad",
    "withdrawn": "plain",
}
"""State of an answer → the kind of its chip."""


def title(question: Question | None, id_: str, words: Words) -> str:
    """The question in words; the id of one that is asked no more."""
    if question is None:
        return id_
    if question.criterion is None:
        return words.text(question.text_key)
    return words.text(
        "claims.mandatory" if question.criterion.is_mandatory else "claims.criterion",
        code=question.criterion.code,
        name=words.pick(question.criterion),
    )


def help_of(question: Question, words: Words) -> str:
    """What is to be answered, and which evidence is meant."""
    return words.text("claims.criterion_help" if question.criterion else question.help_key)


def answered(question: Question | None, value: float | None, words: Words) -> str:
    """`Có`, `1,5 %`, `21 điểm`, `Mức độ 2`; empty where the text or the file is the answer."""
    if value is None or question is None:
        return "" if value is None else words.number(value, 2)
    match question.kind:
        case "yes_no":
            return words.text("claims.yes" if value else "claims.no")
        case "share":
            return f"{words.number(value * 100, 2)}%"
        case "score":
            return words.text("claims.points", count=words.number(value, 2))
        case "choice":
            return words.text("claims.level", number=words.number(value))
    return words.number(value)


def size(count: int, words: Words) -> str:
    """`1,2 MB`, `40 kB`, as file managers write it."""
    if count < 100 * 1024:
        return f"{words.number(max(count / 1024, 1), 0)}\u00a0kB"
    return f"{words.number(count / 1024 / 1024, 1)}\u00a0MB"


def tally(newest: Iterable[ClaimRow | None]) -> list[tuple[str, int]]:
    """How many answers are in each state, in their order; `none` is for questions without any."""
    counts = Counter("none" if row is None else row.state for row in newest)
    return [(state, counts[state]) for state in ("none", *STATES) if counts[state]]
