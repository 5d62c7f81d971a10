"""Links, addresses, routes, resolvers and the IPv6 ladder on recorded machines."""

import pytest

import machines
from schoolwatch_agent.formats import network
from schoolwatch_agent.probe import observe
from schoolwatch_agent.probes import listed
from schoolwatch_agent.recorded import RecordedHost
from schoolwatch_contract.settings import DEFAULTS, Endpoint, Ipv6


def rungs(machine: str) -> list[float | None]:
    found = machines.readings(machines.look("ipv6", machine))
    return [found[f"ipv6.rung {rung}"] for rung in range(5)]


def reasons(machine: str) -> list[str | None]:
    found = machines.facts(machines.look("ipv6", machine))
    return [found[f"ipv6.rung.reason {rung}"].value for rung in range(5)]


@pytest.mark.parametrize(
    ("machine", "expected", "why"),
    [
        (
            "linux/ubuntu2204-classroom-laptop",
            [1, 1, 1, 1, 1],
            ["link_local", "advertisement", "rdnss", "slaac", "next_hop_answers"],
        ),
        (
            "linux/ipv6-without-permission",
            [1, 1, None, 1, None],  # stale, and nobody could ask it: it may be gone
            ["link_local", "route_from_advertisement", "not_permitted", "slaac", "next_hop_not_asked"],
        ),
        (
            "linux/ipv6-nothing-known",
            [1, None, None, 0, 0],
            ["link_local", "not_permitted", "not_permitted", "no_address", "no_route"],
        ),
        (
            "linux/ipv6-switched-off",
            [0, 0, 0, 0, 0],
            ["no_link_local", "no_advertisement", "no_advertisement", "no_address", "no_route"],
        ),
        (
            "linux/ipv6-advertisement-without-dns",
            [1, 1, 0, 1, 0],
            ["link_local", "advertisement", "no_rdnss", "dhcpv6", "next_hop_silent"],
        ),
        (
            "linux/ipv6-6to4-only",
            [1, 0, 0, 0, None],
            ["link_local", "no_advertisement", "no_advertisement", "6to4_only", "next_hop_not_asked"],
        ),
        (
            "linux/ipv6-bad-advertisement",
            [1, 0, 0, 0, 0],
            ["link_local", "no_advertisement", "no_advertisement", "no_address", "no_route"],
        ),
        (
            "windows/win11-teacher-laptop",
            [1, 1, None, 1, 1],
            [
                "link_local",
                "address_from_advertisement",
                "not_permitted",
                "slaac+temporary",
                "next_hop_answers",
            ],
        ),
        (
            "windows/network-virtual-adapters",
            [1, 1, None, 0, 0],
            ["link_local", "address_from_advertisement", "not_permitted", "ula_only", "next_hop_silent"],
        ),
        (
            "windows/network-half-duplex",
            [0, None, None, 0, 0],
            ["no_link_local", "not_permitted", "not_permitted", "6to4_only", "no_route"],
        ),
    ],
)
def test_the_ladder_and_its_reasons(machine: str, expected: list[float | None], why: list[str]) -> None:
    assert rungs(machine) == expected
    assert reasons(machine) == why


