"""Lets a loop go on while the database can't be used."""

import logging
from collections.abc import Callable

from sqlalchemy import exc

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
        except (exc.OperationalError, exc.InterfaceError, exc.IntegrityError) as error:
            if not self._failing:
                log.warning("%s: the database can't be used just now: %s", self._name, error.orig)
            self._failing = True
            return None
        if self._failing:
            log.info("%s: the database can be used again", self._name)
        self._failing = False
        return result
