"""Ethernet frames as hosts, routers, servers and attackers send them; and a reader of captures."""

import socket
import struct
from collections.abc import Iterator
from pathlib import Path

ROUTER, ROGUE, PC, OTHER = (bytes.fromhex(f"02000000000{n}") for n in "1234")
EVERYBODY = b"\xff" * 6


def ethernet(source: bytes, kind: int, body: bytes, to: bytes = EVERYBODY, tags: bytes = b"") -> bytes:
    return (to + source + tags + struct.pack("!H", kind) + body).ljust(60, b"\0")


def ip4(text: str) -> bytes:
    return socket.inet_aton(text)


def ip6(text: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6, text)


def arp(
    mac: bytes, address: str, *, sender: bytes | None = None, reply: bool = True, tags: bytes = b""
) -> bytes:
    body = (
        b"\0\1\x08\0\6\4"
        + struct.pack("!H", 2 if reply else 1)
        + mac
        + ip4(address)
        + EVERYBODY
        + ip4(address)
    )
    return ethernet(sender or mac, 0x0806, body, tags=tags)


def udp4(mac: bytes, source: str, ports: tuple[int, int], payload: bytes, fragment: int = 0) -> bytes:
    head = struct.pack("!BBHHHBBH", 0x45, 0, 28 + len(payload), 0, fragment, 64, 17, 0)
    udp = struct.pack("!4H", *ports, 8 + len(payload), 0)
    return ethernet(mac, 0x0800, head + ip4(source) + b"\xff" * 4 + udp + payload)


def option(code: int, value: bytes) -> bytes:
    return bytes([code, len(value)]) + value


def dhcp(
    mac: bytes,
    server: str,
    *,
    kind: int = 2,
    router: str = "",
    resolvers: tuple[str, ...] = (),
    more: bytes = b"",
    offered: str = "10.0.0.9",
    relay: str = "0.0.0.0",
) -> bytes:
    options = option(53, bytes([kind])) + option(54, ip4(server))
    options += option(3, ip4(router)) if router else b""
    options += option(6, b"".join(map(ip4, resolvers))) if resolvers else b""
    head = struct.pack("!4BIHH", 2, 1, 6, 0, 7, 0, 0x8000) + bytes(4) + ip4(offered) + bytes(4) + ip4(relay)
    message = head + PC.ljust(16, b"\0") + bytes(192) + b"\x63\x82\x53\x63" + options + more + b"\xff"
    return udp4(mac, server, (67, 68), message)


def ipv6(mac: bytes, source: str, kind: int, body: bytes, *, hops: int = 255, to: str = "ff02::1") -> bytes:
    head = struct.pack("!IHBB", 6 << 28, len(body), kind, hops) + ip6(source) + ip6(to)
    return ethernet(mac, 0x86DD, head + body, b"\x33\x33\0\0\0\1")


def advert(
    mac: bytes,
    source: str,
    *,
    lifetime: int = 1800,
    flags: int = 0,
    prefix: str = "2001:db8:1::",
    more: bytes = b"",
    hops: int = 255,
    before: bytes = b"",
) -> bytes:
    """A router advertisement; `before` are extension headers, the first of type 60 and the last before 58."""
    body = struct.pack("!BBHBBHII", 134, 0, 0, 64, flags, lifetime, 0, 0) + b"\1\1" + mac
    body += struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 86400, 14400, 0) + ip6(prefix) if prefix else b""
    return ipv6(mac, source, 60 if before else 58, before + body + more, hops=hops)


def neighbour(
    mac: bytes, target: str, *, claimed: bytes | None = None, flags: int = 0x20, source: str = ""
) -> bytes:
    body = struct.pack("!BBHB3x", 136, 0, 0, flags) + ip6(target) + b"\2\1" + (claimed or mac)
    return ipv6(mac, source or target, 58, body)


def solicit(mac: bytes, target: str, *, source: str = "::") -> bytes:
    body = struct.pack("!BBHI", 135, 0, 0, 0) + ip6(target) + (b"" if source == "::" else b"\1\1" + mac)
    return ipv6(mac, source, 58, body, to="ff02::1:ff00:1")


def option6(code: int, value: bytes) -> bytes:
    return struct.pack("!HH", code, len(value)) + value


def dhcp6(mac: bytes, source: str, options: bytes, kind: int = 2) -> bytes:
    message = bytes([kind]) + b"abc" + options
    udp = struct.pack("!4H", 547, 546, 8 + len(message), 0)
    return ipv6(mac, source, 17, udp + message, hops=64)


def capture(file: Path) -> Iterator[tuple[float, bytes]]:
    """Times (s) and frames of a capture (the classic format of pcap-savefile(5), of Ethernet)."""
    data = file.read_bytes()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    assert struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF == 1, "no Ethernet"
    at = 24
    while at + 16 <= len(data):
        seconds, parts, size, _ = struct.unpack_from(order + "4I", data, at)
        yield seconds + parts / 1e6, data[at + 16 : at + 16 + size]
        at += 16 + size
