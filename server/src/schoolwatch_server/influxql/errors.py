"""What can't be answered, said so that whoever wrote the query can mend it."""

import time


class QueryError(ValueError):
    """A query that is not understood or not answered here; `at` is the column (from 1), 0 where unknown."""

    def __init__(self, text: str, at: int = 0) -> None:
        super().__init__(f"{text} at char {at}" if at else text)
        self.at = at


def in_time(until: float) -> None:
    """Raises `QueryError` once it is later (`time.monotonic`): one question must not keep a processor."""
    if time.monotonic() > until:
        raise QueryError("this takes too long: ask for a shorter time, longer intervals or fewer series")
