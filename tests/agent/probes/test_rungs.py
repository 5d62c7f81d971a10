"""What rungs say of odd lines: never good for what was not seen, never a fault of IPv6 for what is none."""

import json

import pytest

from schoolwatch_agent.errors import CommandFailed
from schoolwatch_agent.formats import link_rungs, network, path_rungs
from schoolwatch_agent.formats.advertisement import Advertisement
from schoolwatch_agent.formats.attempts import About, Asked, Found, Outcome, Tried, Try
from schoolwatch_agent.formats.link_rungs import Heard
from schoolwatch_agent.formats.network import Address, Neighbour, Route
from schoolwatch_agent.host import Host
from schoolwatch_agent.probes import ipv6
from schoolwatch_agent.recorded import RecordedHost
from schoolwatch_contract import ladder
from schoolwatch_contract.records import Reading
from schoolwatch_contract.settings import Endpoint, Ipv6

ROUTE = Route("eth0", "6", "fe80::1", 0.0, from_advertisement=True)
HOSTS = Ipv6((Endpoint("a.vn"), Endpoint("b.vn")), server=Endpoint("so.vn", 8443))
OK = Try("ok", 0.01, 0.02)


@pytest.mark.parametrize(
    ("states", "reached", "reason"),
    [
        (["reachable"], True, "next_hop_answers"),
        (["stale"], None, "next_hop_not_asked"),  # a router that was there an hour ago
        (["delay"], None, "next_hop_not_asked"),
        (["stale", "reachable"], True, "next_hop_answers"),  # it answered an echo since
        (["failed"], False, "next_hop_silent"),
        ([], None, "next_hop_not_asked"),
    ],
)
def test_a_router_that_was_there_once_is_not_said_to_answer(
    states: list[str], reached: bool | None, reason: str
) -> None:
    neighbours = [Neighbour("eth0", "fe80::1", state) for state in states]
    found = link_rungs.rungs([], [ROUTE], neighbours, Heard())[4]
    assert (found.reached, found.reason) == (reached, reason)


def test_a_machine_off_every_network_is_not_said_to_have_ipv6_switched_off() -> None:
    found = link_rungs.rungs([], [], [], Heard(refused="not_permitted"))
    assert set(found) == {0, 1, 2, 3, 4, 11}
    assert {(rung.reached, rung.reason) for rung in found.values()} == {(None, "no_network")}
    only_four = [Address("eth0", "4", "private", "dhcp")]
    assert link_rungs.rungs(only_four, [], [], Heard())[0].reason == "no_link_local"


def test_on_windows_an_echo_that_was_answered_is_newer_than_the_table() -> None:
    hop = {"InterfaceAlias": "Wi-Fi", "IPAddress": "fe80::1"}
    told = {"neighbours": [{**hop, "State": 4}], "answering": [{**hop, "State": 5}]}
    assert [each.state for each in network.windows_neighbours(told)] == ["stale", "reachable"]


def test_an_address_that_another_machine_has_is_none() -> None:
    info = {"local": "2001:ee0:1:2::7", "prefixlen": 64}
    told = [{"ifname": "eth0", "link_type": "ether", "addr_info": [info, {**info, "dadfailed": True}]}]
    assert len(list(network.linux_addresses(json.dumps(told)))) == 1


@pytest.mark.parametrize("kind", [None, "vlan", "bridge", "bond"])
def test_a_vlan_is_a_link_of_the_school(kind: str | None) -> None:
    info = {"local": "2001:ee0:1:2::7", "prefixlen": 64}
    link = {"ifname": "eth0.20", "link_type": "ether", "addr_info": [info], "linkinfo": {"info_kind": kind}}
    assert [each.scope for each in network.linux_addresses(json.dumps([link]))] == ["global"]


def test_a_gateway_that_dials_in_itself_has_its_ipv6_on_that_link() -> None:
    info = {"local": "2001:ee0:1:2::7", "prefixlen": 64, "dynamic": True}
    links = json.dumps(
        [
            {"ifname": "ppp0", "link_type": "ppp", "addr_info": [info], "linkinfo": {"info_kind": "ppp"}},
            {"ifname": "tun0", "link_type": "none", "addr_info": [info], "linkinfo": {"info_kind": "tun"}},
        ]
    )

    class Dialled(RecordedHost):
        def __init__(self) -> None:
            Host.__init__(self)

        def run(self, *argv: str, timeout: float = 10) -> str:
            route = [{"dst": "default", "gateway": "fe80::1", "dev": "ppp0", "protocol": "ra"}]
            if "neigh" in argv or argv[0] == "ping":
                return "[]"
            return links if "addr" in argv else json.dumps(route)

        def router_advertisements(self, nic: str, timeout: float) -> tuple[bytes, ...]:
            raise PermissionError

        def wait(self, seconds: float) -> None:
            return

    found = {
        (r.metric, r.labels["rung"]): r.value
        for r in ipv6.read(Dialled(), Ipv6())
        if isinstance(r, Reading) and r.metric == "ipv6.rung"
    }
    assert [found["ipv6.rung", str(rung)] for rung in (1, 3, 4)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("states", "echoes"),
    [
        (["delay", "probe", "probe", "failed"], 1),  # the echo made the system ask
        (["stale", "delay", "probe", "failed"], 2),  # it had been heard of, so that the first echo did not
        (["", "incomplete", "failed"], 2),  # it was forgotten while we looked
    ],
)
def test_a_router_is_asked_again_only_while_the_system_does_not_ask(states: list[str], echoes: int) -> None:
    sent, seen = list[str](), iter(states)

    class Silent(RecordedHost):
        def __init__(self) -> None:
            pass

        def run(self, *argv: str, timeout: float = 10) -> str:
            if argv[0] == "ping":
                sent.append(argv[-1])
                raise CommandFailed(argv, 1, "")
            state = next(seen)
            return json.dumps([{"dev": "eth0", "dst": "fe80::1", "state": [state.upper()]}] if state else [])

        def wait(self, seconds: float) -> None:
            return

    found = ipv6._next_hops(Silent(), [ROUTE])
    assert [each.state for each in found] == ["failed"]
    assert sent == ["fe80::1%eth0"] * echoes


