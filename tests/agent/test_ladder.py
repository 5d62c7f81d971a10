"""The technician at the machine is told the first rung that fails, and what to do about it."""

import json

import pytest

import machines
from schoolwatch_agent import doctor, ladder, once
from schoolwatch_agent.texts import Texts


@pytest.mark.parametrize(
    ("machine", "first"),
    [
        ("linux/ipv6-switched-off", (0, "no_link_local")),
        ("linux/ipv6-dns-broken", (5, "dns6_timeout")),
        ("linux/ipv6-black-hole", (7, "large_packets_lost")),
        ("linux/ipv6-dual-stack", None),  # without NAT64, which need not be there
        ("windows/ipv6-handshake-stalls", (6, "v6_tls_timeout")),  # rungs 1 and 2 are unknown
    ],
)
def test_the_first_failing_rung_of_a_machine(machine: str, first: tuple[int, str] | None) -> None:
    looked = machines.look("ipv6", machine)
    assert ladder.first(looked.readings, looked.facts) == first


def test_once_and_doctor_say_it_with_its_remedy() -> None:
    probe = next(probe for probe in machines.PROBES if probe.name == "ipv6")
    host = machines.machine("linux/ipv6-black-hole")
    seen = once.look(host, [probe])
    for language, remedy in (("vi", "Cho phép ICMPv6 loại 2"), ("en", "Let ICMPv6 type 2")):
        assert remedy in once.table(seen, Texts("cli", language)).splitlines()[-1]
        texts = Texts("doctor", language)
        found = list(doctor._probe(probe, machines.machine("linux/ipv6-black-hole"), texts))
        told = json.loads(doctor.as_json(found, texts))
        assert told["ok"], "the network's fault is none of the installation"
        assert remedy in told["checks"][-1]["advice"]
