"""Who asks and then does not read: an answer that nobody takes must not hold its connection for ever.

What counts is what the other side has acknowledged (TCP_INFO of tcp(7); the struct of linux/tcp.h), so it is
the same with TLS and without. On a system that does not tell, nobody is cut off by this.
"""

import asyncio
import fcntl
import socket
import struct
import sys
import termios
import weakref
from dataclasses import dataclass

SECONDS = 60.0
"""From one look at a connection to the next."""

LEAST = 250 * SECONDS
"""Bytes that a reader takes in that time, when so many wait for it: a modem of 2,400 baud does."""

_ACKNOWLEDGED = 120
_INFO = _ACKNOWLEDGED + 8
"""Where `tcpi_bytes_acked` (a u64) begins and ends in the struct."""


@dataclass(slots=True)
class Seen:
    """Bytes of a connection: acknowledged by the other side so far, and waiting for it in the kernel."""

    acknowledged: int
    waiting: int

    def is_stuck_since(self, before: "Seen") -> bool:
        """Whether what waited before has neither gone, nor gone on at the least rate."""
        return self.acknowledged - before.acknowledged < min(before.waiting, LEAST)


class Reader:
    """The other side of one connection, looked at until it ends."""

    def __init__(self, transport: asyncio.Transport) -> None:
        # weak: an ended connection's buffers, with TLS 256 KiB, must not wait for the next look
        self._transport = weakref.ref(transport)
        self._socket: socket.socket | None = transport.get_extra_info("socket")
        self._before: Seen | None = None

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Looks from time to time, and ends the connection of a reader that is stuck."""
        if sys.platform == "linux":
            loop.call_later(SECONDS, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        seen = None if self._socket is None else look(self._socket)
        if seen is None:
            return
        if self._before is not None and seen.is_stuck_since(self._before):
            self._end()
            return
        self._before = seen
        loop.call_later(SECONDS, self._look, loop)

    def _end(self) -> None:
        assert self._socket is not None
        # to close it would wait until everything was read, here and in the kernel (SO_LINGER of socket(7))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport = self._transport()
        if transport is not None:
            transport.abort()


def look(connection: socket.socket) -> Seen | None:
    """How far the other side has read; None when the connection has ended, or nobody knows."""
    if connection.fileno() < 0:
        return None
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO)
        waiting = struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)))[0]
    except OSError:
        return None
    if len(info) < _INFO:
        return None
    return Seen(struct.unpack_from("Q", info, _ACKNOWLEDGED)[0], waiting)
