"""What the system's own tables say of a link (proc_net(5), rtnetlink(7)). Pure.

Raises ValueError for what is no table.
"""

import struct
from collections.abc import Iterable, Iterator

_COMPLETE = 0x2
"""ATF_COM of an entry of /proc/net/arp."""

_HEAD, _NEIGHBOUR, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BxxxiHBB"), struct.Struct("=HH")
"""nlmsghdr of netlink(7); ndmsg and rtattr of rtnetlink(7)."""
_ERROR, _DONE, _NEW_NEIGHBOUR, _GET_NEIGHBOUR = 2, 3, 28, 30
_DUMP = 0x301
"""NLM_F_REQUEST with NLM_F_DUMP."""
_INET6 = 10
_ADDRESS, _MAC = 1, 2
"""NDA_DST, NDA_LLADDR."""
_ANSWERED = 0x02 | 0x04 | 0x08 | 0x10 | 0x80
"""NUD_REACHABLE, STALE, DELAY, PROBE, PERMANENT: it had that MAC when it was asked last."""

ASK_NEIGHBOURS6 = _HEAD.pack(_HEAD.size + _NEIGHBOUR.size, _GET_NEIGHBOUR, _DUMP, 1, 0) + _NEIGHBOUR.pack(
    _INET6, 0, 0, 0, 0
)
"""What is sent for the answer that `neighbours6` reads."""


def gateways4(route: str, nic: str) -> Iterator[bytes]:
    """Next hops of default routes in /proc/net/route, whose numbers are in the processor's order."""
    for row in _rows(route, 8):
        if row[0] == nic and row[1] == "00000000" and row[7] == "00000000" and row[2] != "00000000":
            yield bytes.fromhex(row[2])[::-1]


def gateways6(ipv6_route: str, nic: str) -> Iterator[bytes]:
    """Next hops of default routes in /proc/net/ipv6_route."""
    for row in _rows(ipv6_route, 10):
        if row[9] == nic and row[0].strip("0") == "" and row[1] == "00" and row[4].strip("0"):
            yield bytes.fromhex(row[4])


def own6(if_inet6: str, nic: str) -> Iterator[bytes]:
    """This machine's addresses in /proc/net/if_inet6."""
    for row in _rows(if_inet6, 6):
        if row[5] == nic:
            yield bytes.fromhex(row[0])


def neighbours(arp: str, nic: str) -> Iterator[tuple[bytes, bytes]]:
    """Address and MAC of the complete entries in /proc/net/arp."""
    for row in _rows(arp, 6):
        if row[5] == nic and row[2].startswith("0x") and int(row[2], 16) & _COMPLETE:
            yield bytes(map(int, row[0].split("."))), bytes.fromhex(row[3].replace(":", ""))


def neighbours6(answer: Iterable[bytes], index: int) -> Iterator[tuple[bytes, bytes]]:
    """Address and MAC of a link's IPv6 neighbours that answered once; `answer` comes in pieces."""
    for piece in answer:
        at = 0
        while at + _HEAD.size <= len(piece):
            length, kind, *_ = _HEAD.unpack_from(piece, at)
            if kind in (_ERROR, _DONE):
                return
            if length < _HEAD.size:
                raise ValueError("a message of netlink that has no length")
            body = piece[at + _HEAD.size : at + length]
            if kind == _NEW_NEIGHBOUR and len(body) >= _NEIGHBOUR.size:
                _, of_link, state, *_ = _NEIGHBOUR.unpack_from(body)
                held = dict(_attributes(body[_NEIGHBOUR.size :]))
                address, mac = held.get(_ADDRESS, b""), held.get(_MAC, b"")
                if of_link == index and state & _ANSWERED and (len(address), len(mac)) == (16, 6):
                    yield address, mac
            at += length + -length % 4


def _attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if length < _ATTRIBUTE.size:
            return
        yield kind, body[at + _ATTRIBUTE.size : at + length]
        at += length + -length % 4


def _rows(text: str, least: int) -> Iterator[list[str]]:
    rows = (line.split() for line in text.splitlines())
    return (row for row in rows if len(row) >= least)
