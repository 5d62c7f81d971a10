"""What was ended and deleted again, in words: each account alone, with why, and the way back in."""

import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from schoolwatch_server.backup.since import Again
from schoolwatch_server.endings import LOCKED, Ending, Kind

SHOWN = 50
"""Devices or tokens that are named one by one."""


class Say(Protocol):
    """A text of the files in one person's language."""

    def __call__(self, key: str, /, **values: object) -> str:
        """The text with its places filled."""


def lines(again: Again, words: Say, data: Path) -> Iterator[str]:
    """Nothing where nothing was; `data` is the data folder, for the commands to type."""
    folder = shlex.quote(str(data))
    if again.older is not None:
        yield words("backup.older", at=when(again.older.at))
    for one in again.faulty:
        yield words(f"backup.list_{'damaged' if one.why else 'gone'}", file=data / one.name, why=one.why)
    if again.faulty:
        yield words("backup.lists_from_copy", data=folder)
    if again.deleted:
        yield words("backup.deleted_again", device=again.deleted["device"], school=again.deleted["school"])
    ended = [_of(again, kind) for kind in ("device", "token", "enrolment")]
    if any(ended):
        tokens = sum(len(some) for one in ended[1:] for some in one.values())
        yield words("backup.ended_again", device=len(ended[0]), token=tokens)
        for some in ended:
            yield from _some(some, words)
    yield from _accounts(_of(again, "account"), words, folder)


def not_yet(ended: Again, words: Say) -> Iterator[str]:
    """The same of a database that an older program will use, which has still to end it."""
    if ended.ended:
        yield words("backup.not_yet")
        for kind in ("device", "token", "enrolment", "account"):
            yield from _some(_of(ended, kind), words)


def _accounts(closed: dict[str, list[Ending]], words: Say, folder: str) -> Iterator[str]:
    """Those that somebody had locked apart: they are not to be opened with the others."""
    changed = {name: some for name, some in closed.items() if not _is_locked(some)}
    locked = {name: some for name, some in closed.items() if _is_locked(some)}
    if locked:
        yield words("backup.locked_again")
        yield from (_line(name, some, words) for name, some in locked.items())
    if changed:
        yield words("backup.closed_again")
        yield from (_line(name, some, words) for name, some in changed.items())
        yield words("backup.open_again", data=folder)


def _some(ended: dict[str, list[Ending]], words: Say) -> Iterator[str]:
    """A line for each, as many as fit a terminal; all are in the audit log."""
    for name, why in list(ended.items())[:SHOWN]:
        yield _line(name, why, words)
    if len(ended) > SHOWN:
        yield words("backup.and_more", count=len(ended) - SHOWN)


def _line(name: str, why: Sequence[Ending], words: Say) -> str:
    return f"  {name}: {'; '.join(_what(one, words) for one in why)}"


def _what(one: Ending, words: Say) -> str:
    said = words("audit." + one.action.replace(".", "_"))
    role = f" ({words(f'person_role.{one.role}')})" if one.role else ""
    return f"{said}{role}, {when(one.at)}"


def _is_locked(some: Sequence[Ending]) -> bool:
    return any(one.action in LOCKED for one in some)


def _of(again: Again, kind: Kind) -> dict[str, list[Ending]]:
    found: dict[str, list[Ending]] = {}
    for one in again.ended:
        if one.kind == kind:
            found.setdefault(one.subject, []).append(one)
    return dict(sorted(found.items()))


def when(at: float) -> str:
    """An instant as people in Vietnam read it."""
    return datetime.fromtimestamp(at, ZoneInfo("Asia/Ho_Chi_Minh")).strftime("%d/%m/%Y %H:%M:%S (UTC+7)")
