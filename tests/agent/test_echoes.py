"""Echoes over a router that really loses and really delays packets, in network namespaces."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from conftest import Peer
from schoolwatch_agent.formats.echoes import Plan, Target, Tried, quality

HOSTS, LOST, DELAY = 30, 0.3, 0.04

NET = """
pc link add eth0 type veth peer name lan netns {router}
pc addr add 10.62.1.2/24 dev eth0
pc addr add fd62:1::2/64 dev eth0 nodad
pc link set eth0 up
router addr add 10.62.1.1/24 dev lan
router addr add fd62:1::1/64 dev lan nodad
router link set lan up
router link add wan type veth peer name eth0 netns {server}
router addr add 10.62.2.1/24 dev wan
router addr add fd62:2::1/64 dev wan nodad
router link set wan up
server addr add 10.62.2.2/24 dev eth0
server addr add fd62:2::2/64 dev eth0 nodad
server link set eth0 up
server link set lo up
pc route add default via 10.62.1.1
pc -6 route add default via fd62:1::1
server route add default via 10.62.2.1
server -6 route add default via fd62:2::1
router route add 10.62.9.0/24 via 10.62.2.2
router -6 route add fd62:9::/64 via fd62:2::2
router route add 10.62.0.0/16 dev slow table 62
router rule add iif lan lookup 62
router -6 route add fd62::/16 dev slow table 62
router -6 rule add iif lan lookup 62
server route add local 10.62.9.0/24 dev lo
server -6 route add local fd62:9::/64 dev lo
"""
"""What the PC sends beyond the router goes through the device `slow`, where each packet waits."""

FIREWALL = f"""table inet school {{
  chain lossy {{
    type filter hook forward priority 0
    ip saddr 10.62.9.200 icmp type echo-reply drop
    icmp type echo-reply numgen random mod 10 < {round(LOST * 10)} drop
  }}
}}"""

SLOW = r"""
import fcntl, os, struct, sys, threading
# TUNSETIFF with IFF_TUN | IFF_NO_PI: each packet that is routed into the device comes out of it again later
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"slow", 0x1001))
print("up", flush=True)
while packet := os.read(tun, 65536):
    threading.Timer(float(sys.argv[1]), os.write, (tun, packet)).start()
"""


def run(*argv: str, given: str = "") -> None:
    done = subprocess.run(argv, capture_output=True, text=True, input=given, timeout=30, check=False)
    assert done.returncode == 0, (argv, done.stderr)


@pytest.fixture(scope="module")
def pc(peer: Peer) -> Iterator[str]:
    """The namespace of the PC; router and server are behind it."""
    for program in ("ip", "nft", "ping"):
        peer(program)
    if os.geteuid() != 0 or not Path("/dev/net/tun").exists():
        pytest.skip("not run: needs root and /dev/net/tun for network namespaces")
    spaces = {name: f"sw{os.getpid()}-echo-{name}" for name in ("pc", "router", "server")}
    with ExitStack() as ending:
        for space in spaces.values():
            run("ip", "netns", "add", space)
            ending.callback(run, "ip", "netns", "del", space)
        inside = ("ip", "netns", "exec", spaces["router"])
        for key in ("ipv4.ip_forward=1", "ipv6.conf.all.forwarding=1", "ipv4.conf.default.rp_filter=0",
                    "ipv4.conf.all.rp_filter=0"):  # fmt: skip
            run(*inside, "sysctl", "-q", "-w", f"net.{key}")
        slow = subprocess.Popen([*inside, sys.executable, "-c", SLOW, str(DELAY)], stdout=subprocess.PIPE)
        ending.callback(slow.wait)
        ending.callback(slow.kill)
        assert slow.stdout is not None
        assert slow.stdout.readline() == b"up\n"
        run("ip", "-n", spaces["router"], "link", "set", "slow", "up")
        for line in NET.format(**spaces).strip().splitlines():
            place, *words = line.split()
            run("ip", "-n", spaces[place], *words)
        run(*inside, "nft", "-f", "-", given=FIREWALL)
        yield spaces["pc"]
        slow.stdout.close()


def ask(pc: str, *targets: Target, as_nobody: bool = False) -> dict[tuple[str, str], Tried]:
    plan = msgspec.json.encode(Plan(targets, ("4", "6"))).decode()
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]
    argv = ["ip", "netns", "exec", pc, *(nobody if as_nobody else [])]
    done = subprocess.run(
        [*argv, sys.executable, "-m", "schoolwatch_agent.echoes", plan],
        capture_output=True, text=True, timeout=40, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {(t.name, t.family): t for t in msgspec.json.decode(done.stdout, type=tuple[Tried, ...])}


def test_loss_and_delay_are_those_of_the_path(pc: str) -> None:
    """300 echoes of which each is lost by 0.3: the measured part is within four standard deviations."""
    hosts = [Target(f"host {n}", f"10.62.9.{n}") for n in range(1, HOSTS + 1)]
    gateways = [Target("gateway", "10.62.1.1"), Target("gateway", "fd62:1::1")]
    found = ask(pc, *gateways, *hosts, Target("v6", "fd62:9::1"))
    times = [time for n in range(1, HOSTS + 1) for time in found[f"host {n}", "4"].times]
    assert len(times) == 10 * HOSTS
    sigma = (LOST * (1 - LOST) / len(times)) ** 0.5
    assert abs(quality(times).loss - LOST) < 4 * sigma
    near, far = quality(found["gateway", "4"].times), quality(times)
    assert near.loss == 0.0, "the gateway is not behind the loss"
    assert near.latency is not None
    assert far.latency is not None
    assert far.latency >= DELAY, "each echo waited so long on its way"
    assert near.latency < DELAY
    assert quality(found["gateway", "6"].times).loss == 0.0
    over6 = quality(found["v6", "6"].times)
    assert over6.latency is not None
    assert over6.latency >= DELAY
    assert {t.method for t in found.values()} == {"icmp"}


def test_a_host_that_drops_echoes_is_measured_by_tcp_and_silence_is_not_loss(pc: str) -> None:
    found = ask(
        pc,
        Target("refuses", "10.62.9.200", (443,)),
        Target("silent", "10.62.77.1", (53, 80)),
        Target("server", "10.62.77.2", (443,), answers=True),
    )
    refuses = found["refuses", "4"]
    assert (refuses.outcome, refuses.method) == ("ok", "tcp")
    seen = quality(refuses.times)
    assert seen.latency is not None
    assert seen.latency >= DELAY
    silent = found["silent", "4"]
    assert (silent.outcome, silent.method, silent.times) == ("silent", None, ())
    assert quality(found["server", "4"].times).loss == 1.0, "one that is known to answer has gone"


def test_without_permission_it_is_tcp_and_where_that_says_nothing_unknown(pc: str, peer: Peer) -> None:
    peer("setpriv")
    run("ip", "netns", "exec", pc, "sysctl", "-q", "-w", "net.ipv4.ping_group_range=1 0")
    found = ask(pc, Target("gateway", "10.62.1.1", (53,)), Target("silent", "10.62.77.1"), as_nobody=True)
    run("ip", "netns", "exec", pc, "sysctl", "-q", "-w", "net.ipv4.ping_group_range=0 2147483647")
    assert found["gateway", "4"].method == "tcp"
    assert (found["silent", "4"].outcome, found["silent", "4"].method) == ("not_permitted", None)
    found = ask(pc, Target("gateway", "10.62.1.1", (53,)), as_nobody=True)
    assert found["gateway", "4"].method == "icmp", "the system lets everybody send echoes now"
