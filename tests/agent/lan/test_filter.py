"""The kernel's filter lets pass what the watch reads, and nothing that it would only throw away."""

import struct

import pytest

import ether
from ether import PC, ROGUE, ROUTER
from schoolwatch_agent.lan.filter import program

OUTGOING, TAGGED = -4096 + 4, -4096 + 48


def passes(frame: bytes, *, outgoing: bool = False, tagged: bool = False) -> bool:
    """What the kernel's machine would say: classic BPF as far as the program uses it."""
    code = [struct.unpack_from("=HBBi", program(), at) for at in range(0, len(program()), 8)]
    a = x = pc = 0
    while True:
        op, yes, no, k = code[pc]
        pc += 1
        if op == 0x06:
            return k != 0
        if op in (0x30, 0x28, 0x48, 0xB1):
            if k == OUTGOING:
                a = 4 if outgoing else 0
            elif k == TAGGED:
                a = int(tagged)
            elif op == 0xB1:
                x = (frame[k] & 15) * 4
            else:
                start, size = k + (x if op == 0x48 else 0), 1 if op == 0x30 else 2
                if start + size > len(frame):
                    return False
                a = int.from_bytes(frame[start : start + size], "big")
            continue
        met = {0x15: a == k, 0x45: bool(a & k), 0x35: a >= k, 0x25: a > k}[op]
        pc += yes if met else no


WANTED = {
    "arp": ether.arp(PC, "10.0.0.9"),
    "dhcp": ether.dhcp(ROUTER, "10.0.0.1"),
    "dhcpv6": ether.dhcp6(ROGUE, "fe80::66", b""),
    "router advertisement": ether.advert(ROUTER, "fe80::1"),
    "hidden router advertisement": ether.advert(ROUTER, "fe80::1", before=b"\x3a\0\1\4\0\0\0\0"),
    "neighbour": ether.neighbour(PC, "fe80::9"),
    "question": ether.solicit(PC, "fe80::9"),
}
UNWANTED = {
    "web": ether.udp4(PC, "10.0.0.9", (443, 50_000), b"x" * 40),
    "a dhcp client": ether.udp4(PC, "0.0.0.0", (68, 67), b"x" * 300),
    "a later fragment": ether.udp4(PC, "10.0.0.1", (67, 68), b"x" * 40, fragment=9),
    "echo over IPv6": ether.ipv6(PC, "fe80::9", 58, b"\x80\0" + bytes(30)),
    "TCP over IPv6": ether.ipv6(PC, "2001:db8::9", 6, bytes(30)),
    "DNS over IPv6": ether.ipv6(PC, "2001:db8::9", 17, struct.pack("!4H", 53, 5000, 8, 0)),
    "a switch's": ether.ethernet(ROUTER, 0x88CC, bytes(40)),
}


@pytest.mark.parametrize("name", WANTED)
def test_what_the_watch_reads_passes(name: str) -> None:
    assert passes(WANTED[name])
    assert not passes(WANTED[name], outgoing=True), "what this machine sends"
    assert not passes(WANTED[name], tagged=True), "another network's"


@pytest.mark.parametrize("name", UNWANTED)
def test_everything_else_does_not_wake_it(name: str) -> None:
    assert not passes(UNWANTED[name])
