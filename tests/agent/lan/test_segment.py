"""Events to sightings and counts: what is told, when, and how much of it at most."""

from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import ether
from ether import OTHER, PC, ROGUE, ROUTER, ip4, ip6
from schoolwatch_agent.lan import frames, hours, offers
from schoolwatch_agent.lan.claims import MOST, Known
from schoolwatch_agent.lan.hours import Seen
from schoolwatch_agent.lan.segment import STATIONS_MAX, Segment

NOW = 1_800_000_000.0
OWN = bytes.fromhex("0200000000ff")
KNOWN = Known(OWN, frozenset({ip4("10.0.0.2")}), frozenset({ip4("10.0.0.1"), ip6("fe80::1")}))


def heard(*parts: tuple[float, bytes], known: Known = KNOWN) -> Segment:
    """A segment that heard these frames so many seconds after it began."""
    segment = Segment(NOW)
    segment.know(known, NOW)
    return more(segment, *parts)


def more(segment: Segment, *parts: tuple[float, bytes]) -> Segment:
    for after, frame in parts:
        event = frames.parse(frame)
        assert event is not None
        segment.hear(event, NOW + after)
    return segment


def kinds(seen: Iterable[Seen]) -> list[str]:
    return [each.kind for each in seen]


def test_two_dhcp_servers_are_told_once_an_hour_each() -> None:
    good, bad = (
        ether.dhcp(ROUTER, "10.0.0.1", router="10.0.0.1"),
        ether.dhcp(ROGUE, "10.0.0.66", router="10.0.0.66"),
    )
    segment = heard(*((after, frame) for after in range(0, 3500, 50) for frame in (good, bad)))
    assert [(each.mac, each.told["server"]) for each in segment.told.seen] == [
        (ROUTER, "10.0.0.1"),
        (ROGUE, "10.0.0.66"),
    ]
    more(segment, (3601, good))
    assert [each.at - NOW for each in segment.told.seen] == [3601], "told again, and the old one has gone"


def test_another_content_of_the_same_server_is_told_at_once() -> None:
    segment = heard((0, ether.dhcp(ROUTER, "10.0.0.1", resolvers=("10.0.0.1",))))
    more(segment, (1, ether.dhcp(ROUTER, "10.0.0.1", resolvers=("6.6.6.6",))))
    assert [each.told["resolvers"] for each in segment.told.seen] == ["10.0.0.1", "6.6.6.6"]


def test_an_answer_that_leaves_out_what_nobody_asked_for_is_the_same_server() -> None:
    """A client asks for what it wants (RFC 2132 §9.8): one server's answers differ."""
    whole = made_offer(router="10.0.0.1", resolvers=("8.8.8.8",))
    segment = heard((0, whole), (1, made_offer(router="10.0.0.1")), (2, made_offer(offered="0.0.0.0")))
    assert {(each.told["router"], each.told["resolvers"]) for each in segment.told.seen} == {
        ("10.0.0.1", "8.8.8.8")
    }


def made_offer(**options: Any) -> bytes:
    return ether.dhcp(ROUTER, "10.0.0.1", **options)


def test_settings_for_who_has_an_address_wait_for_the_servers_own_offer() -> None:
    """After a start they may come first, and would look like another server's."""
    inform = made_offer(offered="0.0.0.0", kind=5, resolvers=("8.8.8.8",))
    segment = heard((0, inform), (60, inform))
    assert segment.told.seen == []
    more(segment, (900, made_offer(router="10.0.0.1", resolvers=("8.8.8.8",))), (901, inform))
    assert {each.told["router"] for each in segment.told.seen} == {"10.0.0.1"}
    only = heard((0, inform), (offers.HELD, inform))
    assert kinds(only.told.seen) == ["dhcp.offer"], "one that never offers an address is told after all"


def test_a_dhcpv6_server_is_told_by_all_that_it_gave_and_not_by_an_empty_answer() -> None:
    duid, resolver = ether.option6(2, b"id"), ether.option6(23, ip6("fe80::66"))
    address = ether.option6(3, bytes(12) + ether.option6(5, ip6("fe80::77") + bytes(8)))
    parts = (duid, duid + resolver, duid + address)
    segment = heard(*((n, ether.dhcp6(ROGUE, "fe80::66", part)) for n, part in enumerate(parts)))
    assert [(each.told["gives"], each.told["resolvers"]) for each in segment.told.seen] == [
        ("resolvers", "fe80::66"), ("address", "fe80::66"),
    ]  # fmt: skip


def test_the_gateways_address_with_another_mac_is_told_with_who_had_it() -> None:
    segment = heard((0, ether.arp(ROUTER, "10.0.0.1")), (30, ether.arp(ROGUE, "10.0.0.1")))
    (seen,) = segment.told.seen
    assert (seen.kind, seen.mac) == ("arp.moved", ROGUE)
    assert seen.told == {
        "was": ROUTER.hex(":"), "role": "gateway", "address": "10.0.0.1", "changes": "1", "silence": "30",
    }  # fmt: skip


