"""Lets a loop go on while the database can't be used."""

import logging
import time
from collections.abc import Callable

from sqlalchemy import exc

from schoolwatch_server import advice

log = logging.getLogger(__name__)


class Guard:
    """Lets a loop go on when the database is locked or away; says so once, and when it is over."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failing = False

    def attempt(self, do: Callable[[], int | bool]) -> int | bool | None:
        """What `do` gives; None when the database could not be used just now."""
        try:
            result = do()
        except (exc.DBAPIError, exc.TimeoutError) as error:
            if not (is_away(error) or isinstance(error, exc.IntegrityError)):
                raise
            if not self._failing:
                log.warning("%s: the database can't be used just now: %s", self._name, advice.line(error))
            self._failing = True
            return None
        if self._failing:
            log.info("%s: the database can be used again", self._name)
        self._failing = False
        return result


class Seldom:
    """Says whether something that happens again and again is worth another line of the log."""

    def __init__(self, every: float = 300.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._every, self._clock = every, clock
        self._said_at = -float("inf")

    def now(self) -> bool:
        """True at the first time, and once in `every` seconds after that."""
        if self._clock() - self._said_at < self._every:
            return False
        self._said_at = self._clock()
        return True


def is_away(error: Exception) -> bool:
    """Whether the database can't be used as it is; else what was to be written is wrong.

    PostgreSQL says which of the two by its SQLSTATE (its manual, appendix A): classes 21, 22, 23 and 54 are
    of rows. SQLite has no such number, and says OperationalError of all the rest.
    TimeoutError is SQLAlchemy's own: all connections that this process may have are in use.
    """
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    if state is not None:
        return state[:2] not in {"21", "22", "23", "54"}
    return isinstance(error, (exc.OperationalError, exc.InterfaceError, exc.TimeoutError))
