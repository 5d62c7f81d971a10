"""Asks the DHCPv4 servers of a link what they would offer, and takes nothing (RFC 2131 §4.4.1).

The question carries the machine's own Ethernet address, so that a server offers what it has leased to it
already; nobody requests the offer, so no lease is made, changed or lost.
"""

import errno
import os
import socket
import time
from typing import Final

from schoolwatch_agent.formats import dhcp
from schoolwatch_agent.lan import questions

_IPV4: Final = 0x0800
_UDP: Final = 17
_EVERYBODY: Final = b"\xff" * 6
_AGAIN: Final = 2.0
"""Seconds until the second and last asking: a packet may be lost."""


def offers(nic: str, timeout: float) -> tuple[bytes, ...]:
    """Option 108 of the first offer, empty without it; nothing at all when no server answers.

    Raises PermissionError without CAP_NET_RAW, OSError for a link that is not there.
    """
    transaction = int.from_bytes(os.urandom(4), "big")
    with _raw() as raw:
        raw.bind((nic, _IPV4))
        question = questions.packet(questions.discover(transaction, raw.getsockname()[4]))
        end = time.monotonic() + timeout
        ask_at = [time.monotonic(), time.monotonic() + _AGAIN]
        while (now := time.monotonic()) < end:
            if ask_at and now >= ask_at[0]:
                raw.sendto(question, (nic, _IPV4, 0, 0, _EVERYBODY))
                ask_at.pop(0)
            raw.settimeout(max(min([end, *ask_at[:1]]) - now, 0.001))
            try:
                packet = raw.recv(65536)
            except TimeoutError:
                continue
            found = dhcp.ipv6_only(_message(packet), transaction)
            if found is not None:
                return (found,)
    return ()


def _raw() -> socket.socket:
    try:
        return socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_IPV4))
    except OSError as error:
        if error.errno == errno.EAFNOSUPPORT:  # systemd's RestrictAddressFamilies= says it so
            raise PermissionError("packet sockets are not allowed") from error
        raise


def _message(packet: bytes) -> bytes:
    """What a UDP packet to port 68 carries; nothing for any other."""
    if len(packet) < 28 or packet[9] != _UDP:
        return b""
    start = (packet[0] & 15) * 4
    return packet[start + 8 :] if packet[start + 2 : start + 4] == b"\0\x44" else b""
