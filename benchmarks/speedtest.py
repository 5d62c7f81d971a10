"""What the speed test's server carries, and what the console feels of it, beside iperf3 in the same run.

    python benchmarks/speedtest.py [--seconds 5]

All over the loop, so that processors are the only bound: a real line is far below. iperf3 is measured when it
is installed (`apt-get install iperf3`).
"""

import argparse
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from measuring import Measuring
from schoolwatch_agent.bandwidth.order import Outcome
from schoolwatch_server.config import Speedtest

GIGABIT = 1e9


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def latency(url: str, during: Callable[[], None]) -> list[float]:
    """Milliseconds that the console's login page takes, asked ten times a second meanwhile."""
    over, took = Event(), list[float]()

    def ask() -> None:
        with httpx.Client(base_url=url, trust_env=False, timeout=10) as client:
            while not over.wait(0.1):
                began = time.monotonic()
                client.get("/login").raise_for_status()
                took.append((time.monotonic() - began) * 1e3)

    thread = Thread(target=ask)
    thread.start()
    during()
    over.set()
    thread.join()
    return took


def tests(server: Measuring, count: int) -> list[Outcome]:
    """So many at once, each of a school of its own."""
    devices = [server.device() for _ in range(count)]
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(server.measure, devices))


def iperf3(seconds: float) -> tuple[float, float] | None:
    """bit/s down and up of one TCP connection, one second warmed up; None when it is not installed."""
    program = shutil.which("iperf3")
    if program is None:
        return None
    port = str(_port())
    with subprocess.Popen(
        [program, "-s", "-p", port], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            time.sleep(0.5)
            rates = []
            for way in (["-R"], []):
                words = [program, "-c", "127.0.0.1", "-p", port, "-J", "-t", f"{seconds:g}", *way]
                done = subprocess.run(words, capture_output=True, check=True)
                rates.append(json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"])
        finally:
            server.terminate()
    return rates[0], rates[1]


def row(name: str, down: float, up: float, took: list[float]) -> None:
    p50 = f"{statistics.median(took):.0f} ms" if took else ""
    p95 = f"{statistics.quantiles(took, n=20)[18]:.0f} ms" if len(took) > 1 else ""
    print(f"{name:<22} {down / GIGABIT:>9.2f} {up / GIGABIT:>9.2f} {p50:>12} {p95:>12}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    seconds = parser.parse_args().seconds
    print(f"{'':<22} {'down Gb/s':>9} {'up Gb/s':>9} {'console p50':>12} {'console p95':>12}")
    own = Speedtest(enabled=True, port=_port(), line_mbps=1e6, assumed_school_mbps=1, seconds=seconds)
    with tempfile.TemporaryDirectory() as folder, Measuring(Path(folder) / "data", own) as server:
        row("no test", 0, 0, latency(server.url, lambda: time.sleep(seconds)))
        for count in (1, 4, 8):
            found: list[Outcome] = []
            took = latency(server.url, lambda found=found, count=count: found.extend(tests(server, count)))
            good = [one for one in found if one.download and one.upload]
            assert len(good) == count, found
            row(
                f"{count} at once",
                sum(one.download.rate for one in good if one.download),
                sum(one.upload.rate for one in good if one.upload),
                took,
            )
    peer = iperf3(seconds)
    if peer is None:
        print("iperf3 is not installed: apt-get install iperf3")
    else:
        row("iperf3, 1 connection", *peer, [])


if __name__ == "__main__":
    main()
