"""The client's half of NDT7, on the websockets library. It is imported in the test's child process alone.

Download is counted from the bytes that arrived, upload from what the server's kernel says arrived
(BytesReceived): what this end has written may still lie in a buffer (ndt7-client-go#74).
"""

import asyncio
import contextlib
import os
import socket
import ssl
import statistics
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from schoolwatch_agent.bandwidth.leave import NoLeaveError
from schoolwatch_agent.bandwidth.order import Family, Outcome, Way
from schoolwatch_contract import ndt7
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.ndt7 import Direction
from schoolwatch_contract.slot import Slot

SUMMARY_SECONDS = 0.5
"""How long the server's last word on an upload is waited for."""

SETTLED = 0.5
"""Part of a test after which the line counts as full, for the round-trip time under load."""

_MICRO = 1e-6


class SpentError(Exception):
    """The test would have cost more bytes than are left."""


@dataclass(slots=True)
class _Run:
    """One direction as it goes on."""

    direction: Direction
    seconds: float
    family: Family
    began: float = field(default_factory=time.monotonic)
    bytes: int = 0
    counted_at: float = 0.0
    last: ndt7.Measurement = field(default_factory=ndt7.Measurement)
    received: ndt7.TCPInfo = field(default_factory=ndt7.TCPInfo)
    rtts: list[tuple[float, int]] = field(default_factory=list)
    rtt_min: int | None = None

    def elapsed(self) -> float:
        """Seconds since the handshake."""
        return time.monotonic() - self.began

    def hear(self, text: str) -> None:
        """A measurement message of the server's; what is none is left unread."""
        with contextlib.suppress(ContractError):
            self.last = ndt7.decode(text)
            if self.direction == "download":  # who sends data knows the round-trip time
                self.note(self.last.tcp_info)

    def note(self, info: ndt7.TCPInfo | None) -> None:
        """A round-trip time of the end that sends."""
        if info is not None and info.rtt:
            self.rtts.append((self.elapsed(), info.rtt))
            self.rtt_min = info.min_rtt or self.rtt_min

    def way(self) -> Way:
        """The result. Raises `NoLeaveError` when too little came to tell."""
        rate, moved, seconds = self._rate()
        loaded = [rtt for at, rtt in self.rtts if at >= self.seconds * SETTLED]
        own = self.last.school_watch or ndt7.Server()
        return Way(
            rate,
            moved,
            seconds,
            None if self.rtt_min is None else self.rtt_min * _MICRO,
            statistics.median(loaded) * _MICRO if loaded else None,
            own.limited,
            None if self.last.school_watch is None else own.line_share,
            own.congestion_control,
            self._line_rate(),
        )

    def _line_rate(self) -> float | None:
        info = self.received if self.direction == "download" else self.last.tcp_info or ndt7.TCPInfo()
        moved = ndt7.line_bytes(info, self.family)
        return moved * 8e6 / info.elapsed_time if moved and info.elapsed_time else None

    def _rate(self) -> tuple[float, int, float]:
        if self.direction == "download":
            moved, seconds = self.bytes, self.counted_at
        else:
            info = self.last.tcp_info or ndt7.TCPInfo()
            moved, seconds = info.bytes_received or 0, (info.elapsed_time or 0) * _MICRO
        if not moved or seconds < self.seconds / 2:
            raise NoLeaveError("interrupted", f"{self.direction} ended after {self.elapsed():.1f} s")
        return moved * 8 / seconds, moved, seconds


async def measure(slot: Slot, family: Family, bytes_left: int, tls: ssl.SSLContext | None) -> Outcome:
    """Download, then upload. What went wrong is an outcome too: its bytes are spent."""
    host = urlsplit(slot.download).hostname or ""
    used = await asyncio.to_thread(choose, host, family)
    spending = Spending(bytes_left)
    cpu = time.process_time()
    machine, began = psutil.cpu_times(), time.monotonic()
    try:
        down = await _one("download", slot, used, spending, tls)
        up = await _one("upload", slot, used, spending, tls)
    except NoLeaveError as error:
        return Outcome(error.why, error.detail, error.retry, bytes=spending.total)
    except SpentError:
        return Outcome("budget", bytes=spending.total)
    own = (time.process_time() - cpu) / (time.monotonic() - began)
    return Outcome(
        family=used,
        server=urlsplit(slot.download).netloc,
        rate=slot.rate,
        assumed=slot.assumed,
        download=down,
        upload=up,
        busy=round(max(own, _busy(machine, psutil.cpu_times())), 3),
        bytes=spending.total,
    )


@dataclass(slots=True)
class Spending:
    """Bytes moved so far, and how many may be."""

    most: int
    total: int = 0

    def add(self, size: int) -> None:
        """Raises `SpentError` when that was one too many."""
        self.total += size
        if self.total > self.most:
            raise SpentError


