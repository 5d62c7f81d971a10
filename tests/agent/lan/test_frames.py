"""Frames to events: made ones, recorded ones, and whatever bytes a network may carry."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import ether
from ether import OTHER, PC, ROGUE, ROUTER, ip4, ip6
from schoolwatch_agent.lan import frames
from schoolwatch_agent.lan.events import Ask, Claim, Offer, Offer6, Router, Station

CAPTURES = Path(__file__).parents[4] / "shared" / "fixtures" / "pcap"
"""Captures of other projects, where they lie beside this one."""

LINK = "fe80::1"


def test_arp_claims_an_address_asked_or_not() -> None:
    for reply in (True, False):
        assert frames.parse(ether.arp(PC, "192.168.1.9", reply=reply)) == Claim(PC, PC, ip4("192.168.1.9"))
    forged = ether.arp(ROUTER, "192.168.1.1", sender=ROGUE)
    assert frames.parse(forged) == Claim(ROGUE, ROUTER, ip4("192.168.1.1"))


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "255.255.255.255", "224.0.0.1"])
def test_an_arp_probe_and_addresses_of_nobody_claim_nothing(address: str) -> None:
    assert frames.parse(ether.arp(PC, address)) == Station(PC)


def test_what_a_dhcp_server_gives_is_told_in_words() -> None:
    more = ether.option(252, b"http://x/wpad.dat") + ether.option(121, b"\0\x0a\0\0\x42")
    frame = ether.dhcp(
        ROGUE,
        "10.0.0.66",
        router="10.0.0.66",
        resolvers=("10.0.0.66", "8.8.8.8"),
        more=more,
        relay="10.9.0.1",
    )
    assert frames.parse(frame) == Offer(
        ROGUE, "10.0.0.66", "10.0.0.66", "10.0.0.66 8.8.8.8", "address proxy resolvers router routes", True
    )


def test_an_ack_is_an_offer_and_other_messages_only_show_that_a_server_is_there() -> None:
    assert isinstance(frames.parse(ether.dhcp(ROUTER, "10.0.0.1", kind=5)), Offer)
    for kind in (1, 3, 6):
        assert frames.parse(ether.dhcp(ROUTER, "10.0.0.1", kind=kind)) == Station(ROUTER)


def test_a_router_hidden_in_the_overloaded_fields_is_found() -> None:
    """RFC 2132 §9.3: options may go on in `file` and `sname`."""
    frame = ether.dhcp(ROGUE, "10.0.0.66", more=ether.option(52, b"\3"))
    start = 14 + 28
    hidden = bytearray(frame)
    hidden[start + 108 : start + 115] = ether.option(3, ip4("10.0.0.66")) + b"\xff"
    hidden[start + 44 : start + 51] = ether.option(6, ip4("10.0.0.67")) + b"\xff"
    found = frames.parse(bytes(hidden))
    assert isinstance(found, Offer)
    assert (found.router, found.resolvers, found.gives) == (
        "10.0.0.66", "10.0.0.67", "address resolvers router",
    )  # fmt: skip


def test_only_servers_to_clients_are_dhcp_and_later_fragments_are_nothing() -> None:
    offer = ether.dhcp(ROUTER, "10.0.0.1")[42:]
    assert frames.parse(ether.udp4(ROUTER, "10.0.0.1", (68, 67), offer)) is None
    assert frames.parse(ether.udp4(ROUTER, "10.0.0.1", (67, 68), offer, fragment=8)) is None


def test_a_dhcpv6_server_that_gives_resolvers_as_mitm6_does() -> None:
    duid = ether.option6(2, b"\0\3\0\1" + ROGUE)
    address = ether.option6(3, bytes(12) + ether.option6(5, ip6("fe80::77") + bytes(8)))
    given = ether.option6(23, ip6("fe80::66") + ip6("2001:db8::53")) + ether.option6(7, b"\xff")
    found = frames.parse(ether.dhcp6(ROGUE, "fe80::66", duid + address + given))
    assert found == Offer6(ROGUE, f"00030001{ROGUE.hex()}", "fe80::66 2001:db8::53", "address resolvers", 255)
    assert frames.parse(ether.dhcp6(ROGUE, "fe80::66", duid, kind=1)) == Station(ROGUE)
    none = ether.option6(3, bytes(12) + ether.option6(13, b"\0\2"))
    assert frames.parse(ether.dhcp6(ROUTER, "fe80::1", duid + none)) == Offer6(
        ROUTER, f"00030001{ROGUE.hex()}", "", "", 0
    )


def test_a_router_advertisement_with_all_that_it_says() -> None:
    rdnss = b"\x19\3\0\0\0\0\2\x58" + ip6("2001:db8::53")
    mtu = b"\5\1\0\0\0\0\5\xdc"
    found = frames.parse(ether.advert(ROUTER, LINK, flags=0xC8, more=rdnss + mtu))
    assert found == Router(
        ROUTER, ROUTER, ip6(LINK), 1800, "M+O", "high", "2001:db8:1::/64", "2001:db8::53", 1500
    )


def test_an_advertisement_that_a_router_passed_on_or_from_another_scope_is_none() -> None:
    assert frames.parse(ether.advert(ROGUE, LINK, hops=254)) is None
    assert frames.parse(ether.advert(ROGUE, "2001:db8::1")) is None


def test_an_advertisement_behind_extension_headers_is_found() -> None:
    """RFC 7113 §2.1: so it passes switches that look at the first header alone."""
    empty = bytes([1, 4, 0, 0, 0, 0])
    found = frames.parse(ether.advert(ROGUE, LINK, before=b"\x3c\0" + empty + b"\x3a\0" + empty))
    assert isinstance(found, Router)
    endless = b"\x3c\0" + empty
    assert frames.parse(ether.advert(ROGUE, LINK, before=endless * 40)) is None


def test_neighbours_claim_addresses_and_ask_for_them() -> None:
    told = frames.parse(ether.neighbour(PC, "fe80::9", flags=0xE0))
    assert told == Claim(PC, PC, ip6("fe80::9"), "R+S+O")
    forged = frames.parse(ether.neighbour(ROGUE, "fe80::1", claimed=OTHER, flags=0x20))
    assert forged == Claim(ROGUE, OTHER, ip6("fe80::1"), "O")
    assert frames.parse(ether.solicit(PC, "2001:db8::9")) == Ask(PC, ip6("2001:db8::9"))
    assert frames.parse(ether.solicit(PC, "fe80::1", source="fe80::9")) == Claim(PC, PC, ip6("fe80::9"))


@pytest.mark.parametrize("tags", [b"\x81\0\0\x14", b"\x88\xa8\0\x05\x81\0\0\x14"])
def test_tagged_frames_are_read_behind_their_tags(tags: bytes) -> None:
    assert frames.parse(ether.arp(PC, "10.0.0.9", tags=tags)) == Claim(PC, PC, ip4("10.0.0.9"))
    assert frames.parse(ether.arp(PC, "10.0.0.9", tags=tags * 3)) is None


FRAMES = (
    ether.arp(PC, "10.0.0.9"),
    ether.arp(PC, "10.0.0.9", tags=b"\x81\0\0\x14"),
    ether.dhcp(ROGUE, "10.0.0.66", router="10.0.0.66", more=ether.option(52, b"\3")),
    ether.dhcp6(ROGUE, "fe80::66", ether.option6(3, bytes(12)) + ether.option6(23, ip6("fe80::66"))),
    ether.advert(ROUTER, LINK, before=b"\x3a\0\1\4\0\0\0\0"),
    ether.neighbour(PC, "fe80::9"),
    ether.solicit(PC, "fe80::9"),
)


@given(st.binary(max_size=200))
@example(b"")
def test_no_bytes_ever_raise(frame: bytes) -> None:
    frames.parse(frame)


@given(st.sampled_from(FRAMES), st.data())
def test_a_frame_that_is_cut_off_or_spoilt_never_raises(frame: bytes, data: st.DataObject) -> None:
    cut = frame[: data.draw(st.integers(0, len(frame)))]
    frames.parse(cut)
    spoilt = bytearray(frame)
    for _ in range(data.draw(st.integers(1, 4))):
        spoilt[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    frames.parse(bytes(spoilt))


@pytest.mark.parametrize("mac", [bytes(6), b"\xff" * 6])
def test_a_rogue_without_a_mac_is_not_hidden_by_that(mac: bytes) -> None:
    assert isinstance(frames.parse(ether.advert(mac, LINK)), Router)


def test_recorded_dhcp_arp_and_neighbour_discovery() -> None:
    if not CAPTURES.is_dir():
        pytest.skip("not run: needs the captures of other projects beside the checkout")

    def found(name: str) -> list[object]:
        return [
            event for _, frame in ether.capture(CAPTURES / f"{name}.pcap") if (event := frames.parse(frame))
        ]

    offers = [each for each in found("dhcp-dhcp") if isinstance(each, Offer)]
    assert {each.server for each in offers} == {"128.2.6.152"}
    assert {each.router for each in offers} == {"128.2.6.1"}
    assert len(found("dhcp-dhcp_flood")) == 250
    assert {type(each) for each in found("arp-who-has")} == {Claim}
    routers = [each for each in found("icmp-icmp6-nd-options") if isinstance(each, Router)]
    assert {(each.prefixes, each.mtu) for each in routers} == {("2001:db8:0:1::/64", 1500)}
    assert found("arp-leak") == [], "an ARP message with 255-byte addresses is none"
    for file in CAPTURES.glob("*.pcap"):
        for _, frame in ether.capture(file):
            for size in range(0, len(frame), 7):
                frames.parse(frame[:size])
