"""Who looked at what, and who was refused: in the audit log, and then counted, so that no flood fills it.

The first time is a row at once. What the same person does with the same thing within a quarter of an hour is
counted, and the count is a row of its own when that time is over. What isn't one of the first things
of all people within that time (`MOST`) is counted together, under no name.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from sqlalchemy import Engine

from schoolwatch_server.access import Principal
from schoolwatch_server.database import audit
from schoolwatch_server.database.engine import begin_write

SECONDS = 900.0
MOST = 500
"""Rows that a quarter of an hour can make at most, beside their counts."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody did something with something."""

    actor: str
    action: str
    subject: str
    kind: str


_OTHERS = Deed("", "many", "", "")


@dataclass(slots=True)
class _Count:
    since: float
    more: int = 0


@dataclass(frozen=True, slots=True)
class Looked:
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
                deed = _OTHERS
            known = self._counts.get(deed)
            if known is not None:
                known.more += 1
                return due
            self._counts[deed] = _Count(now)
            return [*due, (deed, 0)]


def see(looked: Looked, engine: Engine, who: Principal, action: str, subject: str) -> None:
    """Somebody looks at something that only some may see: it is in the audit log before it is shown."""
    _write(looked, engine, Deed(who.name, action, subject, who.kind))


def refused(looked: Looked, engine: Engine, who: Principal | None, route: str) -> None:
    """Somebody asked for what their role does not allow; `route` is the pattern of its address."""
    name, kind = (who.name, who.kind) if who else ("", "")
    _write(looked, engine, Deed(name, "access.refused", route, kind))


def _write(looked: Looked, engine: Engine, deed: Deed) -> None:
    now = time.time()
    rows = looked.rows(deed, now)
    if not rows:
        return
    with begin_write(engine) as conn:
        for one, more in rows:
            detail = {"by": one.kind} | ({"times_more": more} if more else {})
            action = "access.many" if one is _OTHERS else one.action
            audit.record(conn, actor=one.actor, action=action, subject=one.subject, detail=detail, now=now)
