"""What the watch may ask is a question of a client that takes nothing, and whole down to its checksums."""

import struct

import pytest

from ether import PC, ip6
from schoolwatch_agent.config import ConfigError, parse
from schoolwatch_agent.lan import questions
from schoolwatch_agent.lan.dhcp import options_of


def total(data: bytes) -> int:
    """The sum that is all ones over what holds its own checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    found = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while found >> 16:
        found = (found & 0xFFFF) + (found >> 16)
    return found


def test_a_discover_is_for_everybody_and_asks_for_what_a_rogue_would_give() -> None:
    frame = questions.frame4(PC, 7)
    assert (frame[:6], frame[6:12], frame[12:14]) == (b"\xff" * 6, PC, b"\x08\0")
    assert total(frame[14:34]) == 0xFFFF
    assert frame[34:38] == b"\0\x44\0\x43"
    options = options_of(frame[42:])
    assert options[53] == b"\1", "a DISCOVER, never a REQUEST"
    assert {3, 6, 121, 252} <= set(options[55])


@pytest.mark.parametrize("kind", [questions.SOLICIT, questions.INFORMATION])
def test_a_dhcpv6_question_goes_to_all_servers_of_the_link(kind: int) -> None:
    source = ip6("fe80::9")
    frame = questions.frame6(PC, source, 9, kind)
    packet = frame[14:]
    assert frame[:6] == b"\x33\x33\0\1\0\2"
    assert (packet[7], packet[8:24], packet[24:40]) == (1, source, ip6("ff02::1:2"))
    size = struct.unpack_from("!H", packet, 4)[0]
    assert total(packet[8:40] + struct.pack("!II", size, 17) + packet[40:]) == 0xFFFF
    assert packet[48] == kind
    assert b"\0\x0e\0\0" not in packet[48:], "no rapid commit: it would take what is offered"


@pytest.mark.parametrize(
    "text", ["[sensors]\nask = 5", "[sensors]\nask = -1", '[sensors]\ninterfaces = ["a/b"]']
)
def test_settings_that_would_fill_a_link_or_name_none_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"sensors\.(ask|interfaces)"):
        parse(text)
