"""Listens in on real connections: a TCP relay that keeps what clients sent, and the MQTT packets in it."""

import socket
import struct
import threading
from collections.abc import Iterator
from typing import NamedTuple, Self


class Connect(NamedTuple):
    """An MQTT 3.1.1 CONNECT (3.1): who says that it comes, and whether it leaves a last will."""

    client_id: str
    user: str
    password: str
    has_will: bool


class Publish(NamedTuple):
    """A PUBLISH (3.3)."""

    topic: str
    payload: bytes


class Subscribe(NamedTuple):
    """A SUBSCRIBE (3.8)."""

    topics: tuple[str, ...]


Packet = Connect | Publish | Subscribe | int
"""What a client sent; any other packet is its type."""


class Tap:
    """Relays every connection to a port of 127.0.0.1, unchanged."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.sent: list[bytearray] = []
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        for each in self._open:
            each.close()

    def packets(self) -> list[Packet]:
        """All that clients sent."""
        return [packet for stream in self.sent for packet in _packets(bytes(stream))]

    def raw(self) -> bytes:
        """Every byte of it."""
        return b"".join(map(bytes, self.sent))

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            self._open += (near, far)
            kept = bytearray()
            self.sent.append(kept)
            threading.Thread(target=_relay, args=(near, far, kept), daemon=True).start()
            threading.Thread(target=_relay, args=(far, near, bytearray()), daemon=True).start()


def _relay(of: socket.socket, to: socket.socket, kept: bytearray) -> None:
    try:
        while part := of.recv(65536):
            kept += part
            to.sendall(part)
        to.shutdown(socket.SHUT_WR)
    except OSError:
        return


def _packets(stream: bytes) -> Iterator[Packet]:
    at = 0
    while at < len(stream):
        kind, at, shift, length = stream[at] >> 4, at + 1, 0, 0
        while True:
            byte, at = stream[at], at + 1
            length |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                break
        yield _packet(kind, stream[at : at + length])
        at += length


def _packet(kind: int, body: bytes) -> Packet:
    if kind == 1:
        flags = body[7]
        texts = list(_texts(body[10:]))
        assert flags & 0b11000000 == 0b11000000  # user and password
        return Connect(texts[0], texts[-2], texts[-1], bool(flags & 4))
    if kind == 3:
        (size,) = struct.unpack_from(">H", body)
        return Publish(body[2 : 2 + size].decode(), body[4 + size :])  # QoS 1: behind the packet's number
    if kind == 8:
        topics, rest = [], body[2:]
        while rest:
            (size,) = struct.unpack_from(">H", rest)
            topics.append(rest[2 : 2 + size].decode())
            rest = rest[3 + size :]
        return Subscribe(tuple(topics))
    return kind


def _texts(body: bytes) -> Iterator[str]:
    while body:
        (size,) = struct.unpack_from(">H", body)
        yield body[2 : 2 + size].decode()
        body = body[2 + size :]
