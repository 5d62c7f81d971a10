"""Bounds on what a caller may send and how long it may take: big and slow ones must not hold the server."""

import asyncio
import threading
from typing import Any, cast

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from schoolwatch_server.api.gathered import Gathered
from schoolwatch_server.api.readers import Reader

HEAD_SECONDS = 15.0
"""From the first byte of a connection or request (or from its opening) to the end of its headers."""

BODY_SECONDS = 20.0
"""From the headers to the end of the body."""

BODY_MAX = 64 * 1024
"""Bytes of a body: forms and enrolments are far below."""


LARGE = {
    ("POST", "/bundles/import"): (32 << 20, 300.0),
    ("POST", "/imports/look"): (9 << 20, 300.0),
    ("POST", "/forms/look"): (9 << 20, 300.0),
    ("POST", "/boundaries/look"): (17 << 20, 600.0),
    ("POST", "/claims/save"): (11 << 20, 600.0),  # a photo over a school's line takes minutes
    ("POST", "/api/v1/grafana/alerts"): (8 << 20, 60.0),  # 2 KB an alert
}
"""Bytes and seconds of the few bodies that are files or long lists; their endpoints read them behind the
gate, files in parts."""


_GONE = "schoolwatch.gone"
"""What a request's scope has where the server tells whether the other side has hung up."""


def is_gone(request: Request) -> bool:
    """Whether who asked has hung up: nobody waits for the answer. Any thread may ask."""
    gone: threading.Event | None = request.scope.get(_GONE)
    return gone is not None and gone.is_set()


class BoundedBody:
    """ASGI middleware: a longer body is answered 413, a slower one 408 (RFC 9110 §15.5.14, §15.5.9)."""

    def __init__(self, app: ASGIApp, most: int = BODY_MAX, seconds: float = BODY_SECONDS) -> None:
        self._app, self._most, self._seconds = app, most, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything on, and counts bytes and seconds until the body is whole."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most, seconds = LARGE.get((scope["method"], scope["path"]), (self._most, self._seconds))
        deadline, size, whole = asyncio.get_running_loop().time() + seconds, 0, False
        headers = Headers(scope=scope)
        said = headers.get("content-length", "")
        too_much = said.isdecimal() and (len(said) > 18 or int(said) > most)

        if said and "transfer-encoding" in headers:
            # a proxy before us may see another end of the body, and in what follows another request
            text = "a request has either Content-Length or Transfer-Encoding (RFC 9112, section 6.1)"
            await PlainTextResponse(text, 400, {"Connection": "close"})(scope, receive, send)
            return

        async def receive_within_bounds() -> Message:
            nonlocal size, whole
            if whole:  # what comes now is only the end of the connection
                return await receive()
            if too_much:
                raise HTTPException(413, "the body is too large")
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "the body did not come in time") from None
            size += len(message.get("body", b""))
            if size > most:
                raise HTTPException(413, "the body is too large")
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        await self._app(scope, receive_within_bounds, send)


class BoundedHead(H11Protocol):
    """uvicorn's protocol, which by itself waits for headers for ever, and for whoever reads nothing."""

    _patience: asyncio.TimerHandle | None = None
    _is_websocket = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        """Starts the clock."""
        super().connection_made(Gathered(transport, self.loop))
        self._gone = threading.Event()
        Reader(transport).watch(self.loop)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Starts the clock for a further request; stops it when the headers are whole."""
        super().data_received(data)
        if self.cycle is not None:
            scope = cast("dict[str, Any]", self.cycle.scope)
            scope[_GONE] = self._gone  # before the request's task has its first turn
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the clock."""
        super().connection_lost(exc)
        self._gone.set()
        self._stop()

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Its headers are whole, and what comes after them takes as long as it takes."""
        self._is_websocket = True
        self._stop()
        if isinstance(self.transport, Gathered):
            self.transport = self.transport.plain
        super().handle_websocket_upgrade(event)

    def _watch(self) -> None:
        if not self._is_waiting():
            self._stop()
        elif self._patience is None:
            self._patience = self.loop.call_later(HEAD_SECONDS, self._close_if_waiting)

    def _close_if_waiting(self) -> None:
        self._patience = None
        if self._is_waiting():
            self.transport.close()

    def _is_waiting(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return not self._is_websocket and (cycle is None or cycle.response_complete)

    def _stop(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which waits for ever when a handshake is none."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the clock."""
        super().connection_made(transport)
        self._patience = self.loop.call_later(HEAD_SECONDS, self._close_if_waiting)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the clock."""
        super().connection_lost(exc)
        if self._patience is not None:
            self._patience.cancel()

    def _close_if_waiting(self) -> None:
        if not self.handshake_initiated:
            self.transport.abort()