def asked(about: About, *addresses: str, outcome: Outcome = "ok", resolver: str = "192.0.2.53") -> Asked:
    return Asked(resolver, about, outcome if addresses else "no_name", 0.01, addresses)


TRUE = (asked("name", "2001:db8::1"), asked("name4", "203.0.113.1"))


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((*TRUE, asked("nobody"), asked("nobody4")), "dns_answers_over_v4"),
        # a provider's page for what does not exist: what exists is found all the same
        ((*TRUE, asked("nobody4", "198.51.100.9")), "dns_answers_over_v4"),
        ((asked("name"), asked("name4", "10.0.0.1"), asked("nobody4", "10.0.0.1")), "dns_answers_anything"),
        ((asked("name", "fd00::1"), asked("nobody", "fd00::1")), "dns_answers_anything"),
        # the same page, while the resolver fails: that is what is to be seen to
        ((asked("name"), asked("nobody4", "198.51.100.9")), "dns4_no_name"),
    ],
)
def test_a_resolver_that_gives_everything_one_address_is_told(
    answers: tuple[Asked, ...], reason: str
) -> None:
    found = path_rungs.rungs(HOSTS, Found(answers), Heard(), has_ipv4=True)[5]
    assert found.reason == reason
    assert found.reached is (reason == "dns_answers_over_v4")


def tried(
    six: Outcome, four: Outcome, server: Outcome = "timeout", hosts: tuple[str, ...] = ("a.vn", "b.vn")
) -> Found:
    def one(name: str, over_six: Outcome, over_four: Outcome) -> Tried:
        tries = [OK if each == "ok" else Try(each) for each in (over_six, over_four)]
        return Tried(name, "6", tries[0], tries[1], tries[0])

    return Found((), (*(one(name, six, four) for name in hosts), one("so.vn", server, four)))


TWO = Heard(((Advertisement(1800), Advertisement(1800)),))


@pytest.mark.parametrize(
    ("found", "heard", "has_ipv4", "reached", "reason"),
    [
        (tried("timeout", "ok"), Heard(), True, False, "v6_timeout"),
        (tried("timeout", "timeout"), Heard(), True, None, "neither_family"),  # line, proxy or hosts
        (tried("unreachable", "refused"), Heard(), True, None, "neither_family"),
        (tried("timeout", "unreachable"), Heard(), False, False, "v6_timeout"),  # there is no IPv4 to compare
        (tried("timeout", "no_address"), Heard(), True, False, "v6_timeout"),
        (tried("timeout", "ok"), TWO, True, False, "v6_lost_to_a_stranger"),
        (tried("not_itself", "ok"), Heard(), True, None, "answered_by_another"),
        (tried("ok", "ok"), Heard(), True, False, "server_unreachable"),
        (tried("ok", "ok", "not_itself"), Heard(), True, None, "answered_by_another"),
        # without another target nobody can say that others are reached
        (tried("ok", "ok", hosts=()), Heard(), True, False, "v6_timeout"),
        (tried("ok", "ok", "no_address", hosts=()), Heard(), True, None, "server_without_v6"),
        (tried("ok", "ok", "no_address"), Heard(), True, True, "server_without_v6"),
        (tried("timeout", "ok", "no_address"), Heard(), True, False, "v6_timeout"),
    ],
)
def test_what_is_no_fault_of_ipv6_is_not_called_one(
    found: Found, heard: Heard, has_ipv4: bool, reached: bool | None, reason: str
) -> None:
    rungs = path_rungs.rungs(HOSTS, found, heard, has_ipv4=has_ipv4)
    assert (rungs[6].reached, rungs[6].reason) == (reached, reason)
    if reached is not True and reason != "server_without_v6":
        assert ladder.remedy(reason, "vi")
    if found.tried[0].six.outcome == "not_itself":
        assert (rungs[7].reached, rungs[8].reached) == (None, None), "what another carries says nothing"


def test_one_target_with_a_wrong_certificate_does_not_hide_the_others() -> None:
    good, bad = (Tried(name, "6", Try(how), OK, OK) for name, how in (("a.vn", "ok"), ("b.vn", "not_itself")))
    rungs = path_rungs.rungs(Ipv6(HOSTS.dual_stack), Found((), (good, bad)), Heard(), has_ipv4=True)
    assert [(rungs[n].reached, rungs[n].reason) for n in (6, 7)] == [
        (True, "some_hosts_fail"),
        (True, "large_packets_pass"),
    ]
