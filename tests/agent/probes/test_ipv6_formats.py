"""DNS answers, advertisements, DHCP offers and NAT64 prefixes: what is right is read, all else is refused."""

import socket
import struct
import time
from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.formats import advertisement, attempts, dhcp, dns, nat64
from schoolwatch_agent.lan import questions

NAMES = st.from_regex(r"([a-z0-9]{1,20}\.){1,5}[a-z]{2,10}", fullmatch=True)
SIX, FOUR = st.ip_addresses(v=6), st.ip_addresses(v=4)
ASKED = dns.question(7, "a.vidu.vn", "aaaa")


def answered(asked: bytes, records: bytes, *, count: int = 1, flags: int = 0x8180) -> bytes:
    return asked[:2] + struct.pack("!5H", flags, 1, count, 0, 0) + asked[12:] + records


def record(data: bytes, kind: int = 28, owner: bytes = b"\xc0\x0c") -> bytes:
    return owner + struct.pack("!HHIH", kind, 1, 60, len(data)) + data


@given(NAMES, st.lists(SIX, max_size=6))
def test_addresses_are_those_of_the_answer_aliases_stepped_over(
    name: str, addresses: list[IPv6Address]
) -> None:
    asked = dns.question(0xBEEF, name, "aaaa")
    alias = record(b"\x01x\xc0\x0c", kind=5)
    body = alias + b"".join(record(address.packed) for address in addresses)
    said = dns.answer(answered(asked, body, count=len(addresses) + 1), asked)
    assert said == dns.Answer(0, False, tuple(map(str, addresses)))


@given(st.binary(max_size=200), st.integers(0, 65535), st.integers(0, 65535))
def test_any_answer_is_read_or_refused_at_once(tail: bytes, count: int, flags: int) -> None:
    started = time.monotonic()
    for message in (tail, answered(ASKED, tail, count=count, flags=flags)):
        try:
            said = dns.answer(message, ASKED)
        except NotUnderstood:
            continue
        assert len(said.addresses) <= 64
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    "records",
    [
        b"\xc0\x0c" * 100,  # names that are pointers to pointers
        b"\xc0\x21" + struct.pack("!HHIH", 28, 1, 60, 65535),  # a length beyond the end
        b"\x3f" + b"x" * 63,  # a name without an end
    ],
)
def test_a_hostile_answer_costs_nothing(records: bytes) -> None:
    with pytest.raises(NotUnderstood):
        dns.answer(answered(ASKED, records, count=65535), ASKED)


def test_an_answer_to_another_question_is_refused() -> None:
    good = answered(ASKED, record(IPv6Address("2001:db8::1").packed))
    assert dns.answer(good, ASKED).addresses == ("2001:db8::1",)
    for bad in (
        b"\0\1" + good[2:],  # another identifier
        good[:2] + b"\x01\x80" + good[4:],  # a question
        good.replace(b"vidu", b"fake"),  # another name
    ):
        with pytest.raises(NotUnderstood):
            dns.answer(bad, ASKED)


@pytest.mark.parametrize("name", ["", "a..b", "x" * 64 + ".vn", ".".join(["abcdefgh"] * 40)])
def test_what_is_no_name_is_not_asked_for(name: str) -> None:
    with pytest.raises(NotUnderstood):
        dns.question(1, name, "a")


@given(st.sampled_from(nat64.LENGTHS), SIX, st.sampled_from(["192.0.0.170", "192.0.0.171"]))
def test_the_nat64_prefix_is_found_again_whatever_its_length(
    length: int, base: IPv6Address, known: str
) -> None:
    within = IPv6Network((base, length), strict=False)
    if length == 96:  # RFC 6052 §2.2: the octet u is zero in these too
        octets = bytearray(within.network_address.packed)
        octets[8] = 0
        within = IPv6Network((bytes(octets), 96))
    made = nat64.synthesise(within, IPv4Address(known))
    assert nat64.embedded(made, length) == IPv4Address(known)
    found = nat64.prefix(["2001:db8::1", str(made)])
    fitting = [
        n
        for n in nat64.LENGTHS
        if nat64.embedded(made, n) in map(IPv4Address, ("192.0.0.170", "192.0.0.171"))
    ]
    assert found == (within if fitting == [length] else None)


