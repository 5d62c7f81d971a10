"""Memory and processor time of the watch of a school's network, beside a scapy sniffer of the same frames.

    python benchmarks/lan_watch.py [--devices 500] [--seconds 30] [--scapy PYTHON]

As root: two network namespaces with a cable between them. First a school's network (each device asks by ARP
each 30 s, a router and a DHCP server speak each second), then a flood of DHCP offers from ever other MACs as
fast as they can be sent. `--scapy` names a Python that has scapy; its sniffer stores nothing, and needs no
filter here, where no other frames are. Memory is PSS of smaps_rollup; the watch has a Python of its own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from parts.processes import own_cpu, pss
from parts.runtime import private_python

SCAPY = """
import sys
from scapy.config import conf
from scapy.layers import dhcp, dhcp6, inet6, l2
from scapy.sendrecv import sniff
seen = set()
def hear(packet):
    seen.add(packet.src)
    packet.haslayer(dhcp.DHCP), packet.haslayer(inet6.ICMPv6ND_RA)
sniff(iface="eth0", store=False, prn=hear)
"""

SEND = """
import socket, sys, time
sys.path[:0] = [sys.argv[1]]
import ether
devices, seconds = int(sys.argv[2]), float(sys.argv[3])
mac = lambda n: b"\\2\\x10" + n.to_bytes(4, "big")
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind(("eth0", 0))
end, n, sent = time.monotonic() + seconds, 0, 0
if not devices:
    while time.monotonic() < end:
        for _ in range(100):
            raw.send(ether.dhcp(mac(n), "10.0.0.66", router="10.0.0.66")); n += 1
while time.monotonic() < end:
    for _ in range(max(devices // 30, 1)):
        device = n % devices; n += 1
        raw.send(ether.arp(mac(device), f"10.0.{device >> 8}.{device & 255}", reply=False))
    raw.send(ether.dhcp(mac(0), "10.0.0.1", router="10.0.0.1"))
    raw.send(ether.advert(mac(0), "fe80::1"))
    time.sleep(1)
print(n)
"""

SENSORS = '[agent]\ndata = "{folder}/data"\n[sensors]\ninterfaces = ["eth0"]\nfolder = "{folder}/run"\n'


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=30)


def cable(ending: ExitStack) -> tuple[str, str]:
    """Two namespaces, whose `eth0` are the ends of it."""
    spaces = tuple(f"sw{os.getpid()}-{name}" for name in ("here", "there"))
    for space in spaces:
        ip("netns", "add", space)
        ending.callback(ip, "netns", "del", space)
    ip("-n", spaces[0], "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", spaces[1])
    for space in spaces:
        ip("-n", space, "link", "set", "eth0", "up")
    return spaces[0], spaces[1]


def send(space: str, devices: int, seconds: float) -> int:
    """Frames of a school for so long, of a flood with 0 devices; how many."""
    tests = str(Path(__file__).parents[1] / "tests")
    command = ["ip", "netns", "exec", space, sys.executable, "-c", SEND, tests, str(devices), str(seconds)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def phases(pid: int, there: str, devices: int, seconds: float) -> Iterator[tuple[str, float, float, int]]:
    """Name, PSS in MB, processor seconds and frames of each."""
    for name, count in (("school", devices), ("flood", 0)):
        before = own_cpu(pid)
        frames = send(there, count, seconds)
        time.sleep(2)
        yield name, pss([pid]) / 1e6, own_cpu(pid) - before, frames


def measure(
    name: str, command: list[str], here: str, there: str, asked: argparse.Namespace, **more: object
) -> None:
    """Starts one listener, measures it, and ends it."""
    process = subprocess.Popen(["ip", "netns", "exec", here, *command], stderr=subprocess.DEVNULL, **more)  # type: ignore[call-overload]
    try:
        time.sleep(5)
        print(f"{name:8} idle    {pss([process.pid]) / 1e6:6.1f} MB")
        for phase, memory, cpu, frames in phases(process.pid, there, asked.devices, asked.seconds):
            print(f"{name:8} {phase:7} {memory:6.1f} MB  {cpu:6.2f} s of processor for {frames} frames")
    finally:
        process.kill()
        process.wait()


def main() -> int:
    """Prints a line a phase."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--scapy", metavar="PYTHON")
    asked = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("needs root for network namespaces")
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        here, there = cable(ending)
        settings = folder / "agent.toml"
        settings.write_text(SENSORS.format(folder=folder))
        runtime = private_python(folder / "python")
        words = [str(runtime.python), "-P", "-m", "schoolwatch_agent", "watch", "--config", str(settings)]
        measure("watch", words, here, there, asked, env=runtime.environment)
        (link,) = json.loads((folder / "run" / "heard.json").read_text())["links"]
        print(f"watch heard {link['frames']} frames, of which the kernel dropped {link['dropped']}")
        if asked.scapy:
            measure("scapy", [asked.scapy, "-c", SCAPY], here, there, asked)
    return 0


if __name__ == "__main__":
    sys.exit(main())
