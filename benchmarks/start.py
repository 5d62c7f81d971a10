"""How long `schoolwatch up` takes until its console answers: the first start, and the next ones.

    python benchmarks/start.py [--starts 5]

Goals: a second start under 5 s, first real readings within 15 s of a first start. The environment is ready.
"""

import argparse
import re
import signal
import socket
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent / "schoolwatch"


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _rows(data: Path) -> int:
    if not (data / "schoolwatch.db").exists():
        return 0
    with sqlite3.connect(f"file:{data}/schoolwatch.db?mode=ro", uri=True) as conn:
        return int(conn.execute("SELECT count(*) FROM journal").fetchone()[0])


def start(data: Path) -> tuple[float, float, float]:
    """Seconds to the console's address, to the first committed report, and to stop again."""
    before, began = _rows(data), time.monotonic()
    words = (
        "up",
        "--data",
        data,
        "--http",
        f"127.0.0.1:{_port()}",
        "--mqtt",
        f"127.0.0.1:{_port()}",
        "--lang",
        "en",
    )
    with subprocess.Popen([SCRIPT, *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if not any(re.match("Console: ", line) for line in process.stdout):
            raise SystemExit("it did not start")
        ready = time.monotonic() - began
        while _rows(data) <= before:
            time.sleep(0.05)
        reading = time.monotonic() - began
        stopping = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait()
        return ready, reading, time.monotonic() - stopping


def main() -> None:
    """Prints a line a start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        times = [start(Path(folder) / "data") for _ in range(arguments.starts)]
    for number, (ready, reading, stopped) in enumerate(times, 1):
        print(f"start {number}: console {ready:.1f} s, first reading {reading:.1f} s, stop {stopped:.1f} s")
    if len(times) > 1:
        print(
            f"second and later starts, median: {statistics.median(t[0] for t in times[1:]):.1f} s (goal: 5)"
        )


if __name__ == "__main__":
    main()
