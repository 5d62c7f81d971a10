"""A bundle: frames of one device in one file, for a stick that is carried to the server.

Head, frames, end; big-endian. `HEAD` says what stands before the frames. Each frame is unchanged, behind its
length in 4 bytes. The end is a length of 0, the number of frames (8 bytes) and an HMAC-SHA-256 of everything
before it with the device's key. Both sides hold one frame at a time, so a bundle may be of any length.
"""

import hmac
import struct
from collections.abc import Callable, Iterator

import msgspec

from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.frame import FRAME_MAX, KEY_BYTES
from schoolwatch_contract.records import EARLIEST, LATEST

MAGIC = b"SWBUNDLE"
"""How every bundle begins: no frame begins so, thus no HMAC of the one is ever taken for one of the other."""

FORMAT = 1

HEAD = (
    ("magic", "8s", "the letters SWBUNDLE"),
    ("format", "B", "always 1; another number is another layout"),
    ("device", "16s", "the id of the device whose frames follow"),
    ("made_at", "q", "the device's clock when it was written, in milliseconds since 1970 UTC, signed"),
)
"""The head: name, code of Python's `struct`, meaning."""

SUFFIX = ".swbundle"
"""How a bundle's file is named by the agent."""

_head = struct.Struct(">" + "".join(code for _, code, _ in HEAD))
_LENGTH = struct.Struct(">I")
_COUNT = struct.Struct(">Q")
_MAC_BYTES = 32


class Head(msgspec.Struct, frozen=True):
    """Whose bundle it is (32 hex digits), and the device's clock when it was written, UTC seconds."""

    device: str
    made_at: float


class Writer:
    """Writes head, frames and end, piece by piece, with `write`."""

    def __init__(self, write: Callable[[bytes], object], head: Head, key: bytes) -> None:
        self._write = write
        self._mac = _signature(key)
        self.count = 0
        self._put(_head.pack(MAGIC, FORMAT, bytes.fromhex(head.device), round(head.made_at * 1000)))

    def add(self, frame: bytes) -> None:
        """One more frame, as `frame.seal` made it."""
        self._put(_LENGTH.pack(len(frame)) + frame)
        self.count += 1

    def end(self) -> None:
        """What proves that nothing is missing; without it no server takes the file."""
        self._put(_LENGTH.pack(0) + _COUNT.pack(self.count))
        self._write(self._mac.digest())

    def _put(self, part: bytes) -> None:
        self._mac.update(part)
        self._write(part)


class Reader:
    """Reads a bundle once, from its first byte, with `read(n)`: n bytes, fewer only at the end.

    Raises `ContractError` for a file that is no bundle; OSError of `read` passes.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._start = read(_head.size)
        self.head = _parse_head(self._start)

    def frames(self, key: bytes) -> Iterator[bytes]:
        """The frames in their order. Raises `ContractError` at the first byte that cannot be right.

        Only when it came to its end without an error is it proved that the holder of `key` wrote it all.
        """
        mac = _signature(key)
        mac.update(self._start)

        def signed(size: int) -> bytes:
            part = self._exactly(size)
            mac.update(part)
            return part

        count = 0
        while length := int(_LENGTH.unpack(signed(_LENGTH.size))[0]):
            if length > FRAME_MAX:
                raise ContractError("too_large", f"frame {count + 1} has {length} bytes, at most {FRAME_MAX}")
            count += 1
            yield signed(length)
        said = int(_COUNT.unpack(signed(_COUNT.size))[0])
        if not hmac.compare_digest(mac.digest(), self._exactly(_MAC_BYTES)):
            raise ContractError("hmac", "the bundle was not made with this device's key, or was changed")
        if said != count:
            raise ContractError("header", f"the bundle holds {count} frames and says {said}")
        if self._read(1):
            raise ContractError("format", "more bytes follow the bundle's end")

    def _exactly(self, size: int) -> bytes:
        part = self._read(size)
        if len(part) != size:
            raise ContractError("truncated", "the file ends before the bundle does")
        return part


def _parse_head(start: bytes) -> Head:
    if start[: len(MAGIC)] != MAGIC[: len(start)] or not start:
        raise ContractError("format", "the file is no bundle of an agent")
    if len(start) < _head.size:
        raise ContractError("truncated", f"{len(start)} bytes are less than a bundle's head")
    _, number, device, made_ms = _head.unpack(start)
    if number != FORMAT:
        raise ContractError("format", f"bundle format {number} is not known here, {FORMAT} is")
    if not EARLIEST * 1000 <= made_ms < LATEST * 1000:
        raise ContractError("time", f"made_at {made_ms / 1000} is not between the years 1980 and 2100")
    return Head(device.hex(), made_ms / 1000)


def _signature(key: bytes) -> "hmac.HMAC":
    if len(key) != KEY_BYTES:
        raise ContractError("hmac", f"the key has {len(key)} bytes, not {KEY_BYTES}")
    return hmac.new(key, digestmod="sha256")
