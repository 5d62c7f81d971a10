"""One direction of one test on an open connection: sends or takes until the time is over, and measures."""

import asyncio
import contextlib
import os
import secrets
import socket
import time
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from schoolwatch_contract import ndt7
from schoolwatch_contract.ndt7 import Direction
from schoolwatch_server.speedtest.line import Line, Running, interface_of

_PAYLOAD = os.urandom(ndt7.MESSAGE_SCALED)


class Test:
    """One direction of one test."""

    def __init__(
        self, connection: ServerConnection, direction: Direction, line: Line, seconds: float
    ) -> None:
        self._connection, self._direction, self._line, self._seconds = connection, direction, line, seconds
        self._socket: socket.socket = connection.transport.get_extra_info("socket")
        self._began = time.monotonic()
        self._bytes = 0
        self._uuid = secrets.token_hex(8)
        self.running = Running(direction, self._carried, interface_of(connection.local_address[0]))

    async def run(self) -> None:
        """Until the time is over; the last message is the summary."""
        work = self._send() if self._direction == "download" else self._take()
        telling = asyncio.create_task(self._tell())
        working = asyncio.create_task(work)
        try:
            done, _ = await asyncio.wait((telling, working), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            await self._connection.send(self._message())
        finally:
            for task in (telling, working):
                task.cancel()
            await asyncio.gather(telling, working, return_exceptions=True)

    async def _send(self) -> None:
        """Download: messages that grow until a fast line is full."""
        listening = asyncio.create_task(self._listen())
        message = _PAYLOAD[: ndt7.MESSAGE_FIRST]
        try:
            while self._elapsed() < self._seconds:
                await self._connection.send(message)
                self._bytes += len(message)
                size = ndt7.next_size(len(message), self._bytes)
                if size != len(message):
                    message = _PAYLOAD[:size]
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self) -> None:
        """A client may say what it measured; it is not kept."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._connection.recv(decode=False)

    async def _take(self) -> None:
        """Upload: whatever comes is counted and dropped."""
        while True:
            self._bytes += len(await self._connection.recv(decode=False))

    async def _tell(self) -> None:
        while (left := self._seconds - self._elapsed()) > 0:
            await asyncio.sleep(min(ndt7.MEASUREMENT_SECONDS, left))
            if self._elapsed() < self._seconds:
                await self._connection.send(self._message())
        if self._direction == "download":
            await asyncio.Event().wait()  # the sender says when it is over

    def _message(self) -> str:
        elapsed = self._elapsed()
        name = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0")
        return ndt7.encode(
            ndt7.Measurement(
                ndt7.AppInfo(round(elapsed * 1e6), self._bytes),
                self._tcp_info(),
                ndt7.ConnectionInfo(
                    _text(self._connection.remote_address), _text(self._connection.local_address), self._uuid
                ),
                origin="server",
                test=self._direction,
                school_watch=ndt7.Server(
                    self._line.is_limited(self.running),
                    round(self.running.line_share, 3),
                    round(self.running.cpu_share, 3),
                    name.decode("ascii", "replace"),
                ),
            )
        )

    def _tcp_info(self) -> ndt7.TCPInfo:
        kernel = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, ndt7.TCP_INFO_BYTES)
        return ndt7.tcp_info(kernel, self._elapsed())

    def _carried(self) -> int:
        try:
            info = self._tcp_info()
        except OSError:  # it has just been closed
            return 0
        return (info.bytes_acked if self._direction == "download" else info.bytes_received) or 0

    def _elapsed(self) -> float:
        return time.monotonic() - self._began


def _text(address: Any) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
