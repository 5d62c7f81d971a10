"""Where the web server is reached: no more connections at once than it can bear, and of one address a share.

Who finds no place is turned away when the connection is accepted, before TLS, which costs the most. This
machine's own address has no share: a reverse proxy comes from there, for everybody.
"""

import asyncio
import collections
import resource
import socket
from typing import Any

from schoolwatch_server.address import Address, is_own
from schoolwatch_server.attempts import source_of
from schoolwatch_server.config import ConfigError

CONNECTIONS_MAX = 4000
"""Connections at once, of all addresses."""

CONNECTIONS_EACH_MAX = 500
"""Of one address: a whole school, or an office of the department, may be one."""

FILES = CONNECTIONS_MAX + 500
"""Open files that it takes to serve so many."""

HANDSHAKE = 15.0
"""Seconds for TLS to be agreed on."""

_UNREAD = 60_000
"""Milliseconds after which the kernel gives up a connection whose other side takes nothing (tcp(7))."""

_SENDING = 128 * 1024
"""Bytes of an answer that the kernel keeps for one who has not read them; by itself it keeps megabytes."""


class Places:
    """Who is there: counted from accepting a connection to closing it."""

    def __init__(self, most: int | None = None, each: int = CONNECTIONS_EACH_MAX) -> None:
        # the rest is for database, files and log; without them nobody would be answered
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._most = min(CONNECTIONS_MAX, max(files - 200, files // 2)) if most is None else most
        self._each = min(each, max(1, self._most // 2))
        self._here: collections.Counter[str] = collections.Counter()

    def take(self, address: str) -> bool:
        """Whether there is a place for one more of that address; it is taken then."""
        source = source_of(address)
        if self._here.total() >= self._most:
            return False
        if self._here[source] >= self._each and not is_own(address):
            return False
        self._here[source] += 1
        return True

    def leave(self, address: str) -> None:
        """One of that address has gone."""
        source = source_of(address)
        self._here[source] -= 1
        if self._here[source] <= 0:
            del self._here[source]


class _Held(socket.socket):
    """A connection that gives its place back when it is closed."""

    places: Places | None = None
    address = ""

    def close(self) -> None:
        """Closes it; more than once does nothing more."""
        super().close()
        places, self.places = self.places, None
        if places is not None:
            places.leave(self.address)


class Listening(socket.socket):
    """A listening socket that lets in whom there is a place for."""

    places: Places

    def accept(self) -> tuple[socket.socket, Any]:
        """Raises ConnectionAbortedError when it has turned somebody away, and as `socket.accept` does."""
        plain, where = super().accept()
        if not self.places.take(where[0]):
            plain.close()
            raise ConnectionAbortedError
        held = _Held(plain.family, plain.type, plain.proto, fileno=plain.detach())
        held.places, held.address = self.places, where[0]
        return held, where


def guard(bound: socket.socket, places: Places | None = None) -> Listening:
    """The same socket, listening or about to, with places."""
    guarded = Listening(bound.family, bound.type, bound.proto, fileno=bound.detach())
    guarded.places = places or Places()
    guarded.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD)  # accepted ones inherit both
    guarded.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SENDING)
    return guarded


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets on every address that the host has, with places in common. Raises `ConfigError`."""
    places = Places()
    open_: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, where in dict.fromkeys(found):
            open_.append(guard(socket.create_server((str(where[0]), port), family=family), places))
    except OSError as error:
        for each in open_:
            each.close()
        text = f"http.host, http.port: can't listen on {Address(host, port)} ({error.strerror})"
        raise ConfigError(text) from error
    return open_


class Loop(asyncio.SelectorEventLoop):
    """asyncio's own, which waits a minute for TLS to be agreed on, but for `HANDSHAKE`."""

    async def create_server(self, *args: Any, **more: Any) -> asyncio.Server:
        """As asyncio's."""
        if more.get("ssl") is not None:
            more["ssl_handshake_timeout"] = HANDSHAKE
        return await super().create_server(*args, **more)
