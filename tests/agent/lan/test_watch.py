"""The watch on a real network: two DHCP servers, two routers, and one who takes the gateway's address."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import ether
import station
from conftest import Peer
from mqtt import wait_for
from schoolwatch_agent.chosen import probes_of
from schoolwatch_agent.config import load
from schoolwatch_agent.cycle import Pace, run_cycle
from schoolwatch_agent.formats import hints
from schoolwatch_agent.host import Host
from schoolwatch_agent.identity import Broker, Credential
from schoolwatch_agent.spool import Spool
from schoolwatch_contract import envelope
from switched import ADDRESSES, GATEWAY, MACS, PC, ROGUE, ROUTER, Net, arp, mac

HINT_KEY = "a5" * 32


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory, peer: Peer) -> Iterator[Net]:
    if os.geteuid() != 0:
        pytest.skip("not run: needs root for network namespaces")
    for program in ("ip", "dnsmasq", "radvd"):
        peer(program)
    folder = tmp_path_factory.mktemp("lan")
    with ExitStack() as ending:
        made = Net(folder, ending)
        station.write_credential(
            folder / "data",
            Credential("ab" * 16, "5c" * 32, "secret", Broker("127.0.0.1", 9), hint_key=HINT_KEY),
        )
        (folder / "agent.toml").write_text(
            f'[agent]\ndata = "{folder}/data"\n'
            f'[sensors]\ninterfaces = ["eth0", "eth7"]\nask = 60\nfolder = "{folder}/run"\n'
        )
        made.serve_dhcp(ROUTER)
        made.serve_dhcp(
            ROGUE,
            f"--dhcp-option=option:dns-server,{ADDRESSES[ROGUE]}",
            "--dhcp-option=252,http://10.77.0.66/wpad.dat",
        )
        made.serve_dhcp6(ROGUE)
        made.advertise(ROUTER, "2001:db8:1::/64")
        made.advertise(ROGUE, "2001:db8:bad::/64")
        time.sleep(
            1
        )  # the watch asks at its start, and then only each minute: those whom it asks are to be there
        made.watch = made.start_watch()
        wait_for(lambda: made.heard()["links"], 60)
        yield made


def offers(net: Net) -> Callable[[], object]:
    """Asks as the gateway's own probe of the network does, until both servers answer."""
    ask = "from schoolwatch_agent.discovery import offers; offers('eth0', 1)"

    def answered() -> object:
        net.run(GATEWAY, sys.executable, "-c", ask)
        return net.seen("dhcp.offer", ROUTER) and net.seen("dhcp.offer", ROGUE)

    return answered


def test_a_second_dhcp_server_is_seen_with_what_it_gives(net: Net) -> None:
    wait_for(offers(net), 60)
    assert net.seen("dhcp.offer", ROGUE) == {
        "server": "10.77.0.66",
        "router": "10.77.0.66",
        "resolvers": "10.77.0.66",
        "gives": "address proxy resolvers router",
    }


def test_a_dhcpv6_server_is_made_to_speak_and_seen(net: Net) -> None:
    """A switch shows its answers to nobody else, so the watch asks by itself."""
    told = wait_for(lambda: net.seen("dhcp6.advertise", ROGUE), 120)
    assert told["resolvers"] == "2001:db8:bad::66"
    assert told["server"]


def test_a_second_router_is_seen_and_when_another_ends_the_first(net: Net) -> None:
    wait_for(lambda: net.seen("ra.router", ROUTER) and net.seen("ra.router", ROGUE), 60)
    rogue = net.seen("ra.router", ROGUE)
    assert rogue is not None
    assert rogue["prefixes"] == "2001:db8:bad::/64"
    net.send(ROGUE, ether.advert(mac(ROGUE), "fe80::ff:fe00:7701", lifetime=0))
    wait_for(lambda: net.seen("ra.ended", ROGUE), 30)
    assert net.seen("ra.ended", ROGUE) == {
        "router": "fe80::ff:fe00:7701", "by": "other", "was": MACS[ROUTER],
    }  # fmt: skip


