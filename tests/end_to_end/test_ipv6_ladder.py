"""The IPv6 ladder in real networks: one set of namespaces a case, with radvd, dnsmasq, unbound and tayga.

`schoolwatch-agent once` runs on the PC of each, as a technician calls it, and tells the first failing rung
with its remedy; the server's judgement of the same names it too. The matrix of cases and rungs is printed.
"""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, repeat
from pathlib import Path

import pytest

import schoolnet
from conftest import Peer
from schoolnet import Case
from schoolwatch_contract import ladder as words
from schoolwatch_contract.catalogue import METRICS
from schoolwatch_contract.ladder import Language
from schoolwatch_contract.records import SCHEMA, Envelope, Fact, Reading
from schoolwatch_server import ladder
from schoolwatch_server.packs import load
from schoolwatch_server.state import State, find, merge

NFT = ("nft add table ip6 f", "nft add chain ip6 f out { type filter hook output priority 0 ; }")
SILENT_DNS = (*NFT, f"nft add rule ip6 f out ip6 saddr {schoolnet.ROUTER6} udp sport 53 drop")
BLACK_HOLE = (
    *(
        f"ip -6 route add {six} via 2001:db8:ffff::2 mtu lock 1280"
        for name, (six, _) in schoolnet.HOSTS.items()
        if name != "lon.vidu.vn"
    ),
    *NFT,
    "nft add rule ip6 f out icmpv6 type packet-too-big drop",
)

GONE = (*NFT, "nft add rule ip6 f out drop")
NO_WAY_OUT = (
    "nft add table inet f",
    "nft add chain inet f on { type filter hook forward priority 0 ; }",
    "nft add rule inet f on drop",
)
OFFLINE = ("ip link set wan down",)
PPPOE = ("ip link set wan mtu 1492",)
NO_TOO_BIG = (*NFT, "nft add rule ip6 f out icmpv6 type packet-too-big drop")
CONTAINERS = tuple(
    line
    for number, nic in enumerate(("docker0", "lxdbr0", "vboxnet0"))
    for line in (
        f"ip link add {nic} type bridge",
        f"ip link set {nic} up",
        f"ip addr add 2001:db8:d{number}::1/64 dev {nic} nodad",
    )
)
WIDE = "2001:db8:77::/60"
NO_AUTOCONF = ("sysctl -qw net.ipv6.conf.eth0.autoconf=0",)
TO_PORTAL = ["--address=/#/192.168.77.1"]
TO_PORTAL_6 = [*TO_PORTAL, f"--address=/#/{schoolnet.ROUTER6}"]
SHARED = "prefix 2002:c000:204:1::/64 { };"
SPARE = "prefix fd99::/64 { };"
OTHER = "AdvDefaultPreference high; prefix 2001:db8:99::/64 { };"

