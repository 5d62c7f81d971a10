"""What can't be answered, said so that whoever wrote the query can mend it."""

from typing import Final

SHOWN_MAX: Final = 60
"""Characters of a query that an error repeats."""

TEXT_MAX: Final = 300
"""Characters of an error, whatever was asked."""


def shown(text: str) -> str:
    """What was typed, as an error repeats it."""
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"


class QueryError(ValueError):
    """A query that is not understood or not answered here; `at` is the column (from 1), 0 where unknown."""

    def __init__(self, text: str, at: int = 0) -> None:
        bounded = text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}…"
        super().__init__(f"{bounded} at char {at}" if at else bounded)
        self.at = at


class UnnamedError(QueryError):
    """Series of a measurement are only found by a tag that the query has not named."""
