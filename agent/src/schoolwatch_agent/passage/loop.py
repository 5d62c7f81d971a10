"""One thread that moves all bytes, and lets nobody wait for anybody."""

import contextlib
import errno
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from schoolwatch_agent.passage.door import Door
from schoolwatch_agent.passage.head import HEAD_MAX, OPENED, address, answer, asked
from schoolwatch_agent.passage.line import Bounds, Line, Side

TELL = 3600.0
"""Seconds between two lines of counts."""

LOOK = 0.5
"""Seconds between two looks at what takes too long."""

_UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Passage:
    """Leads who connects to one of `listening` to the server's ports in `names`, until `stop`."""

    def __init__(self, listening: Iterable[socket.socket], names: Sequence[str], bounds: Bounds) -> None:
        self._bounds = bounds
        self._doors = {where: Door(where) for where in map(address, names)}
        self._counts: Counter[str] = Counter()
        self._lines: set[Line] = set()
        self._clients: Counter[str] = Counter()
        self._most = 0
        self._is_over = False
        self._selector = selectors.DefaultSelector()
        self._woken, self.waker = socket.socketpair()
        self._resolved: list[Door] = []
        self._waiting: list[Line] = []
        for end in (self._woken, self.waker):
            end.setblocking(False)
        self._selector.register(self._woken, _READ, self._wake)
        for each in listening:
            each.setblocking(False)
            self._selector.register(each, _READ, partial(self._accept, each))

    def stop(self) -> None:
        """From any thread, or by a signal's handler."""
        self._is_over = True
        self._ring()

    def run(self, tell: Callable[[str], object]) -> None:
        """Works until it is stopped; `tell` hears counts, and nothing else."""
        looked = told = time.monotonic()
        while not self._is_over:
            for key, ready in self._selector.select(LOOK if self._lines else TELL):
                key.data(ready)
            now = time.monotonic()
            if now - looked >= LOOK:
                looked = now
                for line in list(self._lines):
                    self._look(line, now)
            if now - told >= TELL:
                told = now
                self._tell(tell)
        for line in list(self._lines):
            self._close(line)
        self._tell(tell)
        self._selector.close()
        for end in (self._woken, self.waker):
            end.close()

    def _tell(self, tell: Callable[[str], object]) -> None:
        if self._counts:
            counted = ", ".join(f"{name}: {number}" for name, number in sorted(self._counts.items()))
            tell(f"{counted}; at most {self._most} at once")
        self._counts.clear()
        self._most = len(self._lines)

    def _accept(self, listening: socket.socket, _: int) -> None:
        try:
            made, (client, *_rest) = listening.accept()
        except OSError:  # it is gone already, or this machine has nothing left for it
            time.sleep(0.01)
            return
        bounds = self._bounds
        if len(self._lines) >= bounds.connections or self._clients[client] >= bounds.per_client:
            self._counts["refused 503"] += 1
            with made, contextlib.suppress(OSError):
                made.setblocking(False)
                made.send(answer(503))
            return
        line = Line(made, client, time.monotonic(), bounds.head)
        self._lines.add(line)
        self._clients[client] += 1
        self._most = max(self._most, len(self._lines))
        self._want(line.near, _READ, partial(self._read_head, line))

    def _read_head(self, line: Line, _: int) -> None:
        try:
            part = line.near.socket.recv(HEAD_MAX - len(line.head))
        except BlockingIOError:
            return
        except OSError:
            part = b""
        line.head += part
        head, end, rest = line.head.partition(b"\r\n\r\n")
        if not part:
            self._counts["given up"] += 1
            self._close(line)
        elif end:
            self._seek(line, asked(head), rest)
        elif len(line.head) >= HEAD_MAX:
            self._refuse(line, 431)

    def _seek(self, line: Line, where: "tuple[str, int] | int", rest: bytes) -> None:
        """To one of the doors and to nowhere else: no other name is ever resolved."""
        door = None if isinstance(where, int) else self._doors.get(where)
        if door is None:
            self._refuse(line, where if isinstance(where, int) else 403)
            return
        self._want(line.near, 0)
        line.head, line.door = rest, door
        if door.is_fresh:
            self._go(line, door)
            return
        line.due, line.late = time.monotonic() + 2 * self._bounds.connect, 504
        self._waiting.append(line)
        door.ask(self._has_resolved)

    def _has_resolved(self, door: Door) -> None:
        """In the thread that did it."""
        self._resolved.append(door)
        self._ring()

    def _ring(self) -> None:
        with contextlib.suppress(OSError):  # it is full, and so will be read; or all is over
            self.waker.send(b"\0")

    def _wake(self, _: int) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        resolved = set()
        while self._resolved:
            resolved.add(self._resolved.pop())
        ready = [line for line in self._waiting if line.door in resolved]
        self._waiting = [line for line in self._waiting if line.door not in resolved and line in self._lines]
        for line in ready:
            if line in self._lines and line.door is not None:
                self._go(line, line.door)

    def _go(self, line: Line, door: Door) -> None:
        line.tries, line.late = list(door.addresses), 502
        self._try(line, door)

    def _try(self, line: Line, door: Door) -> None:
        """The next of the door's addresses."""
        while True:
            if line.far is not None:
                self._want(line.far, 0)
                line.far.socket.close()
                line.far = None
            if not line.tries:
                self._refuse(line, line.late)
                return
            ip = line.tries.pop(0)
            with contextlib.suppress(OSError):  # this machine has no such network, or nothing left for it
                far = line.far = Side(socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET))
                if far.socket.connect_ex((ip, door.port)) not in _UNDER_WAY:
                    continue
                line.due = time.monotonic() + self._bounds.connect
                self._want(far, _WRITE, partial(self._is_there, line, door, far, ip))
                return

    def _is_there(self, line: Line, door: Door, far: Side, ip: str, _: int) -> None:
        if far.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            line.late = 502
            self._try(line, door)
            return
        door.prefer(ip)
        self._counts["let through"] += 1
        line.is_open, line.moved = True, time.monotonic()
        try:
            line.near.give(OPENED, line.moved)
            if line.head:
                far.give(line.head, line.moved)
        except OSError:
            self._close(line)
            return
        self._follow(line, far)

    def _follow(self, line: Line, far: Side) -> None:
        """Waits for what each side is good for: a side is read when all that it said before was written."""
        for one, other in ((line.near, far), (far, line.near)):
            reads = 0 if one.has_ended or other.waiting else _READ
            self._want(
                one, reads | (_WRITE if one.waiting else 0), partial(self._move, line, far, one, other)
            )

    def _move(self, line: Line, far: Side, one: Side, other: Side, ready: int) -> None:
        if line not in self._lines:  # closed by what the other side was ready for at the same moment
            return
        line.moved = time.monotonic()
        try:
            if ready & _WRITE and one.waiting:
                one.push()
            if ready & _READ and not one.has_ended and not other.waiting:
                one.take(other, line.moved)
            one.end_after(other)
            other.end_after(one)
        except OSError:
            self._close(line)
            return
        if one.is_shut and other.is_shut:
            self._close(line)
        else:
            self._follow(line, far)

    def _look(self, line: Line, now: float) -> None:
        """Ends what takes too long."""
        if line.is_open:
            if line.is_over(now, self._bounds):
                self._counts["cut off"] += 1
                self._close(line)
        elif now >= line.due:
            if line.far is not None and line.door is not None:
                line.late = 504
                self._try(line, line.door)
            else:
                self._refuse(line, line.late)

    def _refuse(self, line: Line, status: int) -> None:
        self._counts[f"refused {status}"] += 1
        with contextlib.suppress(OSError):
            line.near.socket.send(answer(status))
            line.near.socket.shutdown(socket.SHUT_WR)
            line.near.socket.recv(65_536)  # what is unread at the end would take the answer back
        self._close(line)

    def _close(self, line: Line) -> None:
        if line not in self._lines:
            return
        self._lines.remove(line)
        self._clients[line.client] -= 1
        if not self._clients[line.client]:
            del self._clients[line.client]
        for side in filter(None, (line.near, line.far)):
            self._want(side, 0)
            side.socket.close()

    def _want(self, side: Side, events: int, then: Callable[[int], None] | None = None) -> None:
        known = side.socket in self._selector.get_map()
        if events and known:
            self._selector.modify(side.socket, events, then)
        elif events:
            self._selector.register(side.socket, events, then)
        elif known:
            self._selector.unregister(side.socket)
