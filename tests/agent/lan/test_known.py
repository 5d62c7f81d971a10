"""The kernel's table of IPv6 neighbours: read from a real one, and from bytes that are none."""

import os
import struct
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Peer
from schoolwatch_agent.lan import known
from switched import GATEWAY, ROUTER, Net, mac

FE80_1 = bytes.fromhex("fe80" + "00" * 13 + "01")
INSIDE = """
from schoolwatch_agent.lan.link import know
print([(a.hex(), m.hex()) for a, m in know("eth0").neighbours if len(a) == 16])
"""


def test_what_the_system_knew_before_the_start_is_read(tmp_path: Path, peer: Peer) -> None:
    if os.geteuid() != 0:
        pytest.skip("not run: needs root for network namespaces")
    peer("ip")
    with ExitStack() as ending:
        net = Net(tmp_path / "net", ending)
        of = ("dev", "eth0", "nud")
        router = ":".join(f"{byte:02x}" for byte in mac(ROUTER))
        net.ip("-n", net.space(GATEWAY), "neigh", "replace", "fe80::1", "lladdr", router, *of, "permanent")
        net.ip("-n", net.space(GATEWAY), "neigh", "replace", "fe80::2", *of, "failed")
        told = net.run(GATEWAY, sys.executable, "-P", "-c", INSIDE)
    assert (FE80_1.hex(), mac(ROUTER).hex()) in eval(told.stdout), told.stderr
    assert "fe80" + "00" * 13 + "02" not in told.stdout


def message(kind: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 1, 0) + body


def neighbour(index: int, state: int) -> bytes:
    attributes = struct.pack("=HH", 20, 1) + FE80_1 + struct.pack("=HH", 10, 2) + b"\2\0\0\0\0\1\0\0"
    return message(28, struct.pack("=BxxxiHBB", 10, index, state, 0, 0) + attributes)


def test_only_the_links_own_that_answered_are_told_until_the_end() -> None:
    pieces = [neighbour(2, 0x02) + neighbour(3, 0x02), neighbour(2, 0x20), message(3, b"\0" * 4), b"never"]
    assert list(known.neighbours6(pieces, 2)) == [(FE80_1, bytes.fromhex("020000000001"))]


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_whatever_comes_is_read_or_refused(pieces: list[bytes]) -> None:
    with suppress(ValueError):
        list(known.neighbours6(pieces, 2))


def test_a_message_without_a_length_does_not_hold_up_the_watch() -> None:
    with pytest.raises(ValueError, match="no length"):
        list(known.neighbours6([b"\0" * 64], 2))
