"""The IPv6 ladder in real networks: one set of namespaces a case, with radvd, dnsmasq, unbound and tayga.

The agent's probe runs on the PC of each; the server's judgement of what it sent names the first rung that
somebody must see to. The matrix of cases and rungs is printed.
"""

import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import schoolnet
from schoolnet import Case
from schoolwatch_contract import envelope
from schoolwatch_server import ladder
from schoolwatch_server.packs import load
from schoolwatch_server.state import State, find, merge

PROBE = """
import sys
from pathlib import Path
from schoolwatch_agent import settings
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import observe
from schoolwatch_agent.probes import ipv6
from schoolwatch_contract import envelope
from schoolwatch_contract.records import SCHEMA, Envelope
found = observe(ipv6.probe(settings.read(Path(sys.argv[1]))), Host())
print(envelope.encode(Envelope(SCHEMA, 1.8e9, "0.1.0", found.readings, found.facts)).hex())
"""

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

CASES = (
    # rungs 0 to 11: o ok, S slow, F failed, - absent and need not be there, ? unknown
    (Case("v6-off", prefix="", has_ipv6=False), "FFFFFoF??--?", "0 failed: no_link_local"),
    (Case("no-v6", prefix=""), "oFFFFoF??--?", "1 failed: no_advertisement"),
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
)
MARKS = {"ok": "o", "slow": "S", "failed": "F", "absent": "-", "unknown": "?"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("certificate")
    crt, key = folder / "crt.pem", folder / "key.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    argv += ["-subj", "/CN=vidu.vn", "-days", "2", "-keyout", str(key), "-out", str(crt)]
    subprocess.run(argv, check=True, capture_output=True, timeout=60)
    return crt, key


def look(case: Case, folder: Path, certificate: tuple[Path, Path]) -> tuple[State, tuple[ladder.Step, ...]]:
    with schoolnet.built(case, folder / case.name, certificate) as net:
        said = envelope.decode(bytes.fromhex(net.agent(PROBE).strip()))
    state = merge(State(), said, said.taken_at)
    return state, ladder.ladder(state, load().ipv6_slow)


def test_each_network_has_its_first_failing_rung(
    tmp_path: Path,
    certificate: tuple[Path, Path],
    peer: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    for program in ("ip", "nft", "radvd", "dnsmasq", "unbound", "tayga", "openssl"):
        peer(program)
    if os.getuid() != 0:
        pytest.skip("not run: needs root for network namespaces")
    with ThreadPoolExecutor(len(CASES)) as pool:
        looked = list(pool.map(lambda case: look(case[0], tmp_path, certificate), CASES))
    seen = {}
    lines = ["case              " + " ".join(f"{rung:>2}" for rung in range(12)) + "  first"]
    for (case, _, _), (_, steps) in zip(CASES, looked, strict=True):
        first = ladder.first(steps)
        row = "".join(MARKS[step.standing] for step in steps)
        seen[case.name] = row, f"{first.rung} {first.standing}: {first.reason}" if first else "none"
        lines.append(f"{case.name:<17} {'  '.join(' ' + row).lstrip(' ').rjust(35)}  {seen[case.name][1]}")
    with capsys.disabled():
        print("\n" + "\n".join(lines))
    assert seen == {case.name: (row, first) for case, row, first in CASES}
    told = {case.name: state for (case, _, _), (state, _) in zip(CASES, looked, strict=True)}
    mtu = find(told["dual-stack"].readings, "ipv6.path_mtu")
    assert {labels["target"]: value for labels, value in mtu.values()} == {
        name: 1280 if name == "lon.vidu.vn" else 1500 for name in schoolnet.HOSTS
    }
    assert told["v6-only"].facts["ipv6.nat64.prefix"].value == "2001:db8:64::/96"
    assert told["ula-only"].facts["ipv6.advertised.prefixes"].value == "fd00:77::/64"
