"""Many wrong logins at a broker, as fast as they go; a program of its own, to take no time of the test."""

import json
import secrets
import socket
import struct
import sys
from collections import Counter

BATCH = 100


def field(data: bytes) -> bytes:
    """A field as MQTT writes it: its length first (MQTT 3.1.1, section 1.5)."""
    return struct.pack("!H", len(data)) + data


def packet(first: int, body: bytes) -> bytes:
    """A control packet (MQTT 3.1.1, section 2.2)."""
    length, rest = bytearray(), len(body)
    while True:
        rest, low = divmod(rest, 128)
        length.append(low | (0x80 if rest else 0))
        if not rest:
            return bytes((first,)) + bytes(length) + body


def connect(client_id: str, user: str, password: str) -> bytes:
    """A CONNECT of MQTT 3.1.1 with a clean session."""
    fields = (client_id, user, password)
    head = field(b"MQTT") + bytes((4, 0xC2)) + struct.pack("!H", 30)
    return packet(0x10, head + b"".join(field(text.encode()) for text in fields))


def burst(at: tuple[str, int], source: str, users: list[str], count: int) -> Counter[str]:
    """What was answered: `accepted`, `refused`, or `closed` without a word."""
    said: Counter[str] = Counter()
    for first in range(0, count, BATCH):
        open_ = []
        for n in range(first, min(first + BATCH, count)):
            try:
                raw = socket.create_connection(at, timeout=10, source_address=(source, 0))
                raw.sendall(connect(users[n % len(users)], users[n % len(users)], secrets.token_urlsafe(32)))
                open_.append(raw)
            except OSError:
                said["closed"] += 1
        for raw in open_:
            with raw:
                said[_answer(raw)] += 1
    return said


def _answer(raw: socket.socket) -> str:
    try:
        answer = raw.recv(4)
    except ConnectionError:
        return "closed"
    if not answer:
        return "closed"
    return "accepted" if answer == b"\x20\x02\x00\x00" else "refused"


if __name__ == "__main__":
    _, host, port, source, count, *users = sys.argv
    print(json.dumps(burst((host, int(port)), source, users, int(count))))
