"""How long whoever asks waits for an answer, and how much is held for all who ask."""

import threading
import time
from collections.abc import Callable
from math import inf
from typing import Final

from schoolwatch_server.influxql.errors import QueryError

LARGE: Final = 20_000
"""Rows of the database for one question from which on it takes a place; panels of a province have fewer."""

PLACES: Final = 4
"""Large questions that are answered at once. Of a million points each holds 250 MB, and more at once are none
the faster."""

WAITING: Final = 12
"""Large questions that wait for a place; each holds one of the threads that small ones are answered in."""

_LOOK: Final = 0.25
"""Seconds between two looks whether somebody who waits is still there."""


class Room:
    """Places for large questions."""

    def __init__(self, places: int = PLACES, waiting: int = WAITING) -> None:
        self._places = threading.Semaphore(places)
        self._waiting = threading.Semaphore(waiting)

    def enter(self, check: Callable[[], None]) -> None:
        """Takes a place, or waits for one as long as `check` raises nothing. Raises `QueryError`."""
        if self._places.acquire(blocking=False):
            return
        if not self._waiting.acquire(blocking=False):
            raise QueryError("too many large questions at once: ask again in a minute, or for a shorter time")
        try:
            while not self._places.acquire(timeout=_LOOK):
                check()
        finally:
            self._waiting.release()

    def leave(self) -> None:
        """Gives the place to the next."""
        self._places.release()


class Patience:
    """One question's: until when (`time.monotonic`), whether somebody is still there, and its place."""

    def __init__(
        self, until: float = inf, is_gone: Callable[[], bool] = lambda: False, room: Room | None = None
    ) -> None:
        self._until, self._is_gone, self._room = until, is_gone, room
        self._rows, self._has_place = 0, False

    def check(self, rows: int = 0) -> None:
        """Counts what was read for the question. Raises `QueryError` where nothing more shall be."""
        if time.monotonic() > self._until:  # one question must not keep a processor
            raise QueryError("this takes too long: ask for a shorter time, longer intervals or fewer series")
        if self._is_gone():
            raise QueryError("whoever asked has gone")
        self._rows += rows
        if self._rows > LARGE and self._room is not None and not self._has_place:
            self._room.enter(self.check)
            self._has_place = True

    def end(self) -> None:
        """The answer is made."""
        if self._has_place and self._room is not None:
            self._room.leave()
            self._has_place = False


PATIENT: Final = Patience()
"""Of what the server asks itself."""
