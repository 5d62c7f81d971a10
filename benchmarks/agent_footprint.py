"""Memory and processor time of the agent beside zabbix_agent2, node_exporter and collectd, in one run.

    python benchmarks/agent_footprint.py [--cycles 6] [--spacing 20] [--ticks 36] [--clock 0]

`run` over 30 minutes of schedule (a cycle each 5 minutes), its agent enrolled, delivering over TLS to a real
broker and intake. Time is compressed by shortening sleep alone: cycles start each `--spacing` s (300 is no
compression) while their clock advances 5 minutes, so the same probes are due and the same deliveries happen
as in real time. The mean weighs each phase by its real duration: a cycle by the seconds it took, sleep by
the rest of the 30 minutes. Sleep is measured apart, on a sleeper with nothing to start, and so is the idle
processor time of all. Peers run as Debian ships them, and each is asked once a cycle for what we measure:
zabbix_agent2 for 14 items, node_exporter for one scrape (Prometheus asks more often); collectd collects each
10 s by itself. Their memory is the mean of all looks.

`tick` is the same command alone, each started at the device's next instant; processor time is that of the
process and all that it started (wait4). Memory is PSS of smaps_rollup, children included; our Python is a
private copy, so that no page of it counts as shared with other programs.
"""

import argparse
import http.client
import os
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from parts.processes import Samples, children_cpu, family, own_cpu, weighed_mean
from parts.runtime import Runtime, private_python
from parts.station import Station, listens, program, wait_for

PERIOD, SCHEDULE = 300.0, 1800.0
LOOK = 0.05
"""Seconds between two looks at memory."""

IDLE = 60.0

TICK = """
import sys, time
began, told, factor = float(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
from schoolwatch_agent.host import Host
Host.now = lambda self: told + (time.time() - began) * factor
from schoolwatch_agent.cli import main
sys.exit(main(["tick", "--config", sys.argv[4]]))
"""

ITEMS = (
    "agent.ping", "system.uptime", "system.cpu.num", "system.cpu.util[,idle]", "system.cpu.load[all,avg1]",
    "vm.memory.size[total]", "vm.memory.size[available]", "vfs.fs.discovery", "vfs.fs.size[/,free]",
    "vfs.fs.size[/,total]", "net.if.discovery", "net.if.in[lo]", "system.uname", "system.sw.os",
)  # fmt: skip


@dataclass
class Peer:
    """A program that stays, and how it is asked."""

    name: str
    process: subprocess.Popen[bytes]
    ask: Callable[[], object]
    idle_cpu: float = 0.0
    cpu: float = 0.0

    def spent(self) -> float:
        """Processor seconds of it and its children so far."""
        alive = family(self.process.pid)
        return sum(map(own_cpu, alive)) + sum(map(children_cpu, alive))


def zabbix(folder: Path, port: int) -> Peer:
    config = folder / "zabbix.conf"
    lines = (
        f"ListenPort={port}", "ListenIP=127.0.0.1", "Server=127.0.0.1", "Hostname=benchmark",
        f"LogFile={folder}/zabbix.log", f"ControlSocket={folder}/zabbix.sock",
        f"PidFile={folder}/zabbix.pid",
    )  # fmt: skip
    config.write_text("\n".join(lines) + "\n")
    path = program("zabbix_agent2", "zabbix-agent2")
    process = subprocess.Popen([path, "-f", "-c", config], stdout=subprocess.DEVNULL)

    def ask() -> None:
        for item in ITEMS:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as asked:
                asked.sendall(b"ZBXD\1" + struct.pack("<Q", len(item)) + item.encode())
                answer = b"".join(iter(lambda: asked.recv(65536), b""))
            if answer[:4] != b"ZBXD" or b"ZBX_NOTSUPPORTED" in answer:
                sys.exit(f"zabbix_agent2 does not know {item}: {answer!r}")

    wait_for(lambda: listens("127.0.0.1", port))
    return Peer("zabbix_agent2", process, ask)


def node_exporter(_: Path, port: int) -> Peer:
    path = program("prometheus-node-exporter", "prometheus-node-exporter")
    words = [path, f"--web.listen-address=127.0.0.1:{port}"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/metrics")
        if b"node_cpu_seconds_total" not in connection.getresponse().read():
            sys.exit("node_exporter has no answer")
        connection.close()

    wait_for(lambda: listens("127.0.0.1", port))
    return Peer("node_exporter", process, ask)


def collectd(folder: Path, _: int) -> Peer:
    """With the settings that Debian ships; only its files lie elsewhere, and it asks no name server."""
    path = program("collectd", "collectd")
    shipped = Path("/etc/collectd/collectd.conf").read_text()
    config = folder / "collectd.conf"
    (folder / "rrd").mkdir()
    text = shipped.replace("/var/lib/collectd/rrd", str(folder / "rrd"))
    config.write_text(text.replace("FQDNLookup true", "FQDNLookup false"))
    words = [path, "-f", "-C", str(config), "-P", str(folder / "collectd.pid")]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: any((folder / "rrd").rglob("*.rrd")), 90)
    return Peer("collectd", process, lambda: None)


