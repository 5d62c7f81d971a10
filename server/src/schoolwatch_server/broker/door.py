"""Where clients of the embedded broker come in: bounded in number, and not at all for who is often wrong.

An address is turned away before anything is read of it and before TLS, which costs the most. This machine's
own is not: what the web server passes on comes from there, for everybody.
"""

import asyncio
import collections
import contextlib
import errno
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

from schoolwatch_server.address import is_own
from schoolwatch_server.attempts import Attempts
from schoolwatch_server.broker.limits import (
    EMBEDDED_CONNECTIONS_MAX,
    GREETING,
    WAITING_EACH_MAX,
    WAITING_MAX,
    WRONG_MAX,
    WRONG_SECONDS,
)

log = logging.getLogger(__name__)
_BACKLOG = 512
_SAID_MAX = 10
_FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Door:
    """Counts who is there and who is often wrong; `handle` has each connection until it ends."""

    def __init__(
        self,
        handle: "Callable[[asyncio.StreamReader, asyncio.StreamWriter, Visitor], Awaitable[None]]",
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._handle = handle
        self._context = context
        self._here = 0
        self._waiting: collections.Counter[str] = collections.Counter()
        self._attempts = Attempts(WRONG_MAX, WRONG_SECONDS)
        self._said = Attempts(_SAID_MAX, 1.0)
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, host: str, port: int) -> None:
        """Listens on every address that the host has. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, where in found:
            listener = socket.create_server(where[:2], family=family, backlog=_BACKLOG)
            listener.setblocking(False)
            self._keep(self._accept(listener))

    async def close(self) -> None:
        """Lets nobody in any more, and ends the connections."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def is_full_for(self, address: str) -> bool:
        """Whether a connection from there is turned away."""
        if self._here >= EMBEDDED_CONNECTIONS_MAX or self._waiting.total() >= WAITING_MAX:
            return True
        if is_own(address):
            return False
        return self._waiting[address] >= WAITING_EACH_MAX or self._attempts.wait(address) > 0

    def say(self, text: str, *values: object) -> None:
        """Logs a line, but no more than some in a second."""
        if not self._said.wait(""):
            self._said.failed("")
            log.info(text, *values)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with listener:
            while True:
                await asyncio.sleep(0)  # one at a time: those who are in already have their turn
                try:
                    connection, where = await loop.sock_accept(listener)
                except OSError as error:
                    if error.errno in _FULL:
                        await asyncio.sleep(0.1)
                    continue
                if self.is_full_for(where[0]):
                    self.say("turned away: %s", where[0])
                    connection.close()
                else:
                    self._keep(self._greet(connection, where[0]))

    async def _greet(self, connection: socket.socket, address: str) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        self._here += 1
        visitor = Visitor(self, address)
        self._waiting[address] += 1
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol,
                connection,
                ssl=self._context,
                ssl_handshake_timeout=GREETING if self._context else None,
            )
            writer = asyncio.StreamWriter(transport, protocol, reader, loop)
            await self._handle(reader, writer, visitor)
        except (OSError, TimeoutError):  # ssl.SSLError is one: what it sends is no TLS
            with contextlib.suppress(OSError):
                connection.close()
        finally:
            self._here -= 1
            visitor.came_in()

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def left_waiting(self, address: str) -> None:
        """One of those who had not logged in has, or is gone."""
        self._waiting[address] -= 1
        if self._waiting[address] <= 0:
            del self._waiting[address]

    def was_wrong(self, address: str) -> None:
        """Somebody there gave a wrong user or password."""
        self._attempts.failed(address)


@dataclass
class Visitor:
    """One connection before it has logged in."""

    door: Door
    address: str
    waits: bool = True

    def came_in(self) -> None:
        """It has logged in, or is gone: it waits no more."""
        if self.waits:
            self.waits = False
            self.door.left_waiting(self.address)

    def was_wrong(self) -> None:
        """It gave a wrong user or password."""
        self.door.was_wrong(self.address)
