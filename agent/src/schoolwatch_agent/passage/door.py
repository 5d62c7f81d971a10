"""A port of the server, and the addresses that its name has."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from functools import partial

from schoolwatch_agent.passage.head import Address, is_elsewhere

FRESH = 60.0
"""Seconds for which the addresses of a name are used without asking again."""


class Door:
    """`addresses` are those that the name had when it last could be resolved, the one that answered first."""

    def __init__(self, where: Address) -> None:
        self.host, self.port = where
        self.addresses: list[str] = []
        self._known_at = float("-inf")
        self._is_asking = False

    @property
    def is_fresh(self) -> bool:
        """Whether the name need not be asked for again."""
        return time.monotonic() - self._known_at < FRESH

    def ask(self, done: "Callable[[Door], None]") -> None:
        """Resolves the name in a thread of its own, unless one does; `done` is called there.

        What was known before stays when it can't be resolved.
        """
        if not self._is_asking:
            self._is_asking = True
            threading.Thread(target=partial(self._look, done), daemon=True).start()

    def prefer(self, ip: str) -> None:
        """This one answered: it is tried first from now on."""
        self.addresses.sort(key=lambda each: each != ip)

    def _look(self, done: "Callable[[Door], None]") -> None:
        with contextlib.suppress(OSError, UnicodeError):
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
            every = dict.fromkeys(str(each[4][0]) for each in found)
            self.addresses = [each for each in every if is_elsewhere(each)]
            self._known_at = time.monotonic()
        self._is_asking = False
        done(self)
