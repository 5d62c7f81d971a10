"""A mosquitto as systemd would run it: another user, files kept by us, and what the kernel turns away."""

import grp
import os
import pwd
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import paho.mqtt.client as paho
import pytest

from brokers import environment
from conftest import Peer
from mqtt import wait_for
from reports import World
from schoolwatch_contract.topics import topic
from schoolwatch_server import transport
from schoolwatch_server.broker import mosquitto
from schoolwatch_server.broker.passwords import hash_password, new_password
from schoolwatch_server.cli import main
from schoolwatch_server.config import ServerConfig, of_data, render
from schoolwatch_server.database import credentials
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.files import private_folder

GROUP = "mosquitto"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that another user can pass through; pytest's own is closed to others."""
    made = Path(tempfile.mkdtemp(prefix="schoolwatch-broker-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def _settings(world: World, folder: Path, port: int) -> tuple[ServerConfig, Path]:
    replace = msgspec.structs.replace
    config = of_data(world.folder)
    mqtt = replace(config.mqtt, port=port, socket=str(folder / "state" / "socket"))
    config = replace(config, mqtt=mqtt, tls=replace(config.tls, always=True))
    private_folder(world.folder / "secrets")
    file = world.folder / "server.toml"
    file.write_text(render(config))
    return config, file


def _connected(config: ServerConfig, user: str, password: str, *, own: bool = False) -> paho.Client:
    client = paho.Client(
        paho.CallbackAPIVersion.VERSION2, user, transport="unix" if own else "tcp", reconnect_on_failure=False
    )
    client.username_pw_set(user, password)
    if not own:
        context = ssl.create_default_context(cafile=str(transport.own_ca(config)))
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        client.tls_set_context(context)
    client.connect(config.mqtt.socket if own else config.mqtt.host, config.mqtt.port)
    client.loop_start()
    return client


@pytest.mark.skipif(os.getuid() != 0, reason="not run: only root can start a program as another user")
def test_another_user_runs_it_and_a_revoked_device_is_cut_off(
    world: World, peer: Peer, folder: Path, free_port: Callable[[], int]
) -> None:
    program = peer("mosquitto")
    config, settings = _settings(world, folder, free_port())
    (device,), password = world.enrol(), new_password()
    with begin_write(world.engine) as conn:
        credentials.set_credential(conn, device.id, device.key, hash_password(password), time.time())
    state, files = folder / "state", folder / "files"
    state.mkdir(mode=0o750)
    os.chown(state, pwd.getpwnam(GROUP).pw_uid, grp.getgrnam(GROUP).gr_gid)
    words = ("broker-config", "--config", str(settings), "--folder", str(files))
    log = folder / "log"
    processes = []
    try:
        argv = [sys.executable, "-m", "schoolwatch_server", *words, "--keep"]
        processes.append(subprocess.Popen(argv, env=environment(), stderr=subprocess.DEVNULL))
        wait_for((files / "reload").exists, 20)
        text = (files / "mosquitto.conf").read_text()
        conf = folder / "mosquitto.conf"  # as written, but for the one folder that systemd makes
        conf.write_text(text.replace("/var/lib/schoolwatch-broker", str(state)))
        with log.open("wb") as out:
            argv = list(mosquitto.command(program, conf))
            broker = subprocess.Popen(
                argv, stdout=out, stderr=out, user=GROUP, group=GROUP, extra_groups=[], umask=0o007
            )
        processes.append(broker)
        wait_for(lambda: Path(config.mqtt.socket).exists() or broker.poll() is not None)
        server = _connected(config, config.mqtt.user, config.mqtt_password_path.read_text().strip(), own=True)
        client = _connected(config, device.device, password)
        wait_for(client.is_connected)
        wait_for(server.is_connected)
        seen: list[bytes] = []
        server.on_message = lambda _client, _data, message: seen.append(message.payload)
        server.subscribe(topic(device.device, "report"), qos=1)
        wait_for(lambda: client.publish(device.topic, b"x", qos=1) and seen)
        before = (files / "reload").read_text()
        with begin_write(world.engine) as conn:
            credentials.revoke(conn, device.id, time.time())
        began = time.monotonic()
        wait_for(lambda: (files / "reload").read_text() != before, 5)
        broker.send_signal(signal.SIGHUP)  # what systemd's path unit does
        wait_for(lambda: not client.is_connected(), 5)
        assert time.monotonic() - began < 5
        assert server.is_connected()
        for each in (client, server):
            each.disconnect()
            each.loop_stop()
        modes = {path.name: (path.stat().st_mode & 0o777, path.stat().st_gid) for path in files.iterdir()}
        assert set(modes) == {"acl", "first.db", "mosquitto.conf", "passwords", "reload", "server.pem"}
        assert set(modes.values()) == {(0o640, grp.getgrnam(GROUP).gr_gid)}
        assert "rror" not in log.read_text()
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(10)


def test_settings_without_a_door_for_the_servers_own_parts_are_refused(
    world: World, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["broker-config", "--data", str(world.folder), "--folder", str(folder / "x")]) == 2
    assert "mqtt.socket: name where" in capsys.readouterr().err
    assert not (folder / "x").exists()


@pytest.fixture
def system(world: World, folder: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """What systemd and nftables are told, for port 8883."""
    _, settings = _settings(world, folder, 8883)
    words = ("--folder", str(folder / "files"), "--system", str(folder / "system"))
    assert main(["broker-config", "--config", str(settings), *words]) == 0
    assert str(folder / "system" / "schoolwatch-broker.service") in capsys.readouterr().out
    return folder / "system"


def test_systemd_takes_the_units(system: Path, peer: Peer) -> None:
    peer("mosquitto")
    units = sorted(path for path in system.iterdir() if path.suffix in {".service", ".path"})
    assert len(units) == 4
    assert not re.findall("@[A-Z]+@", "".join(path.read_text() for path in system.iterdir()))
    done = subprocess.run(
        [peer("systemd-analyze"), "verify", *units], capture_output=True, text=True, check=False, timeout=60
    )
    ours = [line for line in done.stderr.splitlines() if "schoolwatch" in line]
    assert not ours


@pytest.mark.skipif(os.getuid() != 0, reason="not run: a network of its own needs root")
def test_the_kernel_slows_down_who_connects_too_often(system: Path, peer: Peer) -> None:
    words = (peer("nft"), f"schoolwatch-{os.getpid()}", system / "schoolwatch-broker.nft", sys.executable)
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", _NETWORK, "sh", *words, _LISTEN, _CONNECT],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert 300 <= int(done.stdout) < 450, "what is let through at once, and some more, of 900"


_NETWORK = """
set -e
PATH=$PATH:/usr/sbin:/sbin
trap 'kill $! || true; ip netns del "$2"' EXIT
ip netns add "$2"
ip link add v0 type veth peer name v1 netns "$2"
ip addr add 192.0.2.1/24 dev v0
ip link set v0 up
ip -n "$2" addr add 192.0.2.2/24 dev v1
ip -n "$2" link set v1 up
"$1" -f "$3"
"$4" -c "$5" &
sleep 0.5
ip netns exec "$2" "$4" -c "$6"
"""

_LISTEN = """
import socket, time
listener = socket.create_server(("192.0.2.1", 8883), backlog=2000)
time.sleep(30)
"""

_CONNECT = """
import select, socket, time
sockets = [socket.socket() for _ in range(900)]
for each in sockets:
    each.setblocking(False)
    each.connect_ex(("192.0.2.1", 8883))
time.sleep(0.5)
poll = select.poll()
for each in sockets:
    poll.register(each, select.POLLOUT)
print(sum(event == select.POLLOUT for _, event in poll.poll(0)))
"""