def test_who_takes_the_gateways_address_is_seen_at_once(net: Net) -> None:
    net.send(ROUTER, arp(ROUTER, of=ROUTER))
    wait_for(lambda: net.heard()["links"][0]["gateway"] == MACS[ROUTER], 60)
    net.send(ROGUE, arp(ROGUE, of=ROUTER))
    wait_for(lambda: net.seen("arp.moved", ROGUE), 5)
    told = net.seen("arp.moved", ROGUE)
    assert told is not None
    assert (told["role"], told["was"], told["address"]) == ("gateway", MACS[ROUTER], "10.77.0.1")


def test_neighbour_spoofing_and_answered_questions_are_seen(net: Net) -> None:
    net.send(PC, ether.neighbour(mac(PC), "2001:db8:1::9"))
    net.send(ROGUE, ether.neighbour(mac(ROGUE), "2001:db8:1::9"))
    wait_for(lambda: net.seen("nd.moved", ROGUE), 30)
    for target in (
        "2001:db8:1::a1",
        "2001:db8:1::a2",
    ):  # one sends both: what matters is whose MAC is in them
        net.send(ROGUE, ether.solicit(mac(PC), target), ether.neighbour(mac(ROGUE), target))
    wait_for(lambda: (net.seen("nd.dad_answered", ROGUE) or {}).get("answers") == "2", 30)


def test_the_link_that_is_missing_is_told_and_the_other_counts_devices(net: Net) -> None:
    wait_for(lambda: net.heard()["links"][0]["stations"] >= 2, 30)
    eth0, eth7 = net.heard()["links"]
    assert (eth0["state"], eth7) == ("watching", {"nic": "eth7", "state": "no_link"})
    assert eth0["frames"] > 0


def test_what_was_seen_is_in_the_spool_as_pseudonyms(net: Net) -> None:
    wait_for(offers(net), 60)
    chosen = [probe for probe in probes_of(load(net.folder / "agent.toml")) if probe.name == "sensors"]
    now = time.time()
    with Spool(net.folder / "spool.db", "boot", now) as spool:
        for _ in range(2):
            run_cycle(Host(), chosen, spool, Pace("ab" * 16, "tick", 300))
        bodies = [held.body for held in spool.due(now + 1, 0, 10)]
    sightings = [each for body in bodies for each in envelope.decode(body).sightings]
    rogue = hints.station(bytes.fromhex(HINT_KEY), MACS[ROGUE])
    offered = [each for each in sightings if (each.kind, each.subject) == ("dhcp.offer", rogue)]
    assert [each.detail["server"] for each in offered] == ["10.77.0.66"]
    assert offered[0].detail["oui"] == "02:00:00"
    text = b"".join(envelope.inflate(body) for body in bodies).decode()
    for each in MACS.values():
        assert each not in text
        assert each.replace(":", "") not in text
    assert "fe00:77" not in text


def test_the_technician_finds_the_device_behind_a_pseudonym(net: Net) -> None:
    wait_for(offers(net), 60)
    wanted = hints.station(bytes.fromhex(HINT_KEY), MACS[ROGUE])

    def listed() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(net.agent("lan", wanted[:10], "--json").stdout or "[]")
        return found

    wait_for(listed, 30)
    assert [(row["mac"], row["pseudonym"]) for row in listed()] == [(MACS[ROGUE], wanted)]
    assert MACS[ROGUE] in net.agent("lan").stdout
    nobody = net.agent("lan", "ffff")
    assert (nobody.returncode, "ffff" in nobody.stdout) == (1, True)


def test_the_watch_has_no_right_left(net: Net) -> None:
    status = dict(
        line.split(":\t")
        for line in Path(f"/proc/{net.watch.pid}/status").read_text().splitlines()
        if ":\t" in line
    )
    assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")} == {0}
    assert status["NoNewPrivs"].strip() == "1"
