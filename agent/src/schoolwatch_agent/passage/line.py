"""One client's connection, its bounds, and the bytes that are on their way."""

import contextlib
import socket

from schoolwatch_agent.passage.door import Door

CHUNK = 16_384
"""Bytes that are on their way in one direction of one connection; the next are read when they are gone."""

LINGER = 60.0
"""Seconds of silence that one direction is given when the other one has ended."""


class Bounds:
    """How many connections, in all and of one client; seconds for each part of a connection's life.

    `head`: until the request is whole. `connect`: for one address of the server. `stuck`: until who receives
    has taken a chunk. `idle`: of silence in both directions, longer than an agent that stays connected is
    silent. `total`: of all.
    """

    def __init__(
        self,
        connections: int,
        per_client: int,
        *,
        head: float = 10.0,
        connect: float = 3.0,
        stuck: float = 60.0,
        idle: float = 900.0,
        total: float = 86_400.0,
    ) -> None:
        self.connections, self.per_client = connections, per_client
        self.head, self.connect, self.stuck, self.idle, self.total = head, connect, stuck, idle, total


class Side:
    """One of a connection's two sockets, and what is to be written to it since `since`.

    `has_ended`: it says nothing more. `is_shut`: we say nothing more to it.
    """

    def __init__(self, made: socket.socket) -> None:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = made
        self.waiting = b""
        self.since = 0.0
        self.has_ended = self.is_shut = False

    def give(self, data: bytes, now: float) -> None:
        """Writes what goes at once, and keeps the rest. Raises OSError."""
        self.waiting, self.since = data, now
        self.push()

    def push(self) -> None:
        """Writes what goes of what is kept. Raises OSError."""
        with contextlib.suppress(BlockingIOError):
            self.waiting = self.waiting[self.socket.send(self.waiting) :]

    def take(self, other: "Side", now: float) -> None:
        """Reads a chunk and gives it to the other side. Raises OSError."""
        try:
            part = self.socket.recv(CHUNK)
        except BlockingIOError:
            return
        self.has_ended = not part
        if part:
            other.give(part, now)

    def end_after(self, other: "Side") -> None:
        """Says no more when the other side has said its last and all of it was written. Raises OSError."""
        if other.has_ended and not self.waiting and not self.is_shut:
            self.socket.shutdown(socket.SHUT_WR)
            self.is_shut = True


class Line:
    """A client's connection: its head, then its way to a door by one of `tries`, then bytes both ways.

    While it is not open: `due` is when it is late, and `late` what is then answered.
    """

    def __init__(self, made: socket.socket, client: str, now: float, head: float) -> None:
        self.client, self.began, self.moved = client, now, now
        self.near = Side(made)
        self.far: Side | None = None
        self.head = b""
        self.door: Door | None = None
        self.tries: list[str] = []
        self.is_open = False
        self.due, self.late = now + head, 408

    def is_over(self, now: float, bounds: Bounds) -> bool:
        """Whether an open one is stuck, idle or too old."""
        sides = (self.near, self.far) if self.far else (self.near,)
        has_ended = any(side.has_ended for side in sides)
        is_stuck = any(side.waiting and now - side.since > bounds.stuck for side in sides)
        is_idle = now - self.moved > (min(LINGER, bounds.idle) if has_ended else bounds.idle)
        return is_stuck or is_idle or now - self.began > bounds.total
