"""The first packet of an MQTT 3.1.1 connection, read with bounds before anything else may happen.

Layout: OASIS MQTT 3.1.1, section 3.1 (CONNECT) and 3.2 (CONNACK).
"""

import asyncio
import struct
from dataclasses import dataclass

CONNECT_MAX = 8192
"""Bytes of a CONNECT; whoever sends more is nobody of ours."""

WRONG_VERSION = b"\x20\x02\x00\x01"
WRONG_NAME = b"\x20\x02\x00\x02"
NOT_AUTHORISED = b"\x20\x02\x00\x05"


class RefusedError(ValueError):
    """The bytes are no CONNECT of MQTT 3.1.1; `answer` is the CONNACK to send, if any."""

    def __init__(self, detail: str, answer: bytes = b"") -> None:
        super().__init__(detail)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Connect:
    """Who connects, and what the broker shall say when it falls silent."""

    client_id: str
    user: str
    password: str
    clean: bool
    keep_alive: int
    flags: int
    will_topic: str | None
    will: bytes


async def read(reader: asyncio.StreamReader) -> bytes:
    """The body of the CONNECT packet. Raises `RefusedError`, or IncompleteReadError at its end."""
    if await reader.readexactly(1) != b"\x10":
        raise RefusedError("the first packet is no CONNECT")
    length, shift = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
        if shift > 21:
            raise RefusedError("a packet length of more than four bytes")
    if length > CONNECT_MAX:
        raise RefusedError(f"a CONNECT of {length} bytes, at most {CONNECT_MAX} are read")
    return await reader.readexactly(length)


class _Fields:
    """Takes length-prefixed fields off the front of a packet."""

    def __init__(self, body: bytes) -> None:
        self.rest = body

    def take(self, count: int) -> bytes:
        if len(self.rest) < count:
            raise RefusedError("truncated")
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def number(self) -> int:
        return int(struct.unpack("!H", self.take(2))[0])

    def data(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        try:
            return self.data().decode()
        except UnicodeDecodeError as error:
            raise RefusedError("text that is not UTF-8") from error


def parse(body: bytes) -> Connect:
    """Raises `RefusedError` for anything but an MQTT 3.1.1 CONNECT with a user and a password."""
    fields = _Fields(body)
    name, level = fields.text(), fields.take(1)[0]
    if (name, level) != ("MQTT", 4):
        raise RefusedError(
            f"protocol {name[:10]!r} level {level}: only MQTT 3.1.1 is spoken here", WRONG_VERSION
        )
    flags = fields.take(1)[0]
    keep_alive = fields.number()
    client_id = fields.text()
    will_topic, will = (fields.text(), fields.data()) if flags & 0x04 else (None, b"")
    if flags & 0xC0 != 0xC0:
        raise RefusedError("no user and password: nobody is let in without", NOT_AUTHORISED)
    user, password = fields.text(), fields.text()
    clean = bool(flags & 0x02)
    if not client_id and not clean:
        raise RefusedError("a session to keep, but no client id", WRONG_NAME)
    if flags & 0x01 or flags & 0x18 == 0x18 or fields.rest:
        raise RefusedError("reserved flags or bytes after the end")
    return Connect(client_id, user, password, clean, keep_alive, flags, will_topic, will)


def build(connect: Connect) -> bytes:
    """The whole packet again, for the broker behind: without the password, which it need not know."""

    def field(data: bytes) -> bytes:
        return struct.pack("!H", len(data)) + data

    flags = connect.flags & ~0x40
    body = field(b"MQTT") + bytes((4, flags)) + struct.pack("!H", connect.keep_alive)
    body += field(connect.client_id.encode())
    if connect.will_topic is not None:
        body += field(connect.will_topic.encode()) + field(connect.will)
    body += field(connect.user.encode())
    return b"\x10" + _length(len(body)) + body


def _length(length: int) -> bytes:
    out = bytearray()
    while True:
        length, low = divmod(length, 128)
        out.append(low | (0x80 if length else 0))
        if not length:
            return bytes(out)
