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
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from parts.peers import Peer, collectd, node_exporter, zabbix
from parts.processes import Samples, children_cpu, family, own_cpu, weighed_mean
from parts.runtime import Runtime, private_python
from parts.station import Station, program
from schoolwatch_agent import memory, spool_file
from schoolwatch_agent.memory import Memory

PERIOD, SCHEDULE = 300.0, 1800.0
LOOK = 0.05
"""Seconds between two looks at memory."""

IDLE = 60.0

TICK = """
import gc, sys, time
began, told, factor = float(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
from schoolwatch_agent.entry import SELDOM, run
gc.set_threshold(SELDOM)  # run does so before it loads anything, and Host must be loaded for its clock
from schoolwatch_agent.host import Host
Host.now = lambda self: told + (time.time() - began) * factor
sys.argv[1:] = ["tick", "--config", sys.argv[4]]
run()
"""


def sleeper(runtime: Runtime, period: float, phase: float, tick: list[str]) -> subprocess.Popen[bytes]:
    """`schoolwatch-agent run` as it is after its start; the tick has a clock of its own."""
    file = Path(runtime.environment["PYTHONPATH"]) / "schoolwatch_agent" / "sleeper.py"
    words = [str(runtime.python), "-I", "-S", str(file), str(period), str(phase), "250", *tick]
    return subprocess.Popen(words, env=runtime.environment)


def tick_words(runtime: Runtime, settings: Path, told: float, factor: float) -> list[str]:
    return [str(runtime.python), "-P", "-c", TICK, str(time.time()), str(told), str(factor), str(settings)]


HEAVY = frozenset({"quality", "updates"})
"""Probes that work in processes of their own for a while: echoes each half hour, the package manager."""


@dataclass(frozen=True)
class Ticked:
    """One tick: processor milliseconds, seconds by the clock, whether it delivered, processes it left."""

    cpu: float
    seconds: float
    delivered: bool
    heavy: bool
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
    known = _memory(settings)
    if known.outcome is None or known.outcome.kind != "delivered":
        sys.exit(f"the agent does not deliver: {known.outcome}")
    heavy = any(known.ran.get(name, 0.0) >= told for name in HEAVY)
    cpu = (used.ru_utime + used.ru_stime) * 1000
    return Ticked(cpu, seconds, known.outcome.at >= told, heavy, len(family(os.getpid())) - before)


def _memory(settings: Path) -> Memory:
    db = spool_file.read(settings.parent / "data" / "spool.db")
    note = spool_file.note(db, "memory")
    db.close()
    return memory.decode(note if isinstance(note, bytes) else None)


def bare(runtime: Runtime, count: int) -> list[float]:
    """Processor milliseconds of a Python that does nothing: what of a tick is Python's start today."""
    took = []
    for _ in range(count):
        words = [str(runtime.python), "-I", "-S", "-c", "pass"]
        _, _, used = os.wait4(os.posix_spawn(words[0], words, runtime.environment), 0)
        took.append((used.ru_utime + used.ru_stime) * 1000)
    return took


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
        for begin, port in ((zabbix, 18050), (node_exporter, 18100), (collectd, 0)):
            peers.append(begin(folder, port))  # one by one: what fails leaves none behind
        for peer in peers:
            peer.spent()  # all still run: a port that is taken ends one
        start = time.time() // PERIOD * PERIOD
        table = ticks(runtime, settings, start, count)
        idle_python = bare(runtime, 15)
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
    show(rows, asleep, lasted, table, idle_python, cycles, spacing)


def show(
    rows: list[Row],
    asleep: float,
    lasted: float,
    table: list[Ticked],
    idle_python: list[float],
    cycles: int,
    spacing: float,
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
    light = [t for t in table[1:] if not t.heavy]
    kinds = (
        ("the first of all", table[:1]),
        ("measures", [t for t in light if not t.delivered]),
        ("measures and delivers", [t for t in light if t.delivered]),
        ("with a heavy probe", [t for t in table[1:] if t.heavy]),
        ("all but the first", table[1:]),
    )
    for name, some in kinds:
        if some:
            line(name, some)
    median = statistics.median(t.cpu for t in light)
    met = "met" if median <= 150 and not any(t.left for t in table) else "MISSED"
    start = statistics.median(idle_python)
    print(f"\na bare Python's start takes {start:.0f} ms now; heavy are {', '.join(sorted(HEAVY))}")
    print(f"goal: at most 150 ms CPU a cycle without heavy probes, no process left: {median:.0f} ms, {met}")


def line(name: str, some: list[Ticked]) -> None:
    cpu = sorted(t.cpu for t in some)
    p95 = cpu[min(int(0.95 * len(cpu)), len(cpu) - 1)]
    seconds = statistics.median(t.seconds for t in some)
    left = max(t.left for t in some)
    print(f"{name:24}{len(some):>8}{statistics.median(cpu):>15.0f}{p95:>8.0f}{seconds:>7.2f}{left:>13}")


if __name__ == "__main__":
    main()
