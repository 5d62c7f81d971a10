"""A claim as others read it: what a school says, and how far that has come. Pure."""

from datetime import date

import msgspec

from schoolwatch_server.claims.states import State


class Claim(msgspec.Struct, frozen=True, gc=False):
    """A school's answer to one question.

    `value` is 1 or 0 for yes and no, a ratio 0…1 for a share, else in the question's unit; None for a text
    or a file. `as_of` is the day of which it is true, `decided_at` since when it is in its `state` (UTC
    seconds). `revision` counts the answers of the school to this question from 1.
    """

    question: str
    value: float | None
    state: State
    as_of: date
    decided_at: float
    text: str = ""
    revision: int = 1
    id: int = 0
