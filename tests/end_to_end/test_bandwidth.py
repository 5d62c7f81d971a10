"""The speed test from end to end: asked for, measured, delivered, shown; and by M-Lab's own client."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from conftest import Peer
from measuring import Measuring, credential
from mqtt import wait_for
from schoolwatch_agent.bandwidth.leave import NoLeaveError, ask
from schoolwatch_agent.bandwidth.order import Outcome
from schoolwatch_agent.probe import observe
from schoolwatch_agent.probes import listed
from schoolwatch_contract import slot
from schoolwatch_contract.catalogue.carriage import MESSAGES
from schoolwatch_contract.settings import Bandwidth, Settings
from schoolwatch_server.config import Speedtest

MODULES = Path(__file__).parents[2] / "node_modules"
CLIENT = Path(__file__).with_name("ndt7_client.js")


def running(folder: Path, *, public_url: str = "", **more: Any) -> Measuring:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    options = {"line_mbps": 100_000.0, "seconds": 1.0, **more}
    return Measuring(
        folder, Speedtest(enabled=True, port=port, public_url=public_url.format(port=port), **options)
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measuring]:
    with running(tmp_path_factory.mktemp("bandwidth") / "data") as one:
        yield one


def measured(outcome: Outcome) -> Outcome:
    assert not outcome.skipped, outcome
    assert outcome.download is not None
    assert outcome.upload is not None
    return outcome


def test_one_school_tests_while_another_waits_for_nothing(server: Measuring) -> None:
    one, other = server.device(), server.device()
    assert server.leave(one)
    outcome = measured(server.measure(other))
    assert outcome.assumed
    assert outcome.bytes > 1_000_000
    again = measured(server.measure(other))  # its slot is free at once
    assert again.server == f"127.0.0.1:{server.speedtest.port}"


def test_the_chosen_device_tests_when_it_is_due_and_tells(
    server: Measuring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The probe, its door and child, both ends of the test, and the ledger: all real but the clock."""
    host = server.agent(server.device())
    monkeypatch.setattr(host, "now", lambda: 1_795_687_190.0)  # 10 s before the window ends
    told = Settings(bandwidth=Bandwidth(server.url, families=(4,), busy_above=100.0))
    seen = observe(listed("bandwidth", 0, told.bandwidth), host)
    found = {reading.metric: reading.value for reading in seen.readings}
    assert found["probe.ok"] == 1.0, seen.facts
    assert (found["bandwidth.download"] or 0) > 1e6
    assert (found["bandwidth.upload"] or 0) > 1e6
    ledger = {one.metric: one.value for one in observe(listed("bandwidth_ledger", 0, told), host).readings}
    assert ledger["bandwidth.month_bytes"] == found["bandwidth.bytes"]
    assert observe(listed("bandwidth", 0, told.bandwidth), host).readings == ()


def test_the_request_carries_what_the_privacy_page_says(server: Measuring) -> None:
    """Seen by a server in its place: no body, a challenge answered, and nothing of the machine."""
    asked: list[tuple[str, dict[str, str], bytes]] = []

    class Mute(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            asked.append((self.path, dict(self.headers.items()), self.rfile.read(length)))
            self.send_response(401)
            self.send_header("WWW-Authenticate", slot.challenge("1-a-b"))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    device = server.device()
    with HTTPServer(("127.0.0.1", 0), Mute) as mute:
        thread = Thread(target=mute.serve_forever)
        thread.start()
        with pytest.raises(NoLeaveError):
            ask(f"http://127.0.0.1:{mute.server_address[1]}", credential(device))
        mute.shutdown()
        thread.join()
    assert [(path, body) for path, _, body in asked] == [(slot.PATH, b"")] * 2
    usual = {
        "Accept",
        "Accept-Encoding",
        "Connection",
        "Content-Length",
        "Content-Type",
        "Host",
        "User-Agent",
    }
    assert asked[0][1].keys() <= usual
    assert asked[1][1].keys() <= usual | {"Authorization"}
    page = next(message for message in MESSAGES if message.name == "speedtest")
    shown = slot.parameters(asked[1][1]["Authorization"])
    assert {field.name for field in page.fields} == {*shown, "headers", "access_token", "message"}
    assert device.key.hex() not in str(asked)


def test_families_are_measured_apart(tmp_path: Path) -> None:
    """The loop's IPv6, and a fall back to IPv4 where a name has no other."""
    with running(tmp_path / "data", host="::", public_url="ws://[::1]:{port}") as server:
        assert measured(server.measure(server.device(), family=6)).family == 6
        assert measured(server.measure(server.device(), family=4)).family == 6  # it has no IPv4 address


def test_a_device_whose_line_is_busy_is_told_when_to_ask_again(server: Measuring) -> None:
    device = server.device()
    server.leave(device)
    outcome = server.measure(device)
    assert (outcome.skipped, outcome.bytes) == ("line_busy", 0)
    assert 10 < outcome.retry <= 21


def test_a_test_never_costs_more_than_is_left(server: Measuring) -> None:
    outcome = server.measure(server.device(), bytes_left=3_000_000)
    assert outcome.skipped == "budget"
    assert outcome.bytes <= 3_000_000 + (1 << 20)


def test_a_device_that_the_server_does_not_know_is_refused(server: Measuring) -> None:
    device = server.device()
    device.key = bytes(32)
    with pytest.raises(NoLeaveError) as caught:
        server.leave(device)
    assert caught.value.why == "refused"
    assert server.measure(device).skipped == "refused"


def test_a_server_that_is_away_is_a_reason(tmp_path: Path, server: Measuring) -> None:
    device = server.device()
    there = server.url
    try:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            server.url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        assert server.measure(device).skipped == "unreachable"
    finally:
        server.url = there


def test_what_the_server_held_back_is_marked_by_the_server(tmp_path: Path) -> None:
    """Its line is declared at 50 Mbit/s, and a test over the loop takes far more."""
    with running(tmp_path / "data", line_mbps=50.0, seconds=2.0) as server:
        outcome = measured(server.measure(server.device()))
    for way in (outcome.download, outcome.upload):
        assert way is not None
        assert way.limited
        assert way.line_share is not None
        assert way.line_share > 0.7


@pytest.mark.timeout(120)
def test_m_labs_own_client_measures_against_our_server(tmp_path: Path, peer: Peer) -> None:
    """`@m-lab/ndt7`, which `./schoolwatch test` gets from npm, with one slot for both ways."""
    for package in ("@m-lab/ndt7", "ws"):
        if not (MODULES / package).exists():
            missing = f"not run: needs the npm package {package} in node_modules"
            if os.environ.get("CI") == "true":
                pytest.fail(missing, pytrace=False)
            pytest.skip(missing)
    with running(tmp_path / "data", seconds=3.0) as server:
        slot = server.leave(server.device())
        at, _, token = slot.download.partition("/ndt/v7/download?access_token=")
        words = [peer("node"), CLIENT, MODULES, at.removeprefix("ws://"), token]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
        told = json.loads(done.stdout)
        assert told["errors"] == [], done.stderr
        assert told["code"] == 0
        for way in ("download", "upload"):
            client, ours = told[way]["LastClientMeasurement"], told[way]["LastServerMeasurement"]
            assert client["MeanClientMbps"] > 1
            assert told["servers"][way] >= 5
            assert ours["Origin"] == "server"
            assert ours["Test"] == way
        received = told["upload"]["LastServerMeasurement"]["TCPInfo"]["BytesReceived"]
        assert received > 1_000_000
        wait_for(lambda: not server.measure(server.device()).skipped, 30)  # it goes on serving
