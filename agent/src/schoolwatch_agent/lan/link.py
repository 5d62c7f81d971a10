"""A link as the system has it: the socket that listens to it, and what the system knows of it."""

import array
import fcntl
import os
import socket
import struct
import sys

from schoolwatch_agent.lan import known
from schoolwatch_agent.lan.claims import Known
from schoolwatch_agent.lan.filter import program

_ETHERNET = 1
"""ARPHRD_ETHER."""
_ALL = 3
"""ETH_P_ALL."""
_ATTACH_FILTER, _LOCK_FILTER = 26, 44
_PACKET = 263
_ADD_MEMBERSHIP, _ALL_GROUPS, _STATISTICS = 1, 2, 6
"""packet(7): PACKET_ADD_MEMBERSHIP with PACKET_MR_ALLMULTI (all multicast, not all traffic: that would be
promiscuous), PACKET_STATISTICS."""
_ADDRESS = 0x8915
"""SIOCGIFADDR of netdevice(7)."""
_QUEUE = 1 << 20
"""Bytes that the kernel may hold for a link: some thousand frames."""


def listen(nic: str) -> socket.socket:
    """A socket that hears what the filter lets pass. Raises OSError.

    The filter is there, and locked, before the socket hears anything.
    """
    if sys.platform == "win32":
        raise OSError("links are watched on Linux alone")
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        code = array.array("B", program())
        place, size = code.buffer_info()
        made.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", size // 8, place))
        made.setsockopt(socket.SOL_SOCKET, _LOCK_FILTER, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _QUEUE)
        groups = struct.pack("=iHH8x", socket.if_nametoindex(nic), _ALL_GROUPS, 0)
        made.setsockopt(_PACKET, _ADD_MEMBERSHIP, groups)
        made.bind((nic, _ALL))
        made.setblocking(False)
    except BaseException:
        made.close()
        raise
    return made


def is_ethernet(listening: socket.socket) -> bool:
    """Or Wi-Fi, which looks the same; a modem's link or a tunnel has no neighbours."""
    return bool(listening.getsockname()[3] == _ETHERNET)


def dropped(listening: socket.socket) -> int:
    """Frames that the kernel had no place for since this was asked last."""
    counts: tuple[int, int] = struct.unpack("=II", listening.getsockopt(_PACKET, _STATISTICS, 8))
    return counts[1]


def index(nic: str) -> str:
    """The link's number, another one when it was taken away and came back; empty when it is not there."""
    return _text(f"/sys/class/net/{nic}/ifindex").strip()


def hears(nic: str) -> bool:
    """Whether it is up and has a carrier."""
    return _text(f"/sys/class/net/{nic}/operstate").strip() in ("up", "unknown")


def know(nic: str) -> Known:
    """What the system says of it now."""
    mac = _text(f"/sys/class/net/{nic}/address").strip().replace(":", "")
    try:
        return Known(
            bytes.fromhex(mac),
            frozenset((*_own4(nic), *known.own6(_text("/proc/net/if_inet6"), nic))),
            frozenset(
                (
                    *known.gateways4(_text("/proc/net/route"), nic),
                    *known.gateways6(_text("/proc/net/ipv6_route"), nic),
                )
            ),
            (*known.neighbours(_text("/proc/net/arp"), nic), *_neighbours6(nic)),
            _macs(),
        )
    except ValueError:  # a table that is not as it was for thirty years
        return Known()


def _macs() -> frozenset[bytes]:
    """Of all links of this machine. Raises ValueError."""
    try:
        links = os.listdir("/sys/class/net")  # noqa: PTH208  pathlib is of size
    except OSError:
        return frozenset()
    texts = (_text(f"/sys/class/net/{each}/address").strip().replace(":", "") for each in links)
    return frozenset(mac for mac in map(bytes.fromhex, texts) if any(mac))


def _own4(nic: str) -> tuple[bytes, ...]:
    """Its first address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            answer = fcntl.ioctl(asked.fileno(), _ADDRESS, struct.pack("256s", nic.encode()[:15]))
        except OSError:  # it has none, or is not there
            return ()
    return (answer[20:24],)


def _neighbours6(nic: str) -> tuple[tuple[bytes, bytes], ...]:
    """Of which there is no table in /proc; one that does not come whole is none."""
    if sys.platform == "win32":
        return ()
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as asked:
            asked.settimeout(1.0)
            asked.sendto(known.ASK_NEIGHBOURS6, (0, 0))
            answer = iter(lambda: asked.recv(1 << 16), b"")
            return tuple(known.neighbours6(answer, socket.if_nametoindex(nic)))
    except (OSError, ValueError):
        return ()


def _text(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return ""
    with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
        try:
            return file.read(1 << 20)
        except OSError:  # the link went away
            return ""
