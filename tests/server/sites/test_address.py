"""What may be typed for a site, where a redirect may lead, and which addresses of IP are reached."""

from ipaddress import IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server.sites.address import Address, AddressError, following, shown, typed
from schoolwatch_server.sites.networks import Reachable, nat64_prefixes, networks


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" thcs-a.edu.vn ", "http://thcs-a.edu.vn/"),
        ("www.thcs-a.edu.vn:8080/trang-chu", "http://www.thcs-a.edu.vn:8080/trang-chu"),
        ("HTTPS://THCS-A.edu.vn:443", "https://thcs-a.edu.vn/"),
        ("https://thcs-a.edu.vn/tin tức".replace(" ", "-"), "https://thcs-a.edu.vn/tin-t%E1%BB%A9c"),
        ("https://trườnga.vn/?id=1#dau", "https://xn--trnga-grb7933c.vn/?id=1"),
        ("http://thcs-a。edu．vn/", "http://thcs-a.edu.vn/"),
        ("http://thcs-a.edu.vn./", "http://thcs-a.edu.vn/"),
    ],
)
def test_what_people_type_becomes_one_way_of_writing_it(text: str, address: str) -> None:
    found = typed(text)
    assert str(found) == address
    assert typed(address) == found, "and stays so"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "host"),
        ("http://", "host"),
        ("http://máy chủ.vn", "host"),
        ("http://localhost/", "host"),
        ("http://thcs_a.edu.vn", "host"),
        ("http://-a.vn", "host"),
        ("http://a.vn\\@127.0.0.1/", "host"),
        ("http://a.vn\t.evil.vn/", "host"),
        ("http://a%2evn/", "host"),
        ("ftp://thcs-a.edu.vn", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("https://thay:matkhau@thcs-a.edu.vn/", "credentials"),
        ("https://thay@thcs-a.edu.vn/", "credentials"),
        ("http://192.168.1.1/", "number"),
        ("http://8.8.8.8/", "number"),
        ("http://[::1]/", "number"),
        ("http://2130706433/", "number"),
        ("http://0x7f000001/", "number"),
        ("http://0177.0.0.1/", "number"),
        ("http://127.1/", "number"),
        ("http://１２７.0.0.1/", "number"),
        ("http://a.vn.0x10", "number"),
        ("http://thcs-a.edu.vn:99999/", "port"),
        ("http://thcs-a.edu.vn:0/", "port"),
        ("http://thcs-a.edu.vn/" + "a" * 400, "long"),
        ("http://thcs-a.edu.vn/" + "ứ" * 80, "long"),
    ],
)
def test_what_is_no_address_of_a_site_says_why(text: str, fault: str) -> None:
    with pytest.raises(AddressError) as error:
        typed(text)
    assert error.value.fault == fault


@given(st.text(max_size=60) | st.builds("http://{}".format, st.text(max_size=40)))
def test_whatever_is_typed_is_an_address_or_refused(text: str) -> None:
    try:
        found = typed(text)
    except AddressError:
        return
    assert str(found).isascii()
    assert "@" not in f"{found.host}:{found.port}"
    assert typed(str(found)) == found


def test_a_redirect_may_be_relative_and_lead_to_a_number_but_to_no_other_scheme() -> None:
    here = Address("https", "a.vn", 443, "/x/y?z")
    assert str(following(here, "../trang chủ")) == "https://a.vn/trang%20ch%E1%BB%A7"
    assert str(following(here, "//b.vn/")) == "https://b.vn/"
    assert following(here, "http://[::ffff:127.0.0.1]:8080/").host == "::ffff:7f00:1"
    for bad in (
        "ftp://a.vn/",
        "http://2130706433/",
        "http://a:b@c.vn/",
        "javascript:0",
        "http://[::1",
        "http://",
    ):
        with pytest.raises(AddressError):
            following(here, bad)


def test_people_read_a_name_in_its_own_letters() -> None:
    assert shown("https://xn--trnga-grb7933c.vn/x") == "https://trườnga.vn/x"
    assert shown("https://thcs-a.edu.vn/") == "https://thcs-a.edu.vn/"


PUBLIC = ("8.8.8.8", "203.113.131.1", "2001:4860:4860::8888", "2405:4800::1")
NOT_PUBLIC = (
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.1.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.9",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "4000::1",
)


@pytest.mark.parametrize("ip", PUBLIC)
def test_what_everybody_reaches_is_reached(ip: str) -> None:
    assert Reachable().has(ip_address(ip))


@pytest.mark.parametrize("ip", NOT_PUBLIC)
def test_what_is_somebodys_own_is_not(ip: str) -> None:
    assert not Reachable().has(ip_address(ip))


def test_a_province_allows_its_own_network_and_nothing_beside_it() -> None:
    reachable = Reachable(networks(["10.20.0.0/16", "fd12:3456::/48"]), frozenset({ip_address("8.8.8.8")}))
    assert reachable.has(ip_address("10.20.1.1"))
    assert reachable.has(ip_address("fd12:3456::1"))
    assert not reachable.has(ip_address("10.21.1.1"))
    assert not reachable.has(ip_address("8.8.8.8")), "this machine itself is not asked by its public address"
    with pytest.raises(ValueError, match="host bits"):
        networks(["10.20.1.1/16"])


@pytest.mark.parametrize(
    "synthesised",
    [
        "2405:1:2:3:4:5:c000:aa",  # /96
        "2405:1:2:3:c0:0:aa00:0",  # /64
        "2405:1:2:3c0:0:aa:0:0",  # /56
        "2405:1:2:c000:0:aa00::",  # /48
        "2405:1:2c0:0:aa::",  # /40
        "2405:1:c000:aa::",  # /32
    ],
)
def test_addresses_that_a_resolver_makes_up_for_nat64_are_no_ipv6_of_a_site(synthesised: str) -> None:
    ip = IPv6Address(synthesised)
    assert Reachable().has(ip), "it looks like any other"
    reachable = Reachable(nat64=nat64_prefixes([ip]))
    assert reachable.is_translated(ip)
    assert not reachable.has(ip)
    assert reachable.is_translated(IPv6Address("64:ff9b::1"))
    assert not reachable.is_translated(IPv6Address("2001:4860::1"))
