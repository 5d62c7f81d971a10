"""What the probes say of this machine agrees with /proc, `ip -j` and psutil."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

import machines
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import observe
from schoolwatch_agent.probes import (
    listed,
)

pytestmark = pytest.mark.skipif(not Path("/proc/stat").exists(), reason="compares with Linux's own files")


@pytest.fixture
def ip(peer: Callable[[str], Path]) -> Callable[..., list[dict[str, Any]]]:
    program = peer("ip")

    def ask(*argv: str) -> list[dict[str, Any]]:
        said = subprocess.run([program, "-j", *argv], capture_output=True, text=True, check=True).stdout
        found: list[dict[str, Any]] = json.loads(said or "[]")
        return found

    return ask


def test_processor() -> None:
    observed = observe(listed("processor", 0), Host())
    found = machines.readings(observed)
    assert found["processor.count"] == psutil.cpu_count()
    assert 0 <= (found["processor.busy"] or 0) <= 1
    assert found["processor.load"] == pytest.approx(os.getloadavg()[0], abs=2)
    assert (machines.facts(observed)["processor.model"].value or "") in " ".join(
        Path("/proc/cpuinfo").read_text().split()
    )


def test_a_busy_processor_is_busier() -> None:
    def burn() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(["sh", "-c", "while :; do :; done"])

    busy = [burn() for _ in range(psutil.cpu_count() or 1)]
    try:
        time.sleep(0.2)
        found = machines.readings(observe(listed("processor", 0), Host()))
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert (found["processor.busy"] or 0) > 0.7


def test_memory() -> None:
    found = machines.readings(observe(listed("memory", 0), Host()))
    told = psutil.virtual_memory()
    assert found["memory.size"] == told.total
    assert found["memory.available"] == pytest.approx(told.available, rel=0.2)


def test_disk() -> None:
    found = machines.readings(observe(listed("disk", 0), Host()))
    told = os.statvfs("/")
    assert found["disk.size /"] == told.f_blocks * told.f_frsize
    assert found["disk.free /"] == pytest.approx(told.f_bavail * told.f_frsize, rel=0.05)


def test_uptime() -> None:
    found = machines.readings(observe(listed("uptime", 0), Host()))
    assert found["uptime.seconds"] == pytest.approx(float(Path("/proc/uptime").read_text().split()[0]), abs=5)


def test_system() -> None:
    found = machines.facts(observe(listed("system", 0), Host()))
    assert found["os.build"].value == os.uname().release
    assert found["os.arch"].value == os.uname().machine
    assert (found["os.name"].value or "?") in Path("/etc/os-release").read_text()


def test_links(ip: Callable[..., list[dict[str, Any]]]) -> None:
    before = psutil.net_io_counters(pernic=True)
    observed = observe(listed("links", 0), Host())
    after = psutil.net_io_counters(pernic=True)
    real = {
        link["ifname"]: link
        for link in ip("link")
        if Path(f"/sys/class/net/{link['ifname']}/device").exists()
    }
    found = machines.readings(observed)
    assert {name.split()[1] for name in found} == set(real)
    for nic, link in real.items():
        assert found[f"link.mtu {nic}"] == link["mtu"]
        assert found[f"link.up {nic}"] == float(link["operstate"] == "UP")
        told = psutil.net_if_stats()[nic]
        assert found[f"link.speed {nic}"] == (told.speed * 1e6 if told.speed else None)
        duplex = {psutil.NIC_DUPLEX_FULL: "full", psutil.NIC_DUPLEX_HALF: "half"}.get(told.duplex)
        assert machines.facts(observed)[f"link.duplex {nic}"].value == duplex
        assert before[nic].bytes_recv <= (found[f"link.in_octets {nic}"] or 0) <= after[nic].bytes_recv
        assert before[nic].bytes_sent <= (found[f"link.out_octets {nic}"] or 0) <= after[nic].bytes_sent
        assert found[f"link.in_errors {nic}"] == after[nic].errin


def test_addresses(ip: Callable[..., list[dict[str, Any]]]) -> None:
    found = machines.readings(observe(listed("addresses", 0), Host()))
    for link in ip("addr"):
        nic, infos = link["ifname"], link["addr_info"]
        if not Path(f"/sys/class/net/{nic}/device").exists():
            continue
        for family, name in (("4", "inet"), ("6", "inet6")):
            mine = [
                value or 0 for key, value in found.items() if key.startswith(f"address.count {nic} {family} ")
            ]
            assert sum(mine) == len([info for info in infos if info["family"] == name])
        links_local = [i for i in infos if i["family"] == "inet6" and i["scope"] == "link"]
        assert found.get(f"address.count {nic} 6 link", 0) == len(links_local)


def test_routes(ip: Callable[..., list[dict[str, Any]]]) -> None:
    found = machines.facts(observe(listed("routes", 0), Host()))
    four = {f"route.default 4 {r['dev']}": r.get("gateway") for r in ip("-4", "route", "show", "default")}
    assert {key: fact.value for key, fact in found.items() if " 4 " in key} == four
    six = {f"route.default 6 {r['dev']}" for r in ip("-6", "route", "show", "default")}
    assert {key for key in found if " 6 " in key} == six


def test_resolvers() -> None:
    found = machines.readings(observe(listed("resolvers", 0), Host()))
    text = Path("/etc/resolv.conf").read_text()
    servers = [line.split()[1] for line in text.splitlines() if line.startswith("nameserver ")]
    if "127.0.0.53" not in servers:
        assert found["resolver.count 4"] == len([server for server in servers if ":" not in server])
        assert found["resolver.count 6"] == len([server for server in servers if ":" in server])
    assert set(found) == {"resolver.count 4", "resolver.count 6"}
