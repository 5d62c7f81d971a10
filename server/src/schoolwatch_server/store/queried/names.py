"""What places are called, held from one graph to the next."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection

from schoolwatch_server.database.called import Called, called, gone, mark
from schoolwatch_server.position import parse
from schoolwatch_server.scope import Scope
from schoolwatch_server.store.queried.beside import Names

SCOPES_MAX: Final = 50
"""Scopes whose names are held, of which a province's are 1 MB."""

READ_AGAIN: Final = 60.0
"""Seconds after which names are read anew: whoever changes them by hand leaves no word in the audit log."""


@dataclass(frozen=True, slots=True)
class _Held:
    names: Names
    mark: tuple[int, ...]
    read_at: float


class NamesHeld:
    """The names that were asked for last, of each scope; each use looks whether they may have changed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._scopes: OrderedDict[Scope, _Held] = OrderedDict()
        self._clock, self._lock = clock, threading.Lock()

    def now(self, conn: Connection, scope: Scope) -> Names:
        """Today's names of the places that a scope sees."""
        marked, at = mark(conn), self._clock()
        with self._lock:
            held = self._scopes.get(scope)
        if held is None or held.mark != marked or at - held.read_at >= READ_AGAIN:
            held = _Held(_read(conn, scope), marked, at)
        with self._lock:
            self._scopes[scope] = held
            self._scopes.move_to_end(scope)
            if len(self._scopes) > SCOPES_MAX:
                self._scopes.popitem(last=False)
        return held.names


def of_gone(conn: Connection) -> Names:
    """What schools were called last that are no more."""
    return _made(gone(conn))


def _read(conn: Connection, scope: Scope) -> Names:
    return _made(called(conn, scope))


def _made(found: Called) -> Names:
    names = {level: {str(id_): name for id_, name in its.items()} for level, its in found.names.items()}
    return Names(names, {str(id_): _geohash(text) for id_, text in found.positions.items()})


@lru_cache(8192)
def _geohash(position: str) -> str:
    return parse(position).geohash