@pytest.mark.parametrize(
    ("within", "address"),
    [  # RFC 6052 §2.4, table 1: 192.0.2.33 in each
        ("2001:db8::/32", "2001:db8:c000:221::"),
        ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
        ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
        ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
        ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
        ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
    ],
)
def test_addresses_are_written_as_the_rfc_writes_them(within: str, address: str) -> None:
    assert nat64.synthesise(IPv6Network(within), IPv4Address("192.0.2.33")) == IPv6Address(address)


@given(st.lists(SIX, max_size=8))
def test_addresses_without_the_well_known_one_have_no_prefix(addresses: list[IPv6Address]) -> None:
    found = nat64.prefix(map(str, addresses))
    assert found is None or any(address in found for address in addresses)


def option(kind: int, body: bytes) -> bytes:
    return bytes([kind, (len(body) + 2) // 8]) + body


@given(
    st.integers(0, 65535),
    st.booleans(),
    st.booleans(),
    st.lists(SIX, min_size=1, max_size=3),
    SIX,
    st.integers(1280, 9000),
    st.sampled_from(nat64.LENGTHS),
)
def test_an_advertisement_is_read_whole(
    lifetime: int,
    managed: bool,
    other: bool,
    resolvers: list[IPv6Address],
    base: IPv6Address,
    mtu: int,
    length: int,
) -> None:
    prefix, translated = IPv6Network((base, 64), strict=False), IPv6Network((base, length), strict=False)
    body = struct.pack("!BBHBBHII", 134, 0, 0, 64, managed << 7 | other << 6, lifetime, 0, 0)
    body += option(1, bytes(6)) + option(5, struct.pack("!HI", 0, mtu))
    body += option(3, bytes([64, 0xC0]) + struct.pack("!III", 600, 300, 0) + prefix.network_address.packed)
    body += option(25, bytes(2) + struct.pack("!I", 600) + b"".join(each.packed for each in resolvers))
    code = (96, 64, 56, 48, 40, 32).index(length)
    body += option(38, struct.pack("!H", 100 << 3 | code) + translated.network_address.packed[:12])
    found = advertisement.parse(body)
    assert found == advertisement.Advertisement(
        lifetime, managed, other, tuple(map(str, resolvers)), (prefix,), (prefix,), mtu, translated
    )


@given(st.binary(max_size=300))
def test_any_advertisement_is_read_or_refused(tail: bytes) -> None:
    for body in (tail, struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + tail):
        try:
            advertisement.parse(body)
        except NotUnderstood:
            continue


@pytest.mark.parametrize(("code", "lifetime"), [(6, 10), (7, 10), (0, 0)])
def test_a_nat64_prefix_that_is_none_is_left_out(code: int, lifetime: int) -> None:
    body = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
    body += option(
        38, struct.pack("!H", lifetime << 3 | code) + socket.inet_pton(socket.AF_INET6, "64:ff9b::")[:12]
    )
    assert advertisement.parse(body).nat64 is None


def offer(options: bytes, transaction: int = 9) -> bytes:
    question = questions.discover(transaction, b"\2\0\0\0\0\1")
    return b"\2" + question[1:236] + question[236:240] + options


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (b"\x35\1\2\x6c\4\0\0\7\x08\xff", b"\0\0\7\x08"),
        (b"\x35\1\2\0\0\3\4\1\2\3\4\xff", b""),
        (b"\x35\1\2\x6c\2\0\0\xff", b""),  # an option of a wrong length is none
        (b"\x35\1\5\x6c\4\0\0\7\x08\xff", None),  # not an offer
    ],
)
def test_an_offer_with_and_without_option_108(options: bytes, found: bytes | None) -> None:
    assert dhcp.ipv6_only(offer(options), 9) == found
    assert dhcp.ipv6_only(offer(options), 8) is None, "an offer to somebody else"


@given(st.binary(max_size=400))
def test_any_dhcp_message_is_read_or_passed_over(tail: bytes) -> None:
    for message in (tail, offer(tail)):
        found = dhcp.ipv6_only(message, 9)
        assert found is None or len(found) in (0, 4)


@given(st.text(max_size=300))
def test_what_the_child_did_not_print_is_refused(text: str) -> None:
    if text.strip() != "{}":
        with pytest.raises(NotUnderstood):
            attempts.parse(text)