def test_flipping_is_told_again_when_it_has_doubled() -> None:
    parts = ((n, ether.arp((ROUTER, ROGUE)[n % 2], "10.0.0.1")) for n in range(40))
    segment = heard(*parts)
    of_rogue = [int(each.told["changes"]) for each in segment.told.seen if each.mac == ROGUE]
    assert of_rogue == [1, 3, 5], "1, 2 to 3, 4 to 7, and then no more than its share of the hour"
    assert segment.told.untold.total(NOW + 40) > 0


def test_an_address_of_another_computer_stays_unnamed() -> None:
    segment = heard((0, ether.arp(PC, "10.0.0.9")), (9000, ether.arp(OTHER, "10.0.0.9")))
    (seen,) = segment.told.seen
    assert seen.told == {"was": PC.hex(":"), "role": "other", "changes": "1", "silence": "9000"}


def test_this_machines_own_address_is_its_own_whatever_others_say() -> None:
    segment = heard((0, ether.arp(ROGUE, "10.0.0.2")), (1, ether.arp(OWN, "10.0.0.2")))
    (seen,) = segment.told.seen
    assert (seen.told["role"], seen.told["was"]) == ("own", OWN.hex(":"))


def test_a_machine_with_two_links_on_a_network_does_not_accuse_itself() -> None:
    """Linux asks and answers from one link for the address of the other (ip-sysctl: arp_ignore)."""
    wifi = bytes.fromhex("0200000000fe")
    known = KNOWN._replace(macs=frozenset({OWN, wifi}))
    own = (0, ether.arp(wifi, "10.0.0.2")), (1, ether.arp(wifi, "10.0.0.3")), (2, ether.arp(OWN, "10.0.0.3"))
    segment = heard(*own, known=known)
    assert segment.told.seen == []
    more(segment, (3, ether.arp(ROGUE, "10.0.0.2")), (4, ether.arp(ROGUE, "10.0.0.3")))
    assert [each.told["role"] for each in segment.told.seen] == ["own", "other"]


def test_a_rogue_that_sends_in_this_machines_name_is_not_hidden_by_that() -> None:
    segment = heard((0, ether.advert(OWN, "fe80::66")), (1, ether.dhcp(OWN, "10.0.0.66")))
    assert kinds(segment.told.seen) == ["ra.router", "dhcp.offer"]
    assert segment.count_stations(NOW + 2) == 0


def test_a_device_is_remembered_by_its_link_local_address() -> None:
    """By it a router's pseudonym is found on the gateway."""
    first, last = ether.neighbour(ROUTER, "2001:db8::1"), ether.neighbour(ROUTER, "2001:db8::2")
    segment = heard((0, first), (1, ether.advert(ROUTER, "fe80::1")), (2, last))
    assert segment.stations[ROUTER].ipv6 == ip6("fe80::1")


def test_who_really_sent_a_forged_frame_is_told() -> None:
    segment = heard((0, ether.arp(ROUTER, "10.0.0.1")), (1, ether.arp(OTHER, "10.0.0.1", sender=ROGUE)))
    assert segment.told.seen[0].told["sender"] == ROGUE.hex(":")
    assert segment.told.seen[0].mac == OTHER


def test_the_systems_table_is_what_an_address_was_before() -> None:
    known = KNOWN._replace(neighbours=((ip4("10.0.0.1"), ROUTER),))
    segment = heard((5, ether.arp(ROGUE, "10.0.0.1")), known=known)
    assert segment.told.seen[0].told["was"] == ROUTER.hex(":")
    assert segment.claims.gateway() == ROGUE


def test_a_router_is_told_by_what_it_says_and_not_by_a_lifetime_that_counts_down() -> None:
    segment = heard(*((n, ether.advert(ROUTER, "fe80::1", lifetime=1800 - n)) for n in range(50)))
    (seen,) = segment.told.seen
    assert (seen.kind, seen.told["router"], seen.told["lifetime"]) == ("ra.router", "fe80::1", "1800")
    more(segment, (60, ether.advert(ROGUE, "fe80::66", prefix="2001:db8:bad::")))
    assert segment.told.seen[1].told["prefixes"] == "2001:db8:bad::/64"


def test_a_router_that_another_device_ends_is_told_every_hour_and_its_own_end_once() -> None:
    end = ether.advert(ROGUE, "fe80::1", lifetime=0)
    segment = heard((0, ether.advert(ROUTER, "fe80::1")), (1, end), (2, end), (3, end))
    ended = [each for each in segment.told.seen if each.kind == "ra.ended"]
    assert [(each.mac, each.told) for each in ended] == [
        (ROGUE, {"router": "fe80::1", "by": "other", "was": ROUTER.hex(":")})
    ]
    own = heard((0, ether.advert(ROUTER, "fe80::1")), (1, ether.advert(ROUTER, "fe80::1", lifetime=0)))
    assert [each.told.get("by") for each in own.told.seen] == [None, "itself"]