def sleeper(runtime: Runtime, period: float, phase: float, tick: list[str]) -> subprocess.Popen[bytes]:
    """`schoolwatch-agent run` as it is after its start; the tick has a clock of its own."""
    file = Path(runtime.environment["PYTHONPATH"]) / "schoolwatch_agent" / "sleeper.py"
    words = [str(runtime.python), "-I", "-S", str(file), str(period), str(phase), "250", *tick]
    return subprocess.Popen(words, env=runtime.environment)


def tick_words(runtime: Runtime, settings: Path, told: float, factor: float) -> list[str]:
    return [str(runtime.python), "-P", "-c", TICK, str(time.time()), str(told), str(factor), str(settings)]


@dataclass(frozen=True)
class Ticked:
    """One tick: processor milliseconds, seconds by the clock, whether it delivered, processes it left."""

    cpu: float
    seconds: float
    delivered: bool
    left: int


def one_tick(runtime: Runtime, settings: Path, told: float) -> Ticked:
    before = len(family(os.getpid()))
    began = time.monotonic()
    with tempfile.TemporaryFile() as said:
        actions = [(os.POSIX_SPAWN_DUP2, said.fileno(), 2)]
        words = tick_words(runtime, settings, told, 1.0)
        pid = os.posix_spawn(words[0], words, runtime.environment, file_actions=actions)
        _, status, used = os.wait4(pid, 0)
        said.seek(0)
        if status:
            sys.exit(f"a tick failed: {said.read().decode()}")
    seconds = time.monotonic() - began
    return Ticked(
        (used.ru_utime + used.ru_stime) * 1000,
        seconds,
        _delivered(settings, told),
        len(family(os.getpid())) - before,
    )


def _delivered(settings: Path, told: float) -> bool:
    from schoolwatch_agent import memory, spool_file

    db = spool_file.read(settings.parent / "data" / "spool.db")
    note = spool_file.note(db, "memory")
    db.close()
    known = memory.decode(note if isinstance(note, bytes) else None)
    if known.outcome is None or known.outcome.kind != "delivered":
        sys.exit(f"the agent does not deliver: {known.outcome}")
    return known.outcome.at >= told


def ticks(runtime: Runtime, settings: Path, start: float, count: int) -> list[Ticked]:
    """Ticks at consecutive instants; the first, in which every probe runs and every fact is told, apart."""
    return [one_tick(runtime, settings, start + n * PERIOD) for n in range(count + 1)]


@dataclass(frozen=True)
class Row:
    """A line of the table: bytes, and processor seconds in 30 minutes."""

    name: str
    mean: float
    peak: float
    cpu: float
    note: str = ""


def idle(peers: list[Peer], runtime: Runtime) -> tuple[float, float]:
    """Lets all sleep: sets the peers' idle rates; PSS and processor share of a sleeper with nothing to do."""
    process = sleeper(runtime, 1e6, 0.0, ["/bin/true"])
    time.sleep(5)
    before = {peer.name: peer.spent() for peer in peers}
    own, samples = own_cpu(process.pid), Samples()
    began = time.monotonic()
    while time.monotonic() - began < IDLE:
        time.sleep(1)
        samples.look(process.pid)
    lasted = time.monotonic() - began
    for peer in peers:
        peer.idle_cpu = (peer.spent() - before[peer.name]) / lasted
    own = (own_cpu(process.pid) - own) / lasted
    process.terminate()
    process.wait()
    return statistics.mean(samples.pss), own