@pytest.mark.parametrize(
    ("machine", "rungs", "why"),
    [
        (
            "linux/ipv6-dual-stack",
            [1, 1, 1, 1, 0, 1, 1],
            (
                "dns_answers all_hosts_reached large_packets_pass v6_preferred "
                "nat64_absent option_108_offered one_router"
            ),
        ),
        (
            "linux/ipv6-v6-only",
            [1, 1, 1, 1, 1, None, 1],
            "dns_answers all_hosts_reached large_packets_pass v6_alone nat64_works dhcp_silent one_router",
        ),
        (
            "linux/ipv6-black-hole",
            [1, 1, 0, 1, 0, 0, 1],
            (
                "dns_answers all_hosts_reached large_packets_lost v6_preferred "
                "nat64_absent option_108_absent one_router"
            ),
        ),
        (
            "linux/ipv6-dns-broken",
            [0, 1, 1, 1, 0, 0, 1],
            (
                "dns6_timeout all_hosts_reached large_packets_pass v6_preferred "
                "nat64_absent option_108_absent one_router"
            ),
        ),
        (
            "linux/ipv6-without-permission",
            [None, None, None, None, None, None, None],
            "not_tried not_tried not_tried not_tried not_tried not_permitted not_permitted",
        ),
        (
            "windows/ipv6-dual-stack",
            [1, 1, 1, 1, 0, None, None],
            (
                "dns_answers all_hosts_reached large_packets_pass v6_preferred nat64_absent not_permitted "
                "not_permitted"
            ),
        ),
        (
            "windows/ipv6-handshake-stalls",
            [1, 0, 0, 1, 0, None, None],
            (
                "dns_answers v6_tls_timeout large_packets_lost v6_preferred nat64_absent not_permitted "
                "not_permitted"
            ),
        ),
        (
            "windows/ipv6-silent-resolver",
            [0, 1, 1, 1, 0, None, None],
            (
                "dns6_timeout server_without_v6 large_packets_pass v6_preferred nat64_absent not_permitted "
                "not_permitted"
            ),
        ),
    ],
)
def test_the_rungs_that_need_a_target(machine: str, rungs: list[float | None], why: str) -> None:
    looked = machines.look("ipv6", machine)
    assert [machines.readings(looked)[f"ipv6.rung {rung}"] for rung in range(5, 12)] == rungs
    assert [machines.facts(looked)[f"ipv6.rung.reason {rung}"].value for rung in range(5, 12)] == why.split()


def test_without_targets_nothing_is_tried_and_the_rungs_say_so() -> None:
    class Silent(RecordedHost):
        def reach(self, plan: str, timeout: float = 30) -> str:
            raise AssertionError("nothing may be contacted")

        def dhcp_offers(self, nic: str, timeout: float) -> tuple[bytes, ...]:
            raise AssertionError("nothing may be asked")

    host = Silent(machines.RECORDINGS / "linux" / "ipv6-dual-stack.json")
    found = observe(listed("ipv6", 0, DEFAULTS.ipv6), host)
    assert machines.failure(found) is None
    facts = machines.facts(found)
    assert {facts[f"ipv6.rung.reason {rung}"].value for rung in range(5, 11)} == {"no_target"}
    assert {machines.readings(found)[f"ipv6.rung {rung}"] for rung in range(5, 11)} == {None}


@pytest.mark.parametrize(
    ("targets", "unknown"),
    [
        (Ipv6(v6_only_name="chi6.vidu.vn"), {6, 7, 8}),
        (Ipv6(dual_stack=(Endpoint("2001:db8::1"),)), {5, 9}),
    ],
)
def test_a_rung_without_a_target_of_its_own_is_unknown(targets: Ipv6, unknown: set[int]) -> None:
    host = RecordedHost(machines.RECORDINGS / "linux" / "ipv6-dual-stack.json")
    facts = machines.facts(observe(listed("ipv6", 0, targets), host))
    assert {rung for rung in range(12) if facts[f"ipv6.rung.reason {rung}"].value == "no_target"} == unknown


def test_what_an_advertisement_says_of_the_network() -> None:
    looked = machines.look("ipv6", "linux/ipv6-whole-advertisement")
    readings, facts = machines.readings(looked), machines.facts(looked)
    assert (readings["ipv6.router.lifetime"], readings["ipv6.advertised.mtu"]) == (1800, 1492)
    assert readings["ipv6.routers"] == 2
    assert facts["ipv6.advertised.flags"].value == "M+O"
    assert facts["ipv6.advertised.prefixes"].value == "2001:db8:5:1::/64 2002:c000:204::/64"
    assert facts["ipv6.nat64.prefix"].value == "64:ff9b::/96"
    assert facts["ipv6.rung.reason 9"].value == "pref64"
    assert facts["ipv6.rung.reason 11"].value == "6to4_advertised"


def test_only_hardware_is_a_link_on_windows() -> None:
    found = machines.readings(machines.look("links", "windows/network-virtual-adapters"))
    assert {key.split(" ", 1)[1] for key in found} == {"Ethernet 2"}
    assert found["link.speed Ethernet 2"] == 100e6
    counted = machines.readings(machines.look("addresses", "windows/network-virtual-adapters"))
    assert {key.split(" ", 1)[1] for key in counted} == {
        "Ethernet 2 4 private",
        "Ethernet 2 6 link",
        "Ethernet 2 6 ula",
    }