def test_a_router_that_never_was_a_default_one_ends_nothing() -> None:
    segment = heard((0, ether.advert(ROUTER, "fe80::1", lifetime=0)))
    assert kinds(segment.told.seen) == ["ra.router"]
    assert segment.told.seen[0].told["lifetime"] == "0"


def test_a_router_whose_address_a_neighbour_takes_is_told() -> None:
    segment = heard((0, ether.advert(ROUTER, "fe80::1")), (4, ether.neighbour(ROGUE, "fe80::1", flags=0xA0)))
    seen = segment.told.seen[-1]
    assert (seen.kind, seen.mac, seen.told["role"], seen.told["flags"]) == (
        "nd.moved",
        ROGUE,
        "gateway",
        "R+O",
    )


def test_who_answers_every_question_for_a_new_address_is_told_when_it_doubles() -> None:
    parts = []
    for n in range(1, 9):
        target = f"2001:db8::{n}"
        parts += [(n, ether.solicit(PC, target)), (n + 0.1, ether.neighbour(ROGUE, target))]
    seen = [each for each in heard(*parts).told.seen if each.kind == "nd.dad_answered"]
    assert [(each.mac, each.told["answers"], each.told["askers"]) for each in seen] == [
        (ROGUE, "1", "1"), (ROGUE, "2", "1"), (ROGUE, "4", "1"),
    ]  # fmt: skip


def test_an_own_answer_or_a_late_one_is_none() -> None:
    late = (9, ether.neighbour(OTHER, "2001:db8::1"))
    segment = heard((0, ether.solicit(PC, "2001:db8::1")), (1, ether.neighbour(PC, "2001:db8::1")), late)
    assert "nd.dad_answered" not in kinds(segment.told.seen)


def test_two_who_ask_for_the_same_address_at_once_are_told() -> None:
    segment = heard((0, ether.solicit(PC, "2001:db8::1")), (0.5, ether.solicit(ROGUE, "2001:db8::1")))
    assert kinds(segment.told.seen) == ["nd.dad_answered"]


def test_devices_are_counted_for_an_hour_and_new_ones_after_the_first_day() -> None:
    segment = heard(
        (0, ether.arp(PC, "10.0.0.9")), (10, ether.arp(OTHER, "10.0.0.8")), (10, ether.arp(OWN, "10.0.0.2"))
    )
    assert segment.count_stations(NOW + 60) == 2
    assert segment.count_new(NOW + 60) is None
    assert segment.count_stations(NOW + 3605) == 1
    later = NOW + 90_000
    more(segment, (89_000, ether.arp(PC, "10.0.0.9")), (89_500, ether.arp(ROGUE, "10.0.0.7")))
    assert segment.count_stations(later) == 2
    assert segment.count_new(later) == 1
    assert segment.stations[ROGUE].ipv4 == ip4("10.0.0.7")


def test_a_flood_stays_within_bounds_is_counted_and_hides_no_other_attack() -> None:
    segment = heard()
    for n in range(5000):
        mac = b"\2\1" + n.to_bytes(4, "big")
        more(
            segment,
            (n / 100, ether.dhcp(mac, "10.0.0.66")),
            (n / 100, ether.arp(mac, f"10.1.{n >> 8}.{n & 255}")),
        )
    more(segment, (51, ether.arp(ROUTER, "10.0.0.1")), (52, ether.arp(ROGUE, "10.0.0.1")))
    assert kinds(segment.told.seen) == ["dhcp.offer"] * hours.SUBJECTS + ["arp.moved"]
    assert segment.told.untold.total(NOW + 52) == 5000 - hours.SUBJECTS
    assert len(segment.stations) == STATIONS_MAX


def test_a_flood_of_addresses_does_not_make_the_gateways_forgotten() -> None:
    segment = heard((0, ether.arp(ROUTER, "10.0.0.1")))
    flood = ((1, ether.arp(PC, f"10.{n >> 12}.{n >> 6 & 63}.{n & 63}")) for n in range(4096, 4096 + MOST + 9))
    more(segment, *flood, (2, ether.arp(ROGUE, "10.0.0.1")))
    assert [(each.mac, each.told["role"]) for each in segment.told.seen] == [(ROGUE, "gateway")]


def test_a_clock_that_is_set_back_is_no_reason_to_be_silent() -> None:
    segment = heard((0, ether.dhcp(ROGUE, "10.0.0.66")), (-86_400, ether.dhcp(ROGUE, "10.0.0.66")))
    assert [each.at for each in segment.told.seen] == [NOW - 86_400]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(-10, 8000), st.binary(min_size=14, max_size=120)), max_size=20))
def test_whatever_is_heard_it_goes_on(parts: list[tuple[float, bytes]]) -> None:
    segment = heard()
    for after, frame in parts:
        event = frames.parse(frame)
        if event is not None:
            segment.hear(event, NOW + after)
    assert segment.count_stations(NOW) >= 0
