"""An NDT7 server on the websockets library: lets in who holds a slot, sends or takes for 10 s, and measures.

One thread for all tests: they wait for the network nearly all the time. It is a process of its own, so
that the console and the API do not wait for it.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from schoolwatch_contract import ndt7
from schoolwatch_contract.ndt7 import Direction
from schoolwatch_server.speedtest.direction import Test
from schoolwatch_server.speedtest.line import Line

CONNECTIONS_MAX = 64
"""Open at once, whatever they want: each costs a file and some memory."""

CLOSE_SECONDS = 1.5
"""For the closing handshake; after that the connection is cut. With the test it stays below the 13 s."""

BBR = b"bbr"
"""What the specification asks for where the kernel has it."""

_SAMPLE = 0.1
_DIRECTIONS: dict[str, Direction] = {path: direction for direction, path in ndt7.PATHS.items()}

log = logging.getLogger(__name__)


class Slots(Protocol):
    """Who may begin, and that it is over; both are awaited, for a database may be slow."""

    async def begin(self, token: str, direction: Direction) -> bool:
        """Uses the token for one direction; False when it is not good for it."""

    async def end(self, token: str, direction: Direction) -> None:
        """The direction is over."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a connection was let in for."""

    token: str
    direction: Direction


class Connection(ServerConnection):
    """A connection that counts against the bound, and knows what it was let in for."""

    open_now = 0
    claim: Claim | None = None
    _counted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Cuts one too many before it has said a word."""
        super().connection_made(transport)
        if Connection.open_now >= CONNECTIONS_MAX:
            self.transport.abort()
            return
        self._counted = True
        Connection.open_now += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Makes room."""
        super().connection_lost(exc)
        if self._counted:
            Connection.open_now -= 1
            self._counted = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The server's half of the protocol; `seconds` is 10 but for tests of the program."""

    slots: Slots
    line: Line
    seconds: float = ndt7.SECONDS
    running: dict[str, asyncio.Event] = field(default_factory=dict)

    async def serve(
        self, sock: socket.socket, tls: ssl.SSLContext | None, until: Callable[[], Awaitable[object]]
    ) -> None:
        """Serves on a listening socket until `until` returns; open tests are then cut."""
        _use_bbr(sock)
        watching = asyncio.create_task(self._watch())
        try:
            async with serve(
                self._handle,
                sock=sock,
                ssl=tls,
                create_connection=Connection,
                process_request=self._admit,
                subprotocols=[Subprotocol(ndt7.SUBPROTOCOL)],
                compression=None,
                server_header=None,
                open_timeout=ndt7.HANDSHAKE_SECONDS,
                close_timeout=CLOSE_SECONDS,
                ping_interval=None,
                max_size=ndt7.MESSAGE_MAX,
                max_queue=(2, 1),
                logger=_quiet(),
            ) as server:
                await until()
                _cut(server)
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        while True:
            self.line.look()
            await asyncio.sleep(_SAMPLE)

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Uses the slot; the answer of a refusal names no token."""
        path, _, query = request.path.partition("?")
        direction = _DIRECTIONS.get(path)
        if direction is None:
            return connection.respond(HTTPStatus.NOT_FOUND, "there is nothing at this address\n")
        if len(query) > ndt7.QUERY_MAX:
            return connection.respond(HTTPStatus.REQUEST_URI_TOO_LONG, "the query is too long\n")
        if ndt7.SUBPROTOCOL not in _offered(request):
            return connection.respond(HTTPStatus.BAD_REQUEST, f"ask for the protocol {ndt7.SUBPROTOCOL}\n")
        token = _token(request.path)
        if token in self.running:  # a client goes on to the other direction before we saw this one end
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.running[token].wait(), CLOSE_SECONDS)
        if not token or not await self.slots.begin(token, direction):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "no slot, or it is used or too old\n")
        assert isinstance(connection, Connection)
        connection.claim = Claim(token, direction)
        return None

    async def _handle(self, connection: ServerConnection) -> None:
        assert isinstance(connection, Connection)
        claim = connection.claim
        assert claim is not None  # _admit let nobody else in
        test = Test(connection, claim.direction, self.line, self.seconds)
        self.line.enter(test.running)
        over = self.running[claim.token] = asyncio.Event()
        try:
            async with asyncio.timeout(ndt7.CUT_SECONDS - CLOSE_SECONDS):
                await test.run()
        except TimeoutError:
            connection.transport.abort()
        except ConnectionClosed:
            pass  # the client's good right
        finally:
            self.line.leave(test.running)
            try:
                await self.slots.end(claim.token, claim.direction)
            finally:
                del self.running[claim.token]
                over.set()


def listening(host: str, port: int) -> socket.socket:
    """A listening socket; on "::" it takes IPv4 too. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, where = found[0]
    return socket.create_server(where[:2], family=family, backlog=128, dualstack_ipv6=host == "::")


def _use_bbr(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # not in this kernel: its default is used, and named
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, BBR)


def _offered(request: Request) -> set[str]:
    headers = request.headers.get_all("Sec-WebSocket-Protocol")
    return {name.strip() for header in headers for name in header.split(",")}


def _token(path: str) -> str:
    try:
        return parse_qs(urlsplit(path).query, max_num_fields=64).get("access_token", [""])[0][:200]
    except ValueError:
        return ""


def _cut(server: Server) -> None:
    for connection in server.connections:
        connection.transport.abort()


def _quiet() -> logging.Logger:
    """The library logs each odd handshake with a stack; one could fill the disk with it."""
    logger = logging.getLogger("schoolwatch_server.speedtest.websockets")
    logger.setLevel(logging.CRITICAL)
    return logger
