"""Lets `up` go on where the disk is full or the database away: what runs must not end because of that."""

from collections.abc import Callable

from sqlalchemy import exc

from schoolwatch_server import advice
from schoolwatch_server.guard import is_away


class Hurdle:
    """Does what writes again and again; that it fails is told once, and once that it does no more."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell
        self._why = ""

    def attempt(self, do: Callable[[], None]) -> bool:
        """Whether it was done. Raises what is wrong in other ways than for a while."""
        try:
            do()
        except (OSError, exc.DBAPIError, exc.TimeoutError) as error:
            if not (isinstance(error, OSError) or is_away(error)):
                raise
            if not self._why:
                self._why = advice.line(error)
                self._tell("up.cannot_write", why=self._why)
            return False
        if self._why:
            self._why = ""
            self._tell("up.can_write")
        return True
