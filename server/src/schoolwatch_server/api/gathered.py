"""Head and body of a short answer in one packet: uvicorn writes them one after the other.

Each write is a call into the kernel, and wakes the one who waits for the answer.
"""

import asyncio
from typing import Any, Final

AT_ONCE: Final = 16 * 1024
"""Bytes; longer parts of an answer go out by themselves, without being copied."""


class Gathered(asyncio.Transport):
    """A transport that holds what is written until the event loop's next turn, and no longer."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.plain = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Sends it soon, after all that was written before."""
        if not data:
            return
        if self._size + len(data) > AT_ONCE:
            self._flush()
            self.plain.write(data)
            return
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(bytes(data))
        self._size += len(data)

    def _flush(self) -> None:
        held, self._held, self._size = self._held, [], 0
        if held and not self.plain.is_closing():
            self.plain.write(b"".join(held))

    def close(self) -> None:
        """Ends the connection when all is sent."""
        self._flush()
        self.plain.close()

    def abort(self) -> None:
        """Ends the connection at once."""
        self.plain.abort()

    def is_closing(self) -> bool:
        """Whether it has ended, or is about to."""
        return self.plain.is_closing()

    def pause_reading(self) -> None:
        """Reads nothing until `resume_reading`."""
        self.plain.pause_reading()

    def resume_reading(self) -> None:
        """Reads again."""
        self.plain.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the plain transport tells."""
        return self.plain.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Who gets what is read."""
        self.plain.set_protocol(protocol)
