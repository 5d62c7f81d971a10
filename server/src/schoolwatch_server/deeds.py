"""What is done often is counted, so that no flood fills the audit log.

The first time is a row at once. What the same person does with the same thing within a quarter of an hour is
counted, and the count is a row of its own when that time is over. What isn't one of the first things
of all people within that time (`MOST`) is counted together, under no name.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

SECONDS = 900.0
MOST = 500
"""Rows that a quarter of an hour can make at most, beside their counts."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody did something with something; `kind` is who that was, or from where."""

    actor: str
    action: str
    subject: str
    kind: str


OTHERS = Deed("", "access.many", "", "")


@dataclass(slots=True)
class _Count:
    since: float
    more: int = 0


@dataclass(frozen=True, slots=True)
class Deeds:
    """What was done within the last quarter of an hour; kept in memory, bounded."""

    seconds: float = SECONDS
    most: int = MOST
    _counts: "OrderedDict[Deed, _Count]" = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def rows(self, deed: Deed, now: float) -> list[tuple[Deed, int]]:
        """What is to be written now: counts whose time is over (how many times more), and what is new (0)."""
        with self._lock:
            due = []
            while self._counts:
                first = next(iter(self._counts))
                if now - self._counts[first].since < self.seconds:
                    break
                over = self._counts.pop(first)
                if over.more:
                    due.append((first, over.more))
            if deed not in self._counts and len(self._counts) >= self.most:
                deed = OTHERS
            known = self._counts.get(deed)
            if known is not None:
                known.more += 1
                return due
            self._counts[deed] = _Count(now)
            return [*due, (deed, 0)]
