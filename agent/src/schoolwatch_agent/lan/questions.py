"""What asks the DHCP servers of a link who they are; nobody requests what they offer. Pure.

An offer that is not requested is no lease: nothing is made or lost (RFC 2131 §4.4.1, RFC 8415 §18.2.1).
"""

import struct

_EVERYBODY, _SERVERS6 = b"\xff" * 6, b"\x33\x33\0\1\0\2"
_ALL_SERVERS = bytes.fromhex("ff020000000000000000000000010002")
"""All_DHCP_Relay_Agents_and_Servers (RFC 8415 §7.1)."""
_UDP = 17

_TYPE, _WANTED, _END, _IPV6_ONLY = 53, 55, 255, 108
_DISCOVER, _BROADCAST = 1, 0x8000
_ASKED = (1, 3, 6, _IPV6_ONLY, 121, 252)
"""Mask, router, resolvers, option 108; static routes and a web proxy, of which a gateway's watch hears so."""

SOLICIT, INFORMATION = 1, 11
"""Who gives addresses, and who gives only settings."""
_CLIENT, _ADDRESSES, _WANTED6, _ELAPSED = 1, 3, 6, 8
_ASKED6 = (23, 24)
"""Resolvers and domains."""


def discover(transaction: int, hardware: bytes) -> bytes:
    """DHCPDISCOVER of a machine with this Ethernet address, to be answered by broadcast."""
    head = struct.pack("!4BIHH16x", 1, 1, 6, 0, transaction, 0, _BROADCAST)
    options = bytes([_TYPE, 1, _DISCOVER, _WANTED, len(_ASKED), *_ASKED, _END])
    return head + hardware[:6].ljust(16, b"\0") + bytes(192) + b"\x63\x82\x53\x63" + options.ljust(60, b"\0")


def packet(message: bytes) -> bytes:
    """UDP 68 to 67 from 0.0.0.0 to everybody; UDP without a checksum, which IPv4 allows (RFC 768)."""
    size = 28 + len(message)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size, 0, 0, 64, _UDP, 0, bytes(4), b"\xff" * 4)
    head = head[:10] + struct.pack("!H", _checksum(head)) + head[12:]
    return head + struct.pack("!4H", 68, 67, 8 + len(message), 0) + message


def frame4(hardware: bytes, transaction: int) -> bytes:
    """A DHCPDISCOVER as it goes out on Ethernet."""
    return _EVERYBODY + hardware + b"\x08\0" + packet(discover(transaction, hardware))


def frame6(hardware: bytes, address: bytes, transaction: int, kind: int) -> bytes:
    """A SOLICIT or INFORMATION-REQUEST from this link-local address (16 bytes), as it goes out on Ethernet.

    The DUID is made of the Ethernet address (RFC 8415 §11.4).
    """
    options = _option(_CLIENT, b"\0\3\0\1" + hardware) + _option(_ELAPSED, bytes(2))
    options += _option(_WANTED6, struct.pack(f"!{len(_ASKED6)}H", *_ASKED6))
    if kind == SOLICIT:
        options += _option(_ADDRESSES, hardware[2:6] + bytes(8))
    message = bytes([kind]) + transaction.to_bytes(4, "big")[1:] + options
    size = 8 + len(message)
    udp = struct.pack("!4H", 546, 547, size, 0) + message
    pseudo = address + _ALL_SERVERS + struct.pack("!II", size, _UDP)
    udp = udp[:6] + struct.pack("!H", _checksum(pseudo + udp) or 0xFFFF) + udp[8:]
    head = struct.pack("!IHBB", 6 << 28, size, _UDP, 1) + address + _ALL_SERVERS
    return _SERVERS6 + hardware + b"\x86\xdd" + head + udp


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("!HH", code, len(value)) + value


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    whole = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(whole) // 2}H", whole))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
