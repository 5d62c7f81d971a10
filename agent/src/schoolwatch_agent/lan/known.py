"""What the system's own tables say of a link (proc_net(5)). Pure; raises ValueError for what is no table."""

from collections.abc import Iterator

_COMPLETE = 0x2
"""ATF_COM of an entry of /proc/net/arp."""


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


def _rows(text: str, least: int) -> Iterator[list[str]]:
    rows = (line.split() for line in text.splitlines())
    return (row for row in rows if len(row) >= least)
