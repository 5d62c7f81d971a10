"""MQTT inside a WebSocket at /mqtt of the web server: for schools whose line lets only the web through.

The door only carries bytes between the device and the broker (OASIS MQTT 3.1.1 §6), which checks names and
passwords as for everybody. How many are inside at once is bounded, and who says nothing at first is let go.
"""

import asyncio
import contextlib
import logging
import ssl

from starlette.types import ASGIApp, Receive, Scope, Send

from schoolwatch_server import transport
from schoolwatch_server.address import reachable
from schoolwatch_server.config import ConfigError, ServerConfig
from schoolwatch_server.transport import WEBSOCKET_PATH

log = logging.getLogger(__name__)

PLACES = 1000
"""Devices inside at once: more need a broker that takes WebSockets itself (`mqtt.websocket_url`)."""

GREETING = 15.0
"""Seconds until the first bytes of a device."""

QUIET = 1200.0
"""Seconds without a byte from a device after which it has gone: twice the longest keep-alive of an agent."""

_AT_ONCE = 65_536


class BrokerDoor:
    """ASGI middleware; every other WebSocket is turned away."""

    def __init__(self, app: ASGIApp, config: ServerConfig, places: int = PLACES) -> None:
        self._app, self._config, self._free = app, config, places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what is no WebSocket."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        await receive()  # "websocket.connect"
        is_ours = scope["path"] == WEBSOCKET_PATH and "mqtt" in scope["subprotocols"]
        if not is_ours or self._free < 1:
            await send({"type": "websocket.close", "code": 1013 if is_ours else 1002})
            return
        self._free -= 1
        try:
            await self._let_in(receive, send)
        finally:
            self._free += 1

    async def _let_in(self, receive: Receive, send: Send) -> None:
        try:
            reader, writer = await self._broker()
        except (OSError, ConfigError) as error:
            log.warning("the broker can't be reached for a WebSocket: %s", error)
            await send({"type": "websocket.close", "code": 1013})
            return
        await send({"type": "websocket.accept", "subprotocol": "mqtt"})
        ways = [asyncio.create_task(_inwards(receive, writer)), asyncio.create_task(_outwards(reader, send))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            writer.close()
            with contextlib.suppress(Exception):  # it may be closed already
                await send({"type": "websocket.close", "code": 1000})

    async def _broker(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        mqtt, ca = self._config.mqtt, transport.broker_ca(self._config)
        context: ssl.SSLContext | None = transport.client_context(ca) if ca else None
        return await asyncio.open_connection(reachable(mqtt.host), mqtt.port, ssl=context)


async def _inwards(receive: Receive, writer: asyncio.StreamWriter) -> None:
    """From the device to the broker; ends with either, or when the device falls silent."""
    wait = GREETING
    while True:
        message = await asyncio.wait_for(receive(), wait)
        data = message.get("bytes")
        if message["type"] != "websocket.receive" or data is None:  # text is no MQTT (§6.0.0-1)
            return
        writer.write(data)
        await writer.drain()
        wait = QUIET


async def _outwards(reader: asyncio.StreamReader, send: Send) -> None:
    while data := await reader.read(_AT_ONCE):
        await send({"type": "websocket.send", "bytes": data})
