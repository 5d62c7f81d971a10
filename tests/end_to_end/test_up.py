"""One command runs everything: real processes, real broker, real readings of this machine."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from conftest import Peer
from mqtt import wait_for
from running import RunningUp

INDICATORS = {
    "students_per_computer", "ipv6_ladder", "antivirus_coverage",
    "wired_links_100", "wired_links_1000", "telemetry_coverage",
}  # fmt: skip


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _journal(data: Path) -> int:
    with sqlite3.connect(f"file:{data}/schoolwatch.db?mode=ro", uri=True) as connection:
        return int(connection.execute("SELECT count(*) FROM journal").fetchone()[0])


@pytest.fixture
def make_up(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Callable[..., RunningUp]]:
    made: list[RunningUp] = []

    def make(*words: str, data: Path | None = None, user: int | None = None) -> RunningUp:
        up = RunningUp(data or tmp_path / "data folder", free_port(), free_port(), *words, user=user)
        made.append(up)
        up.start()
        return up

    yield make
    for up in made:
        up.end()


@pytest.fixture(params=["mosquitto", "amqtt"])
def up(request: pytest.FixtureRequest, peer: Peer, make_up: Callable[..., RunningUp]) -> RunningUp:
    if request.param == "mosquitto":
        peer("mosquitto")
    running = make_up("--broker", request.param)
    running.wait_ready()
    return running


def test_this_machine_is_measured_and_goes_on_after_a_second_start(up: RunningUp) -> None:
    device = wait_for(up.devices)[0]
    facts = {fact["name"]: fact["value"] for fact in device["facts"]}
    assert facts["os.arch"] == os.uname().machine
    readings = {reading["metric"]: reading["value"] for reading in device["readings"]}
    assert readings["memory.size"] == psutil.virtual_memory().total
    assert readings["processor.count"] == psutil.cpu_count()
    assert (device["school"]["code"], device["room"], device["role"]) == ("TRUONG-MAU", "Máy chủ", "office")

    answer = up.get("/api/v1/indicators?school=TRUONG-MAU")
    assert answer.status_code == 200, answer.text
    indicators = {one["indicator"]: one for one in answer.json()["indicators"]}
    assert set(indicators) >= INDICATORS
    for one in indicators.values():
        assert {"value", "numerator", "denominator", "coverage", "source"} <= set(one)
    assert indicators["telemetry_coverage"]["numerator"] == 1
    assert indicators["students_per_computer"]["value"] is None, "nobody has declared students"

    password = up.password
    assert password is not None
    for path in up.data.rglob("*"):
        if path.is_file() and password.encode() in path.read_bytes():
            raise AssertionError(f"the admin's password is in {path}")

    first, family = _journal(up.data), up.family()
    assert up.stop() < 15
    assert [p for p in family if p.is_running()] == []
    assert not _listens(up.http)
    assert not _listens(up.mqtt)
    assert {part["state"] for part in up.parts().values()} == {"stopped"}

    up.start()  # how long it takes: benchmarks/start.py
    up.wait_ready()
    assert up.password is None
    wait_for(lambda: _journal(up.data) > first)
    assert [d["device"] for d in up.devices()] == [device["device"]]


@pytest.mark.parametrize("name", ["broker", "intake", "evaluate", "serve", "agent"])
def test_a_part_that_is_killed_comes_back(make_up: Callable[..., RunningUp], peer: Peer, name: str) -> None:
    peer("mosquitto")
    up = make_up()
    up.wait_ready()
    wait_for(lambda: all(p["state"] == "running" for p in up.parts().values()))
    before = up.parts()
    no_room = (
        up.data / "run" / f".parts.json.{up.process.pid}.new"
    )  # where nothing can be written, as on a full disk
    no_room.mkdir()
    psutil.Process(before[name]["pid"]).kill()
    wait_for(lambda: "Nothing can be written" in up.said)
    assert up.parts() == before
    no_room.rmdir()
    wait_for(lambda: "It can be written again" in up.said)
    wait_for(lambda: up.parts()[name]["restarts"] == 1)
    wait_for(lambda: up.parts()[name]["state"] == "running")
    wait_for(up.is_ready)
    after = up.parts()
    assert after[name]["pid"] != before[name]["pid"]
    assert after[name]["why"][-1] == "signal SIGKILL"
    assert {n: p["pid"] for n, p in after.items() if n != name} == {
        n: p["pid"] for n, p in before.items() if n != name
    }
    assert f"Part {name} died (signal SIGKILL)" in up.said
    count = _journal(up.data)
    wait_for(lambda: _journal(up.data) > count)


def test_nothing_outlives_a_killed_supervisor(make_up: Callable[..., RunningUp], peer: Peer) -> None:
    peer("mosquitto")
    up = make_up()
    up.wait_ready()
    wait_for(lambda: all(p["state"] == "running" for p in up.parts().values()))
    family = up.family()
    assert len(family) >= 5
    up.stop(signal.SIGKILL)
    gone, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []
    assert len(gone) == len(family)
    up.start()
    up.wait_ready()


def _refused(*words: str, lang: str = "en") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "schoolwatch_server", "up", "--lang", lang, "--no-agent", *words],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stdout
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert done.stdout == "", "nothing may have been started"
    return lines[0]


def test_a_second_up_on_the_same_data_is_refused(
    make_up: Callable[..., RunningUp], peer: Peer, free_port: Callable[[], int]
) -> None:
    peer("mosquitto")
    up = make_up("--no-agent")
    up.wait_ready()
    said = _refused(
        "--data", str(up.data), "--http", f"127.0.0.1:{free_port()}", "--mqtt", f"127.0.0.1:{free_port()}"
    )
    assert "runs on this folder already" in said
    assert f"process {up.process.pid if up.process else 0}" in said
    assert up.is_ready()


@pytest.mark.parametrize("option", ["--http", "--mqtt"])
def test_a_taken_port_says_which_option_to_use(
    tmp_path: Path, free_port: Callable[[], int], option: str
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ports = {"--http": free_port(), "--mqtt": free_port(), option: other.getsockname()[1]}
        words = [word for name, port in ports.items() for word in (name, f"127.0.0.1:{port}")]
        assert f"choose another with {option} HOST:PORT" in _refused("--data", str(tmp_path / "d"), *words)
        assert f"cổng khác bằng {option}" in _refused("--data", str(tmp_path / "d"), *words, lang="vi")


def test_the_same_port_twice_and_a_foreign_address_are_refused(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    port = free_port()
    words = ("--data", str(tmp_path / "d"), "--http", f"127.0.0.1:{port}")
    assert "two different ports" in _refused(*words, "--mqtt", f"127.0.0.1:{port}")
    assert "can't listen there" in _refused(*words, "--mqtt", f"192.0.2.1:{port}")


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path, free_port: Callable[[], int]) -> None:
    (tmp_path / "file").write_text("")
    ports = ("--http", f"127.0.0.1:{free_port()}", "--mqtt", f"127.0.0.1:{free_port()}")
    assert "choose a folder of yours with --data" in _refused("--data", str(tmp_path / "file"), *ports)


def test_a_newer_database_is_refused(tmp_path: Path, free_port: Callable[[], int]) -> None:
    subprocess.run(
        [sys.executable, "-m", "schoolwatch_server", "migrate", "--data", str(tmp_path / "d")], check=True
    )
    with sqlite3.connect(tmp_path / "d" / "schoolwatch.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    ports = ("--http", f"127.0.0.1:{free_port()}", "--mqtt", f"127.0.0.1:{free_port()}")
    assert "newer" in _refused("--data", str(tmp_path / "d"), *ports)


def test_broken_settings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text("[http]\nprot = 1\n")
    assert "http.prot: no such key" in _refused("--data", str(tmp_path))


@pytest.mark.skipif(os.getuid() != 0, reason="not run: only root can become somebody else")
def test_it_needs_no_root(
    make_up: Callable[..., RunningUp], peer: Peer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    peer("mosquitto")
    if not _nobody_reaches(sys.executable):
        pytest.skip("not run: other users can't reach this Python's folder")
    nobody = 65534
    folder = Path(f"/tmp/schoolwatch-{os.getpid()}")
    folder.mkdir(mode=0o700)
    os.chown(folder, nobody, nobody)
    try:
        up = make_up(data=folder / "data", user=nobody)
        up.wait_ready()
        wait_for(up.devices)
        assert {p.uids().real for p in up.family()} == {nobody}
        assert up.stop() < 15
    finally:
        subprocess.run(["rm", "-rf", str(folder)], check=True)


def _nobody_reaches(program: str) -> bool:
    argv = [program, "-c", "import schoolwatch_server, schoolwatch_agent"]
    try:
        return subprocess.run(argv, user=65534, group=65534, capture_output=True, check=False).returncode == 0
    except PermissionError:
        return False


def test_no_secret_is_in_a_log_the_settings_an_address_or_what_a_process_was_started_with(
    make_up: Callable[..., RunningUp], tmp_path: Path
) -> None:
    data = tmp_path / "data folder"
    data.mkdir(mode=0o700)
    hook = tmp_path / "urls"
    hook.write_text("json://lan:a-canary-of-a-hook@127.0.0.1:9/hook\n")
    hook.chmod(0o600)
    (data / "server.toml").write_text(f'[notify]\nurls_file = "{hook}"\n')
    up = make_up("--broker", "amqtt", data=data)
    up.wait_ready(90)
    wait_for(up.devices, 90)
    token = up.command("token", "--scope", "read")
    assert up.get("/api/v1/devices?cursor=x").status_code == 422
    httpx.get(f"{up.url}/api/v1/devices", headers={"Authorization": f"Bearer {token}x"}, trust_env=False)
    up.command("rotate-master-key")
    secrets = {"a-canary-of-a-hook", token, *(up.own_password,)} - {""}
    for path in (data / "secrets").iterdir():
        secrets |= {word for word in path.read_text("utf-8").split() if len(word) > 15}
    credential = json.loads((data / "agent" / "credential.json").read_text())
    secrets |= {v for k, v in credential.items() if isinstance(v, str) and k in {"key", "password"}}
    assert len(secrets) >= 7, (
        "each is looked for: hook, token, broker, hints, two master keys, the agent's own"
    )
    open_places = {path: path.read_bytes() for path in (data / "log").rglob("*") if path.is_file()}
    open_places |= {path: path.read_bytes() for path in (data / "run").iterdir() if path.is_file()}
    open_places[up.output] = up.output.read_bytes()
    for process in up.family():
        for name in ("cmdline", "environ"):
            place = Path(f"/proc/{process.pid}/{name}")
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                open_places[place] = place.read_bytes()
    assert sum(place.name == "environ" for place in open_places) >= 4
    for place, content in open_places.items():
        assert [one for one in secrets if one.encode() in content] == [], place
