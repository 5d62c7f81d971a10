"""Many ids in several queries: SQLite takes at most 32,766 parameters in one, and old ones 999."""

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

MANY: Final = 400
"""Ids that one query names at most."""

Key = TypeVar("Key", int, str)


def in_parts(ids: Iterable[Key]) -> Iterator[list[Key]]:
    """All of them in their order, at most `MANY` at a time."""
    every = sorted(ids)
    for start in range(0, len(every), MANY):
        yield every[start : start + MANY]
