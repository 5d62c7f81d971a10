"""Lines that others use meanwhile: a school's by two devices and by ping, the server's by other traffic."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import Peer
from measuring import Measuring
from reports import NOW, Device
from schoolwatch_agent.bandwidth.order import Outcome
from schoolwatch_server.config import Speedtest
from schoolwatch_server.database import credentials, registry
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.scope import EVERYTHING
from shaped import ShapedLine

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not run: network namespaces need root")

MBIT = 50.0
FLOOD = """
import socket, sys, time
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
out.connect((sys.argv[1], 9))
rate, began, sent = float(sys.argv[2]) / 8, time.monotonic(), 0
while True:
    while sent < (time.monotonic() - began) * rate:
        try:
            sent += out.send(bytes(1400))
        except OSError:  # port unreachable: nobody listens, and the line is taken all the same
            sent += 1400
    time.sleep(0.002)
"""
"""Datagrams at so many bit/s."""


def running(folder: Path, line: ShapedLine, line_mbps: float) -> Measuring:
    url = f"ws://{line.server_ip}:18090"
    own = Speedtest(enabled=True, host="::", public_url=url, line_mbps=line_mbps, seconds=3.0)
    return Measuring(folder, own, line)


@contextmanager
def other_traffic(line: ShapedLine, mbit: float) -> Iterator[None]:
    words = line.at_server(sys.executable, "-c", FLOOD, line.school_ip, str(mbit * 1e6))
    flood = subprocess.Popen(words)
    try:
        yield
    finally:
        flood.kill()
        flood.wait()


def shares(outcome: Outcome) -> tuple[tuple[bool, float], ...]:
    assert not outcome.skipped, outcome
    ways = (outcome.download, outcome.upload)
    return tuple((way.limited, way.line_share or 0.0) for way in ways if way is not None)


def test_other_traffic_on_the_servers_line_marks_a_result(tmp_path: Path, peer: Peer) -> None:
    for program in ("ip", "tc"):
        peer(program)
    with ShapedLine(MBIT) as line, running(tmp_path, line, MBIT * 1.3) as server:
        (quiet_down, _), (quiet_up, _) = shares(server.measure(server.device()))
        assert (quiet_down, quiet_up) == (True, True), "50 of 65 is above 70 %"
    with ShapedLine(MBIT) as line, running(tmp_path / "wide", line, MBIT * 2) as server:
        for limited, share in shares(server.measure(server.device())):
            assert not limited
            assert 0.4 < share < 0.6
    with ShapedLine(MBIT) as line, running(tmp_path / "shared", line, MBIT * 1.2) as server:
        with other_traffic(line, MBIT / 2):
            outcome = server.measure(server.device())
        (down, share), _ = shares(outcome)
        assert outcome.download is not None
        assert outcome.download.rate < MBIT * 1e6 * 0.65, "alone it would not have been above 70 %"
        assert down
        assert share > 0.7


def test_round_trips_under_load_are_those_that_ping_sees(tmp_path: Path, peer: Peer) -> None:
    for program in ("ip", "tc", "ping"):
        peer(program)
    with ShapedLine(20, delay_ms=30) as line, running(tmp_path, line, 1000) as server:
        words = line.at_school("ping", "-n", "-q", "-i", "0.02", line.server_ip)
        quiet = subprocess.run([*words, "-c", "20"], capture_output=True, text=True, check=True, timeout=60)
        pings = subprocess.Popen(
            line.at_school("ping", "-n", "-i", "0.02", line.server_ip), stdout=subprocess.PIPE
        )
        try:
            outcome = server.measure(server.device())
        finally:
            pings.send_signal(signal.SIGINT)
            seen = pings.communicate(timeout=10)[0].decode()
    least = float(quiet.stdout.rpartition("=")[2].split("/")[0]) / 1e3
    loaded = sorted(float(each) / 1e3 for each in re.findall(r"time=([\d.]+) ms", seen))
    for way in (outcome.download, outcome.upload):
        assert way is not None
        assert way.rtt_min is not None
        assert way.rtt_loaded is not None
        assert abs(way.rtt_min / least - 1) < 0.1
        # the quiet moments before and between are among the pings, so it is only between their tenths
        assert loaded[len(loaded) // 10] * 0.9 < way.rtt_loaded < loaded[-1 - len(loaded) // 10] * 1.1


def test_two_devices_of_one_school_never_test_at_the_same_time(tmp_path: Path, peer: Peer) -> None:
    for program in ("ip", "tc"):
        peer(program)
    with ShapedLine(MBIT) as line, running(tmp_path, line, 1000) as server:
        first = server.device()
        with begin_write(server.world.engine) as conn:
            held = registry.device(conn, first.device, EVERYTHING)
            assert held is not None
            row = registry.create_device(conn, held.school_id, None, "second", NOW)
            key = b"k" * 32
            credentials.set_credential(conn, row.id, key, "$7$1$a$b", NOW)
        devices = (first, Device(row.id, row.device, key), server.device())
        with ThreadPoolExecutor(3) as pool:
            one, two, other = pool.map(server.measure, devices)
    assert sorted((one.skipped, two.skipped)) == ["", "line_busy"]
    assert not other.skipped, "another school's line is another line"
    (refused,) = (each for each in (one, two) if each.skipped)
    assert refused.bytes == 0
    assert 0 < refused.retry < 30
