"""Firewalls: real nftables rules in a network of their own, and recorded answers of the rest."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import machines
from schoolwatch_agent.probes import firewall
from schoolwatch_contract.records import Fact

INPUT = "chain in { type filter hook input priority 0; policy %s; %s }"


@pytest.fixture
def ruleset(peer: Callable[[str], Path]) -> Callable[[str], str]:
    """What `nft -j list ruleset` prints after loading rules in a network namespace."""
    nft = peer("nft")
    if os.getuid() != 0:
        pytest.skip("not run: needs root for a network namespace")

    def load(rules: str) -> str:
        shell = f"{nft} -f - && {nft} -j list ruleset"
        done = subprocess.run(
            ["unshare", "-n", "sh", "-c", shell],
            input=rules.replace("}", "\n}\n"),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.stderr.startswith("unshare: "):
            pytest.skip(f"not run: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr
        return done.stdout

    return load


@pytest.mark.parametrize(
    ("rules", "on"),
    [
        ("", False),
        ("table inet f { %s }" % (INPUT % ("accept", "")), False),
        ("table inet f { %s }" % (INPUT % ("accept", "tcp dport 22 counter accept")), False),
        ("table inet f { %s }" % (INPUT % ("drop", "")), True),
        ("table inet f { %s }" % (INPUT % ("accept", "tcp dport 23 drop")), True),
        ("table inet f { chain guard { reject; } %s }" % (INPUT % ("accept", "jump guard")), True),
        (
            "table inet f { chain a { jump b; } chain b { tcp dport 1 drop; } %s }"
            % (INPUT % ("accept", "goto a")),
            True,
        ),
        (
            "table inet f { chain a { drop; } chain fw { type filter hook forward priority 0; jump a; } }",
            False,
        ),
        ("table inet f { %s }" % (INPUT % ("accept", "tcp dport vmap { 22 : accept, 23 : drop }")), True),
    ],
)
def test_real_nftables_rules(ruleset: Callable[[str], str], rules: str, on: bool) -> None:
    assert firewall.nftables(ruleset(rules)) is on


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        ("linux/ubuntu2204-classroom-laptop", {"ufw": 1, "nftables": 1}),
        ("linux/firewall-without-root", {"ufw": None, "nftables": None}),
        ("linux/firewall-firewalld", {"firewalld": 1, "nftables": 1}),
        ("linux/firewall-firewalld-off", {"firewalld": 0}),
        ("linux/firewall-docker-only", {"nftables": 0}),
        ("linux/firewall-legacy-iptables", {"nftables": 0, "iptables": 1}),
        ("linux/firewall-none", {"none": 0}),
        ("linux/firewall-ufw-set-up-without-root", {"ufw": None, "ufw.conf": 1, "nftables": None}),
        ("linux/firewall-ufw-set-up-off-without-root", {"ufw": None, "ufw.conf": 0, "nftables": None}),
        ("linux/firewall-ufw-conf-garbage", {"ufw": None, "ufw.conf": None, "nftables": None}),
        ("linux/firewall-ufw-removed", {"none": 0}),
    ],
)
def test_recorded_firewalls(machine: str, expected: dict[str, float | None]) -> None:
    found = machines.readings(machines.look("firewall", machine))
    assert {key.removeprefix("firewall.enabled "): value for key, value in found.items()} == expected


def test_without_root_it_is_unknown_and_says_why() -> None:
    facts = machines.facts(machines.look("firewall", "linux/firewall-without-root"))
    assert {fact.reason for fact in facts.values()} == {"not permitted"}


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("ENABLED=yes", True),
        ('ENABLED="YES"\n', True),
        ("ENABLED=no\nENABLED=yes\n", True),
        ("ENABLED=yes\nENABLED=no\n", False),
        ("# ENABLED=yes\nLOGLEVEL=low\n", False),
        ("", False),
    ],
)
def test_ufw_conf(text: str, on: bool) -> None:
    assert firewall.ufw_conf(text) is on


@pytest.mark.parametrize(
    ("machine", "active", "policy", "local", "service"),
    [
        ("win10-lab-desktop", [1, 1, 1], [None, None, None], [1, 1, 1], 1),
        ("win11-teacher-laptop", [1, 1, 1], [None, None, None], [1, 1, 1], None),
        ("server2019-no-security-center", [1, 0, None], [None, None, None], [1, 0, 1], None),
        ("firewall-off-by-policy", [0, 0, 0], [None, None, None], [None, None, None], None),
        ("firewall-policy-on-local-off", [1, 1, 1], [1, 1, 1], [0, 0, 0], 1),
        ("firewall-policy-off-local-on", [1, 1, 0], [None, None, 0], [1, 1, 1], 1),
        ("firewall-no-cmdlet", [None, None, None], [None, None, None], [1, 0, 1], 1),
        ("firewall-service-stopped", [None, None, None], [None, None, None], [1, 1, 1], 0),
        ("firewall-script-hangs", [None, None, None], [None, None, None], [1, 1, 0], None),
        ("firewall-no-powershell", [None, None, None], [None, None, None], [1, 1, 1], None),
        ("firewall-names-instead-of-numbers", [1, 0, None], [None, None, None], [None, None, None], 1),
    ],
)
def test_windows_tells_what_works_what_policy_says_and_what_is_set(
    machine: str,
    active: list[float | None],
    policy: list[float | None],
    local: list[float | None],
    service: float | None,
) -> None:
    found = machines.readings(machines.look("firewall", f"windows/{machine}"))
    profiles = ("domain", "private", "public")
    for source, expected in (("active", active), ("policy", policy), ("local", local)):
        assert [found[f"firewall.enabled {source} {name}"] for name in profiles] == expected, source
    assert found["firewall.service_running"] == service


def test_other_makers_firewalls_stand_beside_windows_own() -> None:
    found = machines.readings(machines.look("firewall", "windows/firewall-other-maker"))
    assert found["firewall.enabled Kaspersky Endpoint Security for Windows"] == 1
    assert found["firewall.enabled active domain"] == 0
    found = machines.readings(machines.look("firewall", "windows/firewall-product-without-state"))
    assert found["firewall.enabled Tường lửa Bkav"] is None


@pytest.mark.parametrize(
    ("machine", "reason"),
    [
        ("refused", "not permitted"),
        ("no-cmdlet", "not on this system"),
        ("service-stopped", "error 0x80131500"),
        ("script-hangs", "timeout"),
        ("no-powershell", "no PowerShell"),
        ("names-instead-of-numbers", "not configured"),
    ],
)
def test_an_unknown_profile_says_why(machine: str, reason: str) -> None:
    facts = machines.facts(machines.look("firewall", f"windows/firewall-{machine}"))
    assert facts["firewall.state active public"].reason == reason
    assert facts["firewall.state policy public"].reason == "not configured"


@pytest.mark.parametrize(("how", "reason"), [("refused", "not permitted"), ("garbled", "not understood")])
def test_a_setting_that_is_no_number_or_may_not_be_read_is_not_taken_for_an_absent_one(
    how: str, reason: str
) -> None:
    seen = machines.look("firewall", f"windows/posture-registry-{how}")
    found, facts = machines.readings(seen), machines.facts(seen)
    for place in ("policy domain", "policy private", "local private", "local public"):
        assert found[f"firewall.enabled {place}"] is None
        assert facts[f"firewall.state {place}"].reason == reason
    assert found["firewall.enabled active public"] == 1


def test_a_profile_whose_state_is_no_state_is_not_understood() -> None:
    parsed = list(firewall.parse_windows({"profiles": [{"Name": "Public", "Enabled": "yes"}]}, {}))
    labels = {"source": "active", "profile": "public"}
    assert Fact("firewall.state", None, labels, "not understood") in parsed


@pytest.mark.parametrize(
    ("rules", "on"),
    [
        ("-P INPUT DROP\n-P FORWARD ACCEPT\n", True),
        ("-P INPUT ACCEPT\n-A INPUT -p tcp --dport 23 -j DROP\n", True),
        ("-P INPUT ACCEPT\n-P FORWARD DROP\n-A FORWARD -j DROP\n-A INPUT -j ACCEPT\n", False),
        ("-P INPUT ACCEPT\n-A INPUT -j a\n-A a -j b\n-A b -j a\n", False),
    ],
)
def test_iptables_rules_that_guard_the_machine_itself(rules: str, on: bool) -> None:
    assert firewall.iptables(rules) is on
