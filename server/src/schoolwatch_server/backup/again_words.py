"""What was ended and deleted again, in words: each account alone, with the way back in."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from schoolwatch_server.backup.since import Again
from schoolwatch_server.endings import Kind


class Say(Protocol):
    """A text of the files in one person's language."""

    def __call__(self, key: str, /, **values: object) -> str:
        """The text with its places filled."""


def lines(again: Again, words: Say, data: Path) -> Iterator[str]:
    """Nothing where nothing was; `data` is the data folder, for the commands to type."""
    if again.deleted:
        yield words("backup.deleted_again", device=again.deleted["device"], school=again.deleted["school"])
    devices = _subjects(again, "device")
    tokens = sum(one.kind in ("token", "enrolment") for one in again.ended)
    if devices or tokens:
        yield words("backup.ended_again", device=len(devices), token=tokens)
        yield from (f"  {name}" for name in devices)
    accounts = _subjects(again, "account")
    if accounts:
        yield words("backup.closed_again")
        yield from (f"  {name}" for name in accounts)
        yield words("backup.open_again", data=shlex.quote(str(data)))


def _subjects(again: Again, kind: Kind) -> list[str]:
    return sorted({one.subject for one in again.ended if one.kind == kind})
