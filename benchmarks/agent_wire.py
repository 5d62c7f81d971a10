"""Bytes of a school day on the wire, beside plain JSON over TLS, and a week's backlog beside another device.

    python benchmarks/agent_wire.py [--cycles 120] [--backlog 2016]      (as root: it makes namespaces)

A school day is 10 hours with a measurement each 5 minutes. Broker and intake are real, in a network namespace
of their own; the devices are in another, and a veth joins both. Counted are the bytes of all frames on that
interface, both ways, with Ethernet, IP, TCP and TLS. TLS is as Debian's mosquitto and OpenSSL negotiate it,
with a certificate of ECDSA P-256 (signed by an authority, which devices know) that the script makes.

What is reported is what the probes of this machine say: each runs once, and its numbers move in each cycle as
they do in life. Ten times in the day something that matters changes, which is delivered at once where it is
not time anyway: new signatures, another lease, a cable. A day begins with a cycle that tells everything.
The clock is told to the agent; nothing else is. A connection that stays is also kept alive: a keep-alive is
measured on the wire and counted for each time that the day needs one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from parts.station import Station, program

SERVER, DEVICE = "sw-wire-server", "sw-wire-device"
HOST, PORT = "10.213.77.1", 8883
DAY, PERIOD = 36_000.0, 300.0
GOAL_TICK, GOAL_STAY, GOAL_BACKLOG = 300_000, 100_000, 60.0


def run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


@contextmanager
def network() -> Iterator[None]:
    """Two namespaces joined by a veth, on which every frame is one packet, as on a wire."""
    for name in (SERVER, DEVICE):
        run("ip", "netns", "add", name)
    try:
        run(
            "ip",
            "link",
            "add",
            "wire",
            "netns",
            SERVER,
            "type",
            "veth",
            "peer",
            "name",
            "wire",
            "netns",
            DEVICE,
        )
        for name, address in ((SERVER, HOST), (DEVICE, "10.213.77.2")):
            inside = ("ip", "netns", "exec", name)
            run(*inside, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
            run("ip", "-n", name, "link", "set", "wire", "gso_max_segs", "1")
            run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "wire")
            for link in ("lo", "wire"):
                run("ip", "-n", name, "link", "set", link, "up")
        yield
    finally:
        for name in (SERVER, DEVICE):
            subprocess.run(["ip", "netns", "del", name], check=False)


def counted() -> tuple[int, int]:
    """Bytes that the devices have sent and received."""
    (link,) = json.loads(run("ip", "-n", DEVICE, "-s", "-j", "link", "show", "wire"))
    return int(link["stats64"]["tx"]["bytes"]), int(link["stats64"]["rx"]["bytes"])


def device(*words: str) -> dict[str, Any]:
    """Runs a part of wire_device.py in the devices' namespace; what it answers."""
    script = Path(__file__).with_name("parts") / "wire_device.py"
    done = subprocess.run(
        ["ip", "netns", "exec", DEVICE, sys.executable, str(script), *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def spent(what: str, *words: str) -> tuple[int, int, dict[str, Any]]:
    """Bytes sent and received while the devices' script did something, and its answer."""
    before = counted()
    answer = device(what, *words)
    time.sleep(0.5)  # the last acknowledgements of TCP
    after = counted()
    return after[0] - before[0], after[1] - before[1], answer


def plain_json(folder: Path, ca: Path, cycles: int) -> tuple[int, int]:
    """The same readings as compact JSON, each cycle by mosquitto_pub over TLS, QoS 1."""
    path = program("mosquitto_pub", "mosquitto-clients")
    before = counted()
    for n in range(cycles):
        words = (
            "-h",
            HOST,
            "-p",
            str(PORT),
            "--cafile",
            str(ca),
            "-q",
            "1",
            "-t",
            "plain/device/report",
            "-s",
        )
        text = (folder / "plain" / f"{n}.json").read_bytes()
        subprocess.run(["ip", "netns", "exec", DEVICE, path, *words], input=text, check=True)
    time.sleep(0.5)
    after = counted()
    return after[0] - before[0], after[1] - before[1]


def backlog(station: Station, folder: Path, count: int) -> None:
    """A device comes back after a week, and another one reports meanwhile."""
    week, other = station.enrol(folder / "week"), station.enrol(folder / "other")
    device("fill", str(week), str(count))
    quiet = device("reports", str(other), "5")
    script = Path(__file__).with_name("parts") / "wire_device.py"
    beside = subprocess.Popen(
        ["ip", "netns", "exec", DEVICE, sys.executable, str(script), "reports", str(other), "0"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(1.5)
    sent, received, drained = spent("drain", str(week))
    said, _ = beside.communicate("\n", timeout=60)
    busy = json.loads(said)
    met = "met" if drained["seconds"] < GOAL_BACKLOG else "MISSED"
    print(
        f"\nbacklog of {count} cycles ({count * PERIOD / 86400:.1f} days): {drained['seconds']:.1f} s until"
        f" the server had all, {(sent + received) / 1000:.0f} KB (goal: under {GOAL_BACKLOG:g} s): {met}"
    )
    print("another device, seconds from report to acknowledgement:")
    for name, found in (("quiet", quiet), ("meanwhile", busy)):
        print(f"  {name:12}median {found['median']:.3f}  worst {found['worst']:.3f}  of {found['count']:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cycles", type=int, default=round(DAY / PERIOD))
    parser.add_argument("--backlog", type=int, default=2016)
    asked = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("this benchmark makes network namespaces: run it as root")
    program("ip", "iproute2")
    with tempfile.TemporaryDirectory() as temporary, network():
        folder = Path(temporary)
        (folder / "server").mkdir()
        station = Station(folder / "server", HOST, PORT, 1883, ("ip", "netns", "exec", SERVER))
        try:
            station.start()
            measure(station, folder, asked.cycles)
            backlog(station, folder, asked.backlog)
        finally:
            station.stop()


def measure(station: Station, folder: Path, cycles: int) -> None:
    """The day by `tick`, by a connection that stays, and as plain JSON; prints the table."""
    ticking, staying = station.enrol(folder / "tick"), station.enrol(folder / "stay")
    recorded, plain = str(folder / "recorded.json"), folder / "plain"
    plain.mkdir()
    device("record", recorded)
    rows = []
    sent, received, said = spent("tick", str(ticking), recorded, str(cycles), str(plain))
    rows.append(
        (
            "schoolwatch-agent tick",
            sent,
            received,
            f"{said['deliveries']} deliveries, {said['at_once']} at once",
            GOAL_TICK,
        )
    )
    sent, received, _ = spent("stay", str(staying), recorded, str(cycles))
    alive = device("alive", str(staying))
    gap = cycles * PERIOD / said["deliveries"]
    pings = said["deliveries"] * (gap // alive["keep_alive"])
    kept = (round(pings * alive["sent"]), round(pings * alive["received"]))
    note = f"with {pings:.0f} keep-alives"
    rows.append(("a connection that stays", sent + kept[0], received + kept[1], note, GOAL_STAY))
    sent, received = plain_json(folder, station.ca, cycles)
    rows.append(("mosquitto_pub, JSON", sent, received, f"{cycles} deliveries", 0))
    print(f"{cycles} cycles in {cycles * PERIOD / 3600:g} h, {alive['tls']}\n")
    print(f"{'':26}{'KB sent':>10}{'KB received':>13}{'KB a day':>10}{'a cycle B':>11}  goal KB")
    for name, up, down, what, goal in rows:
        verdict = f"{goal / 1000:.0f}: {'met' if up + down <= goal else 'MISSED'}" if goal else "-"
        total = up + down
        print(
            f"{name:26}{up / 1000:>10.1f}{down / 1000:>13.1f}{total / 1000:>10.1f}{total / cycles:>11.0f}"
            f"  {verdict}  ({what})"
        )


if __name__ == "__main__":
    main()