def busy(
    peers: list[Peer], runtime: Runtime, settings: Path, start: float, cycles: int, spacing: float
) -> tuple[Samples, float, dict[str, Samples]]:
    """The cycles of schedule: looks at ours and at the peers, and our processor seconds."""
    ahead = time.time() + 1
    words = tick_words(runtime, settings, start, PERIOD / spacing)
    ours = sleeper(runtime, spacing, ahead % spacing, words)
    samples, others = Samples(), {peer.name: Samples() for peer in peers}
    before = {peer.name: peer.spent() for peer in peers}
    began = time.monotonic()
    asked = 0
    while (now := time.monotonic() - began) < cycles * spacing:
        samples.look(ours.pid)
        if asked <= now // spacing:
            for peer in peers:
                peer.ask()
            asked += 1
        if int(now / LOOK) % 10 == 0:
            for peer in peers:
                others[peer.name].look(peer.process.pid)
        time.sleep(LOOK)
    lasted = time.monotonic() - began
    for peer in peers:
        peer.cpu = peer.spent() - before[peer.name] - peer.idle_cpu * lasted
    cpu = own_cpu(ours.pid) + children_cpu(ours.pid)
    ours.send_signal(signal.SIGTERM)
    ours.wait()
    return samples, cpu, others


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cycles", type=int, default=6)
    parser.add_argument("--spacing", type=float, default=20.0)
    parser.add_argument("--ticks", type=int, default=36)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        run(Path(temporary), asked.cycles, asked.spacing, asked.ticks)


def run(folder: Path, cycles: int, spacing: float, count: int) -> None:
    for name, package in (
        ("mosquitto", "mosquitto"), ("zabbix_agent2", "zabbix-agent2"), ("collectd", "collectd"),
        ("prometheus-node-exporter", "prometheus-node-exporter"),
    ):  # fmt: skip
        program(name, package)
    runtime = private_python(folder / "runtime")
    (folder / "server").mkdir()
    station = Station(folder / "server", "127.0.0.1", 18883, 18882)
    peers: list[Peer] = []
    try:
        station.start()
        settings = station.enrol(folder / "agent")
        peers += [zabbix(folder, 18050), node_exporter(folder, 18100), collectd(folder, 0)]
        start = time.time() // PERIOD * PERIOD
        table = ticks(runtime, settings, start, count)
        for peer in peers:
            peer.ask()
        asleep, idle_cpu = idle(peers, runtime)
        after = start + (count + 1) * PERIOD
        samples, cpu, others = busy(peers, runtime, settings, after, cycles, spacing)
    finally:
        for peer in peers:
            peer.process.terminate()
            peer.process.wait()
        station.stop()
    mean, lasted = weighed_mean(samples, cycles, asleep, SCHEDULE / (SCHEDULE / PERIOD) * cycles)
    share = SCHEDULE / PERIOD / cycles
    rows = [Row("schoolwatch-agent run", mean, max(samples.pss), cpu * share + idle_cpu * SCHEDULE)]
    rows += [
        Row(
            p.name,
            statistics.mean(others[p.name].pss),
            max(others[p.name].pss),
            p.cpu * share + p.idle_cpu * SCHEDULE,
        )
        for p in peers
    ]
    show(rows, asleep, lasted, table, cycles, spacing)


def show(
    rows: list[Row], asleep: float, lasted: float, table: list[Ticked], cycles: int, spacing: float
) -> None:
    print(f"{cycles} cycles of {PERIOD:g} s, one each {spacing:g} s, weighed by time; {os.cpu_count()} CPU\n")
    print(f"{'':24}{'mean PSS MB':>12}{'peak PSS MB':>12}{'CPU s in 30 min':>17}")
    for row in rows:
        print(f"{row.name:24}{row.mean / 1e6:>12.1f}{row.peak / 1e6:>12.1f}{row.cpu:>17.2f}")
    print(f"\nours asleep: {asleep / 1e6:.1f} MB; a cycle lasts {lasted:.1f} s")
    peer = next(row for row in rows if row.name == "zabbix_agent2")
    met = "met" if rows[0].mean <= peer.mean else "MISSED"
    print(f"mean is {rows[0].mean / peer.mean:.2f} of zabbix_agent2's (goal: at most 1): {met}\n")
    print(f"{'tick':24}{'number':>8}{'median ms CPU':>15}{'p95':>8}{'s':>7}{'left behind':>13}")
    kinds = (
        ("first of all", table[:1]),
        ("measures only", [t for t in table[1:] if not t.delivered]),
        ("measures and delivers", [t for t in table[1:] if t.delivered]),
        ("all but the first", table[1:]),
    )
    for name, some in kinds:
        if some:
            line(name, some)
    median = statistics.median(t.cpu for t in table[1:])
    met = "met" if median <= 150 else "MISSED"
    print(f"goal: at most 150 ms a cycle without heavy probes, and no process left: {met}")


def line(name: str, some: list[Ticked]) -> None:
    cpu = sorted(t.cpu for t in some)
    p95 = cpu[min(int(0.95 * len(cpu)), len(cpu) - 1)]
    seconds = statistics.median(t.seconds for t in some)
    left = max(t.left for t in some)
    print(f"{name:24}{len(some):>8}{statistics.median(cpu):>15.0f}{p95:>8.0f}{seconds:>7.2f}{left:>13}")


if __name__ == "__main__":
    main()