def choose(host: str, wanted: Family) -> Family:
    """The wanted family when the host has an address in it and this machine a way there, else the other.

    Raises `NoLeaveError`. A connected UDP socket sends nothing: it only looks up the route.
    """
    try:
        found = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise NoLeaveError("unreachable", f"{host}: {error}") from error
    reachable: set[Family] = set()
    for family, kind, number, _, where in found:
        with contextlib.suppress(OSError), socket.socket(family, kind, number) as trial:
            trial.connect(where)
            reachable.add(6 if family == socket.AF_INET6 else 4)
    if not reachable:
        raise NoLeaveError("unreachable", f"no way to {host}")
    return wanted if wanted in reachable else next(iter(reachable))


async def _one(
    direction: Direction, slot: Slot, family: Family, spending: Spending, tls: ssl.SSLContext | None
) -> Way:
    url = slot.download if direction == "download" else slot.upload
    try:
        async with connect(
            url,
            subprotocols=[Subprotocol(ndt7.SUBPROTOCOL)],
            compression=None,
            proxy=None,  # a proxy's line is not the school's
            user_agent_header=None,
            open_timeout=ndt7.HANDSHAKE_SECONDS,
            close_timeout=1,
            ping_interval=None,
            max_size=ndt7.MESSAGE_MAX,
            max_queue=(2, 1),
            family=socket.AF_INET6 if family == 6 else socket.AF_INET,
            ssl=tls if url.startswith("wss:") else None,
        ) as connection:
            run = _Run(direction, slot.seconds, family)
            try:
                async with asyncio.timeout(ndt7.CUT_SECONDS):
                    await (_download if direction == "download" else _upload)(connection, run, spending)
            except (TimeoutError, ConnectionClosed):
                pass  # what was measured until then may do: `way` judges
            finally:
                connection.transport.abort()  # nobody waits for what lies in buffers
            return run.way()
    except InvalidStatus as error:
        raise NoLeaveError("refused", f"{direction}: HTTP {error.response.status_code}") from error
    except (InvalidHandshake, InvalidMessage, OSError, TimeoutError, EOFError) as error:
        raise NoLeaveError("unreachable", f"{direction}: {str(error) or type(error).__name__}") from error


async def _download(connection: ClientConnection, run: _Run, spending: Spending) -> None:
    while run.elapsed() < run.seconds:
        message = await asyncio.wait_for(connection.recv(), run.seconds - run.elapsed() + 1)
        if isinstance(message, str):
            run.hear(message)
        else:
            run.bytes += len(message)
            run.counted_at = run.elapsed()  # a message is counted when it is whole, and so is its time
            spending.add(len(message))
    run.received = _kernel(connection, run) or run.received


async def _upload(connection: ClientConnection, run: _Run, spending: Spending) -> None:
    hearing = asyncio.create_task(_hear(connection, run))
    noting = asyncio.create_task(_note(connection, run))
    sending = asyncio.create_task(_send(connection, run, spending))
    try:
        await sending
        # the server's last message is the summary; should it be late, the one before it does
        await asyncio.wait((hearing,), timeout=SUMMARY_SECONDS)
    finally:
        for task in (hearing, noting, sending):
            task.cancel()
        await asyncio.gather(hearing, noting, sending, return_exceptions=True)


async def _hear(connection: ClientConnection, run: _Run) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            message = await connection.recv()
            if isinstance(message, str):
                run.hear(message)


async def _send(connection: ClientConnection, run: _Run, spending: Spending) -> None:
    message = os.urandom(ndt7.MESSAGE_FIRST)
    with contextlib.suppress(ConnectionClosed):
        while run.elapsed() < run.seconds:
            await connection.send(message)
            run.bytes += len(message)
            spending.add(len(message))
            size = ndt7.next_size(len(message), run.bytes)
            if size != len(message):
                message *= size // len(message)


async def _note(connection: ClientConnection, run: _Run) -> None:
    """The sender's round-trip times, where the system tells them (Linux)."""
    while (info := _kernel(connection, run)) is not None:
        run.note(info)
        await asyncio.sleep(ndt7.MEASUREMENT_SECONDS)


def _kernel(connection: ClientConnection, run: _Run) -> ndt7.TCPInfo | None:
    """What this end's kernel counted; None where it does not tell (not Linux), or when it is closed."""
    if not hasattr(socket, "TCP_INFO"):
        return None
    own: socket.socket = connection.transport.get_extra_info("socket")
    try:
        kernel = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, ndt7.TCP_INFO_BYTES)
    except OSError:
        return None
    return ndt7.tcp_info(kernel, run.elapsed())


def _busy(before: "psutil._ntuples.scputimes", after: "psutil._ntuples.scputimes") -> float:
    """Share of all processors' time that was not idle."""
    total = sum(after) - sum(before)
    idle = after.idle - before.idle + getattr(after, "iowait", 0) - getattr(before, "iowait", 0)
    return 1 - idle / total if total > 0 else 0.0
