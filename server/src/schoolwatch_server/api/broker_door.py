"""MQTT inside a WebSocket at /mqtt of the web server: for schools whose line lets only the web through.

The door only carries bytes between the device and the broker (OASIS MQTT 3.1.1 §6), which checks names and
passwords as for everybody. How many are inside at once is bounded, and who has not logged in soon is let go.
The broker sees all of them come from this machine, so addresses that are often wrong are turned away here.
"""

import asyncio
import collections
import contextlib
import logging
import ssl

from starlette.types import ASGIApp, Receive, Scope, Send

from schoolwatch_server import transport
from schoolwatch_server.address import is_own, reachable
from schoolwatch_server.attempts import Attempts
from schoolwatch_server.broker.limits import WAITING_EACH_MAX, WRONG_MAX, WRONG_SECONDS
from schoolwatch_server.config import ConfigError, ServerConfig
from schoolwatch_server.transport import WEBSOCKET_PATH

log = logging.getLogger(__name__)

PLACES = 1000
"""Devices inside at once: more need a broker that takes WebSockets itself (`mqtt.websocket_url`)."""

GREETING = 15.0
"""Seconds in which a device must have logged in."""

QUIET = 1200.0
"""Seconds without a byte from a device after which it has gone: twice the longest keep-alive of an agent."""

_AT_ONCE = 65_536
_CONNACK = b"\x20"
"""How the broker's first answer begins; its fourth byte is 0 for who is let in (MQTT 3.1.1 §3.2)."""


class BrokerDoor:
    """ASGI middleware; every other WebSocket is turned away."""

    def __init__(self, app: ASGIApp, config: ServerConfig, places: int = PLACES) -> None:
        self._app, self._config, self._free = app, config, places
        self._waiting: collections.Counter[str] = collections.Counter()
        self._wrong = Attempts(WRONG_MAX, WRONG_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what is no WebSocket."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        await receive()  # "websocket.connect"
        is_ours = scope["path"] == WEBSOCKET_PATH and "mqtt" in scope["subprotocols"]
        address = scope["client"][0] if scope["client"] else ""
        if not is_ours or self._is_full_for(address):
            await send({"type": "websocket.close", "code": 1013 if is_ours else 1002})
            return
        self._free -= 1
        visit = _Visit(self._waiting, self._wrong, address)
        try:
            await self._let_in(receive, send, visit)
        finally:
            self._free += 1
            visit.waits_no_more()

    def _is_full_for(self, address: str) -> bool:
        if self._free < 1:
            return True
        if is_own(address):  # a reverse proxy, for everybody
            return False
        return self._waiting[address] >= WAITING_EACH_MAX or self._wrong.wait(address) > 0

    async def _let_in(self, receive: Receive, send: Send, visit: "_Visit") -> None:
        try:
            reader, writer = await self._broker()
        except (OSError, ConfigError) as error:
            log.warning("the broker can't be reached for a WebSocket: %s", error)
            await send({"type": "websocket.close", "code": 1013})
            return
        await send({"type": "websocket.accept", "subprotocol": "mqtt"})
        inwards = asyncio.create_task(_inwards(receive, writer))
        ways = (inwards, asyncio.create_task(_outwards(reader, send, visit)))
        asyncio.get_running_loop().call_later(GREETING, lambda: visit.waits and inwards.cancel())
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


class _Visit:
    """One connection, which waits until the broker lets it in."""

    def __init__(self, waiting: collections.Counter[str], wrong: Attempts, address: str) -> None:
        self._waiting, self._wrong, self._address = waiting, wrong, address
        self.waits = True
        waiting[address] += 1

    def answered(self, data: bytes) -> None:
        """The broker's first answer."""
        if data[:1] == _CONNACK and data[3:4] == b"\0":
            self.waits_no_more()
        else:
            self._wrong.failed(self._address)

    def waits_no_more(self) -> None:
        """It has logged in, or is gone."""
        if self.waits:
            self.waits = False
            self._waiting[self._address] -= 1
            if self._waiting[self._address] <= 0:
                del self._waiting[self._address]


async def _inwards(receive: Receive, writer: asyncio.StreamWriter) -> None:
    """From the device to the broker; ends with either, or when the device falls silent."""
    while True:
        message = await asyncio.wait_for(receive(), QUIET)
        data = message.get("bytes")
        if message["type"] != "websocket.receive" or data is None:  # text is no MQTT (§6.0.0-1)
            return
        writer.write(data)
        await writer.drain()


async def _outwards(reader: asyncio.StreamReader, send: Send, visit: _Visit) -> None:
    is_first = True
    while data := await reader.read(_AT_ONCE):
        if is_first:
            visit.answered(data)
            is_first = False
        await send({"type": "websocket.send", "bytes": data})