@pytest.mark.parametrize(
    ("machine", "nic", "up", "speed", "medium", "duplex"),
    [
        ("windows/win10-lab-desktop", "Ethernet", 1, 1e9, "wired", "full"),
        ("windows/win11-teacher-laptop", "Wi-Fi", 1, 866.7e6, "wireless", None),
        ("windows/win11-teacher-laptop", "Ethernet", 0, None, "wired", None),
        ("windows/network-cable-unplugged", "Ethernet", 0, None, "wired", None),
        ("windows/network-half-duplex", "Ethernet", 1, 100e6, "wired", "half"),
        ("linux/ubuntu2204-classroom-laptop", "wlp2s0", 1, None, "wireless", None),
        ("linux/ubuntu2204-classroom-laptop", "enx00e04c", 0, None, "wired", None),
        ("linux/links-half-duplex", "eth0", 1, 100e6, "wired", "half"),
    ],
)
def test_a_link(
    machine: str, nic: str, up: float, speed: float | None, medium: str, duplex: str | None
) -> None:
    observed = machines.look("links", machine)
    found, facts = machines.readings(observed), machines.facts(observed)
    assert (found[f"link.up {nic}"], found[f"link.speed {nic}"]) == (up, speed)
    assert (facts[f"link.medium {nic}"].value, facts[f"link.duplex {nic}"].value) == (medium, duplex)


def test_what_went_over_a_link_and_what_was_lost() -> None:
    found = machines.readings(machines.look("links", "windows/network-faulty-cable"))
    assert {name: value for name, value in found.items() if "_" in name} == {
        "link.in_octets Ethernet": 184_467_440_737,
        "link.out_octets Ethernet": 5_123_456_789,
        "link.in_errors Ethernet": 1204,
        "link.out_errors Ethernet": 0,
        "link.in_discards Ethernet": 17,
    }
    silent = machines.readings(machines.look("links", "windows/network-half-duplex"))
    assert silent["link.in_errors Ethernet"] is None, "a driver that does not count is not without errors"


def test_a_container_has_no_links_and_says_nothing() -> None:
    observed = machines.look("links", "linux/links-container")
    assert (observed.readings, observed.facts) == ((), ())


def test_how_addresses_came() -> None:
    facts = machines.facts(machines.look("addresses", "windows/win11-teacher-laptop"))
    assert facts["address.source Wi-Fi 6"].value == "slaac+temporary"
    assert facts["address.source Wi-Fi 4"].value == "dhcp"
    facts = machines.facts(machines.look("addresses", "linux/ubuntu2204-classroom-laptop"))
    assert facts["address.source wlp2s0 4"].value == "dhcp"
    assert "address.source docker0 4" not in facts


def test_next_hops_and_resolvers_lose_their_identifiers() -> None:
    facts = machines.facts(machines.look("routes", "linux/ubuntu2204-classroom-laptop"))
    assert facts["route.default 6 wlp2s0"].value == "fe80::"
    assert facts["route.default 4 wlp2s0"].value == "192.168.50.1"
    observed = machines.look("resolvers", "linux/ubuntu2204-classroom-laptop")
    assert [f.value for f in observed.facts] == ["192.168.50.1", "2001:ee0:1:2::/64", "fe80::"]
    assert machines.readings(observed) == {"resolver.count 4": 1, "resolver.count 6": 2}


def test_windows_placeholders_are_no_resolvers() -> None:
    found = machines.readings(machines.look("resolvers", "windows/win11-teacher-laptop"))
    assert found == {"resolver.count 4": 1, "resolver.count 6": 1}


@pytest.mark.parametrize(
    ("nic", "kind", "counted"),
    [
        ("eth0", None, True),
        ("br0", "bridge", True),
        ("bond0", "bond", True),
        ("docker0", "bridge", False),
        ("br-0123456789ab", "bridge", False),
        ("virbr0", "bridge", False),
        ("veth12", "veth", False),
        ("ifb0", "ifb", False),
        ("tun0", "tun", False),
        ("wg0", "wireguard", False),
        ("lo", None, False),
    ],
)
def test_which_links_stand_for_the_network(nic: str, kind: str | None, counted: bool) -> None:
    assert network.is_counted(nic, kind) is counted
