"""Ethernet frames to events. Pure; whatever bytes come, it gives an event or None and never raises."""

import struct

from schoolwatch_agent.lan import dhcp, neighbours
from schoolwatch_agent.lan.events import Claim, Event, Station, is_one

_ARP, _IPV4, _IPV6 = 0x0806, 0x0800, 0x86DD
_TAGS = (0x8100, 0x88A8)
"""802.1Q and 802.1ad: a frame that still has its tags is read behind them."""
_UDP, _ICMP6 = 17, 58
_EXTENSIONS = (0, 43, 60)
"""Hop-by-hop, routing and destination options (RFC 8200 §4): a router advertisement may hide behind them
(RFC 7113 §2). In fragments it may not (RFC 6980)."""
_EXTENSIONS_MAX = 8


def parse(frame: bytes) -> Event | None:
    """What a frame says; None where it says nothing to the watch or is not as its protocol wants it."""
    try:
        return _ethernet(frame)
    except (struct.error, IndexError, ValueError):  # cut off somewhere
        return None


def _ethernet(frame: bytes) -> Event | None:
    mac, start = frame[6:12], 14
    (kind,) = struct.unpack_from("!H", frame, 12)
    while kind in _TAGS and start <= 18:
        (kind,) = struct.unpack_from("!H", frame, start + 2)
        start += 4
    if kind == _ARP:
        return _arp(mac, frame[start:])
    if kind == _IPV4:
        return _ipv4(mac, frame[start:])
    return _ipv6(mac, frame[start:]) if kind == _IPV6 else None


def _arp(mac: bytes, body: bytes) -> Event | None:
    """RFC 826, of Ethernet and IPv4; a probe (RFC 5227) has no sender address yet."""
    if body[:6] != b"\0\1\x08\0\6\4" or len(body) < 28:
        return None
    claimed, address = body[8:14], body[14:18]
    if not any(address) or address[0] >= 224 or address[0] == 127 or not is_one(claimed):
        return Station(mac)
    return Claim(mac, claimed, address)


def _ipv4(mac: bytes, packet: bytes) -> Event | None:
    size = (packet[0] & 15) * 4
    (fragment,) = struct.unpack_from("!H", packet, 6)
    if packet[0] >> 4 != 4 or size < 20 or packet[9] != _UDP or fragment & 0x1FFF:
        return None
    if packet[size : size + 4] != b"\0\x43\0\x44":  # from port 67 to 68
        return None
    return dhcp.offer(mac, packet[12:16], packet[size + 8 :])


def _ipv6(mac: bytes, packet: bytes) -> Event | None:
    if packet[0] >> 4 != 6:
        return None
    source, hops = packet[8:24], packet[7]
    kind, start = packet[6], 40
    for _ in range(_EXTENSIONS_MAX):
        if kind not in _EXTENSIONS:
            break
        kind, start = packet[start], start + (packet[start + 1] + 1) * 8
    (length,) = struct.unpack_from("!H", packet, 4)
    body = packet[start : 40 + length]
    if kind == _ICMP6 and hops == 255:  # nothing that a router passed on (RFC 4861 §6.1, §7.1)
        return neighbours.parse(mac, source, body)
    if kind == _UDP and body[:4] == b"\x02\x23\x02\x22":  # from port 547 to 546
        return dhcp.offer6(mac, body[8:])
    return None