CASES = (
    # rungs 0 to 11: o ok, S slow, F failed, - absent and need not be there, ? unknown
    (Case("v6-off", prefix="", has_ipv6=False), "FFFFFoF??--?", "0 failed: no_link_local"),
    (Case("no-v6", prefix=""), "oFFFFoF??--?", "1 failed: no_advertisement"),
    (
        Case("dhcpv6-silent", autonomous=False, managed=True, takes_address=False),
        "oooFooF??--o",
        "3 failed: dhcpv6_gave_nothing",
    ),
    (Case("prefix-60", prefix=WIDE, takes_address=False), "oooFooF??--o", "3 failed: prefix_not_64"),
    (Case("autoconf-off", pc=NO_AUTOCONF, takes_address=False), "oooFooF??--o", "3 failed: offer_not_taken"),
    (Case("ula-only", prefix="fd00:77::/64"), "oooFoFF??--o", "3 failed: ula_only"),
    (Case("ra-without-route", lifetime=0), "ooooFoF??--o", "4 failed: router_lifetime_0"),
    (
        Case("no-route", pc=["sysctl -qw net.ipv6.conf.eth0.accept_ra_defrtr=0"]),
        "ooooFoF??--o",
        "4 failed: no_route",
    ),
    (Case("dns-broken", router=SILENT_DNS), "oooooFooo--o", "5 failed: dns6_timeout"),
    (Case("black-hole", router=BLACK_HOLE), "oooooooFo--o", "7 failed: large_packets_lost"),
    (Case("v6-slower", delay=0.8), "ooooooooS--o", "8 slow: v6_preferred"),
    (Case("dual-stack", option_108=True), "ooooooooo-oo", "none"),
    (Case("v6-only", ipv4=False, nat64=True), "oooooooooo?o", "none"),
    (Case("v6-only-bare", ipv4=False), "oooooooooF?o", "9 failed: nat64_missing"),
    (Case("router-gone", later=GONE), "oo?oFoF??--?", "4 failed: next_hop_silent"),
    (Case("captive-dns", names=False, resolver=TO_PORTAL), "oooooFF??--o", "5 failed: dns_answers_anything"),
    (
        Case("captive-dns-6", names=False, resolver=TO_PORTAL_6, portal=True),
        "oooooF???--o",
        "5 failed: dns_answers_anything",
    ),
    (Case("portal", portal=True), "oooooo???--o", "none"),
    (Case("only-proxy", router=NO_WAY_OUT), "oooooo???--o", "none"),
    (Case("offline", router=OFFLINE), "oooooo???--o", "none"),
    (
        Case("pc-shares-6to4", stranger="AdvDefaultPreference high; " + SHARED),
        "ooooooF??--F",
        "6 failed: v6_lost_to_a_stranger",
    ),
    (
        Case("6to4-beside", stranger="AdvDefaultLifetime 0; " + SHARED),
        "ooooooooo--F",
        "11 failed: 6to4_advertised",
    ),
    (Case("other-router", stranger=OTHER), "ooooooF??--?", "6 failed: v6_lost_to_a_stranger"),
    (Case("spare-router", stranger="AdvDefaultLifetime 0; " + SPARE), "ooooooooo--?", "none"),
    (Case("pppoe", router=PPPOE), "ooooooooo--o", "none"),
    (Case("pppoe-black-hole", router=(*PPPOE, *NO_TOO_BIG)), "oooooooFo--o", "7 failed: large_packets_lost"),
    (Case("privacy", pc=["sysctl -qw net.ipv6.conf.eth0.use_tempaddr=2"]), "ooooooooo--o", "none"),
    (Case("containers", prefix="", pc=CONTAINERS), "oFFFFoF??--?", "1 failed: no_advertisement"),
)
SIDE_BY_SIDE = 11
MARKS = {"ok": "o", "slow": "S", "failed": "F", "absent": "-", "unknown": "?"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    for name, hosts in (("vidu", schoolnet.HOSTS), ("portal", ("dang-nhap.vidu.vn",))):
        crt, key = folder / f"{name}.crt", folder / f"{name}.key"
        argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        argv += ["-subj", f"/CN={name}", "-addext", "subjectAltName=" + ",".join(f"DNS:{h}" for h in hosts)]
        argv += ["-days", "2", "-keyout", str(key), "-out", str(crt)]
        subprocess.run(argv, check=True, capture_output=True, timeout=60)
    return folder


@dataclass(frozen=True)
class Looked:
    """What `once` gave in one network: as the server judges it, and the line that it tells a technician."""

    tongue: Language
    state: State
    steps: tuple[ladder.Step, ...]
    told: str


def look(case: Case, folder: Path, certificates: Path, tongue: Language) -> Looked:
    with schoolnet.built(case, folder / case.name, certificates) as net:
        page = net.once("--lang", tongue)
    state = merge(State(), Envelope(SCHEMA, 1.8e9, "0.1.0", *records(page)), 1.8e9)
    told = [line for line in page.splitlines() if line.startswith("IPv6: ")]
    assert len(told) == 1, (case.name, page)
    return Looked(tongue, state, ladder.ladder(state, load().ipv6_slow), told[0])


def records(page: str) -> tuple[tuple[Reading, ...], tuple[Fact, ...]]:
    """What the page's two tables say of IPv6: lines as `ipv6.rung {rung=0}    1`."""
    readings, facts = [], []
    for name, inside, value in re.findall(r"(?m)^(ipv6\.\S+)(?: \{(.*?)\})? {2,}(.+)$", page):
        labels = dict(pair.split("=", 1) for pair in inside.split(", ")) if inside else {}
        if name in METRICS:
            number = None if value in ("chưa rõ", "unknown") else float(value.split()[0])
            readings.append(Reading(name, number, labels))
        else:
            facts.append(Fact(name, value, labels))
    return tuple(readings), tuple(facts)


def as_once_says(steps: tuple[ladder.Step, ...], tongue: Language) -> str:
    """The line that a technician is to read; what is slow is the server's to judge."""
    failed = next((step for step in steps if step.standing == "failed"), None)
    step = failed or next((step for step in steps if step.standing == "unknown"), None)
    vi = tongue == "vi"
    if step is None:
        return "IPv6: đạt mọi bậc." if vi else "IPv6: every rung is reached."
    if failed:
        begin = "bậc đầu tiên chưa đạt là bậc" if vi else "the first rung that fails is"
    elif vi:
        begin = "không thấy bậc nào chưa đạt; bậc đầu tiên chưa rõ là bậc"
    else:
        begin = "no rung is seen to fail; the first that is unknown is"
    name, means = words.RUNGS[step.rung].told(tongue), words.means(step.reason, tongue)
    remedy = words.remedy(step.reason, tongue)
    assert remedy or not failed
    do = f" {'Cách khắc phục' if vi else 'What to do'}: {remedy}" if remedy else ""
    return f"IPv6: {begin} {step.rung}, {name}: {means}.{do}"


@pytest.mark.timeout(600)
def test_each_network_has_its_first_failing_rung(
    tmp_path: Path, certificates: Path, peer: Peer, capsys: pytest.CaptureFixture[str]
) -> None:
    for program in ("ip", "nft", "radvd", "dnsmasq", "unbound", "tayga", "openssl"):
        peer(program)
    if os.getuid() != 0:
        pytest.skip("not run: needs root for network namespaces")
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        cases = [case for case, _, _ in CASES]
        tongues: cycle[Language] = cycle(("vi", "en"))
        looked = list(pool.map(look, cases, repeat(tmp_path), repeat(certificates), tongues))
    seen = {}
    lines = ["case              " + " ".join(f"{rung:>2}" for rung in range(12)) + "  first"]
    for (case, _, _), each in zip(CASES, looked, strict=True):
        first = ladder.first(each.steps)
        row = "".join(MARKS[step.standing] for step in each.steps)
        seen[case.name] = row, f"{first.rung} {first.standing}: {first.reason}" if first else "none"
        lines.append(f"{case.name:<17} {'  '.join(' ' + row).lstrip(' ').rjust(35)}  {seen[case.name][1]}")
    with capsys.disabled():
        print("\n" + "\n".join(lines))
    assert seen == {case.name: (row, first) for case, row, first in CASES}
    for (case, _, _), each in zip(CASES, looked, strict=True):
        assert each.told == as_once_says(each.steps, each.tongue), case.name
    of = {case.name: each.state for (case, _, _), each in zip(CASES, looked, strict=True)}
    mtu = find(of["dual-stack"].readings, "ipv6.path_mtu")
    assert {labels["target"]: value for labels, value in mtu.values()} == {
        name: 1280 if name == "lon.vidu.vn" else 1500 for name in schoolnet.HOSTS
    }
    assert of["v6-only"].facts["ipv6.nat64.prefix"].value == "2001:db8:64::/96"
    assert of["ula-only"].facts["ipv6.advertised.prefixes"].value == "fd00:77::/64"
