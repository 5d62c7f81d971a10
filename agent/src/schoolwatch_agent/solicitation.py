"""Asks the routers of a link to advertise themselves, and listens (RFC 4861 §6.3.7)."""

import socket
import struct
import time
from typing import Final

_SOLICITATION: Final = 133
_ADVERTISEMENT: Final = 134
_ALL_ROUTERS: Final = "ff02::2"
_ICMP6_FILTER: Final = 1
_AGAIN: Final = 1.5
"""Seconds until the second and last asking: a packet may be lost."""
_ANSWER_DELAY: Final = 0.55
"""Seconds within which every router answers a solicitation: MAX_RA_DELAY_TIME and the way."""
_MOST: Final = 8


def solicit(nic: str, timeout: float) -> tuple[bytes, ...]:
    """Bodies of the router advertisements that arrive, the newest of each router.

    After the first, others have the time that a router may take to answer (RFC 4861 §10).

    Only what RFC 4861 §6.1.2 allows is taken: hop limit 255 from a link-local address.
    Raises PermissionError without CAP_NET_RAW, OSError for a link that is not there.
    """
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as raw:
        index = socket.if_nametoindex(nic)
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        raw.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, _only(_ADVERTISEMENT))
        return _listen(raw, index, timeout)


def _listen(raw: socket.socket, index: int, timeout: float) -> tuple[bytes, ...]:
    # type, code, checksum (the kernel's work), reserved
    question = struct.pack("!BBHI", _SOLICITATION, 0, 0, 0)
    found: dict[str, bytes] = {}
    end = time.monotonic() + timeout
    ask_at = [time.monotonic(), time.monotonic() + _AGAIN]
    while len(found) < _MOST and (now := time.monotonic()) < end:
        if ask_at and now >= ask_at[0] and not found:
            raw.sendto(question, (_ALL_ROUTERS, 0, 0, index))
            ask_at.pop(0)
        raw.settimeout(max(min([end, *([] if found else ask_at[:1])]) - now, 0.001))
        try:
            body, extra, _, sender = raw.recvmsg(65536, 64)
        except TimeoutError:
            continue
        if _is_valid(extra, sender, index):
            if not found:
                end = min(end, time.monotonic() + _ANSWER_DELAY)
            found[sender[0]] = body
    return tuple(found.values())


def _is_valid(extra: list[tuple[int, int, bytes]], sender: tuple[str, int, int, int], index: int) -> bool:
    hops = [
        int.from_bytes(data[:4], "little" if struct.pack("=H", 1)[0] else "big")
        for level, kind, data in extra
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT)
    ]
    return hops == [255] and sender[0].startswith("fe8") and sender[3] == index


def _only(kind: int) -> bytes:
    """An ICMP6_FILTER (RFC 3542 §3.2) that lets one type pass: a bit set means blocked."""
    words = [0xFFFFFFFF] * 8
    words[kind >> 5] &= ~(1 << (kind & 31))
    return struct.pack("=8I", *words)
