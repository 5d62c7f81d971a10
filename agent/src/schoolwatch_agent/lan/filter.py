"""The kernel's filter (classic BPF, socket(7)): what does not concern the watch does not wake it. Pure."""

import struct

_WORDS = """
        ldb -4092           what this machine sends itself
        jeq 4 drop
        ldb -4048           a tag: the frame is of another network, whose own link is to be watched
        jeq 0 kind drop
kind:   ldh 12
        jeq 0x0806 accept   ARP
        jeq 0x0800 ipv4
        jeq 0x86dd ipv6 drop
ipv4:   ldb 23
        jeq 17 first drop
first:  ldh 20
        jset 0x1fff drop    not a packet's first fragment
        ldx 14
        ldi 14
        jeq 67 accept drop  a DHCP server
ipv6:   ldb 20
        jeq 58 icmp
        jeq 17 udp
        jeq 0 accept        behind options: looked at later
        jeq 43 accept
        jeq 60 accept drop
icmp:   ldb 54
        jge 133 upto drop   router and neighbour discovery
upto:   jgt 136 drop accept
udp:    ldh 54
        jeq 547 accept drop a DHCPv6 server
accept: ret 2048
drop:   ret 0
"""
"""`jeq VALUE THEN [ELSE]`, without ELSE the next line. Negative offsets are the kernel's own: SKF_AD_OFF
(-4096) with SKF_AD_PKTTYPE (4; its value 4 is outgoing) and SKF_AD_VLAN_TAG_PRESENT (48)."""

_CODES = {
    "ldb": 0x30, "ldh": 0x28, "ldi": 0x48, "ldx": 0xB1,
    "jeq": 0x15, "jset": 0x45, "jge": 0x35, "jgt": 0x25, "ret": 0x06,
}  # fmt: skip


def program() -> bytes:
    """The instructions as `struct sock_filter` (linux/filter.h), 8 bytes each."""
    lines = [
        line.partition(":") if ":" in line[:8] else ("", "", line) for line in _WORDS.strip("\n").split("\n")
    ]
    places = {label: number for number, (label, _, _) in enumerate(lines) if label}
    return b"".join(_one(number, line.split(), places) for number, (_, _, line) in enumerate(lines))


def _one(number: int, words: list[str], places: dict[str, int]) -> bytes:
    code, value = words[0], int(words[1], 0)
    yes = no = 0
    if code.startswith("j"):
        yes = places[words[2]] - number - 1
        no = places[words[3]] - number - 1 if words[3:4] and words[3] in places else 0
    return struct.pack("=HBBI", _CODES[code], yes, no, value & 0xFFFFFFFF)
