"""Texts that people save in the console: kept version by version for ever, each in force from an instant on.

Packs have a day there, rules an instant; what a version of either may say, its own loader knows.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from schoolwatch_server.strict_yaml import SIZE_MAX, SheetError

When = TypeVar("When")
"""A `date`, or UTC seconds: whatever is earlier and later."""


@dataclass(frozen=True, slots=True)
class Saved(Generic[When]):
    """A version of what `name` calls; it holds from `valid_from` on. An `is_end` takes it out of force."""

    name: str
    version: int
    valid_from: When
    text: str
    saved_at: float
    saved_by: str
    is_end: bool = False


class VersionError(ValueError):
    """A version can't be saved; `reason` is a key of the texts, `values` fill its gaps."""

    def __init__(self, reason: str, **values: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.values = values


S = TypeVar("S", bound=Saved)  # type: ignore[type-arg]  # of whichever instant


def in_force(saved: Iterable[S], at: object) -> dict[str, S]:
    """By name, the version that holds at an instant: the newest effective one, then the one saved last.

    What ended by then is not in it.
    """
    newest: dict[str, S] = {}
    for one in saved:
        if one.valid_from > at:
            continue
        known = newest.get(one.name)
        if known is None or (one.valid_from, one.version) > (known.valid_from, known.version):
            newest[one.name] = one
    return {name: one for name, one in newest.items() if not one.is_end}


def as_bytes(text: str) -> bytes:
    """What a browser sent, with the line ends of a file. Raises `SheetError` when it is too long."""
    raw = text.replace("\r\n", "\n").encode()
    if len(raw) > SIZE_MAX:
        raise SheetError(f"the text is over {SIZE_MAX} bytes: no pack or rule is that long")
    return raw


def numbered(text: str, version: int) -> str:
    """With its version's number, which is the server's to give; everything else stays as it was written."""
    done, count = re.subn(r"(?m)^version:.*$", f"version: {version}", text, count=1)
    return done if count else f"{text.rstrip()}\nversion: {version}\n"  # so that lines keep their numbers
