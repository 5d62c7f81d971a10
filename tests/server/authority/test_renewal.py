"""A renewed certificate is shown to new connections at once, and cuts nobody who is connected."""

import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from brokers import RunningBroker
from conftest import Peer
from mqtt import Client, wait_for
from running import RunningUp
from schoolwatch_server import transport
from schoolwatch_server.authority import own
from schoolwatch_server.authority.folder import Authority
from schoolwatch_server.config import ConfigError, Http, Mqtt, ServerConfig, Speedtest, Tls
from schoolwatch_server.files import write_atomically


def _serial(port: int, ca: Path) -> str:
    """Of the certificate that a listener of this machine shows to who trusts the authority."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        ssl.create_default_context(cafile=ca).wrap_socket(plain, server_hostname="127.0.0.1") as tls,
    ):
        shown = tls.getpeercert()
    assert shown is not None
    return str(shown["serialNumber"]).lower().lstrip("0")


@pytest.mark.parametrize("kind", ["mosquitto", "amqtt"])
def test_a_broker_takes_a_new_certificate_and_keeps_its_connections(
    kind: str, peer: Peer, free_port: Callable[[], int], tmp_path: Path
) -> None:
    authority, file = Authority(tmp_path / "ca"), tmp_path / "server.pem"
    authority.make("test", datetime.now(UTC))
    first, second = (authority.issue(["127.0.0.1"], datetime.now(UTC)) for _ in range(2))
    write_atomically(file, first.key + first.chain)
    program = peer("mosquitto") if kind == "mosquitto" else None
    broker = RunningBroker(kind, tmp_path / "broker", free_port(), program, tls=(file, file))
    broker.start()
    try:
        password, root = broker.add("a" * 32), authority.folder / "root.pem"
        assert _serial(broker.port, root) == first.serial
        with Client(broker, "a" * 32, password, ca=root) as device:
            write_atomically(file, second.key + second.chain)
            broker.add("b" * 32)  # the broker is told to read its files again
            wait_for(lambda: _serial(broker.port, root) == second.serial)
            assert device.publish(f"schoolwatch/1/{'a' * 32}/report", b"x")
            write_atomically(file, second.key + first.chain)  # they don't belong together
            broker.add("c" * 32)
            assert device.publish(f"schoolwatch/1/{'a' * 32}/report", b"x")
            assert not device.closed.is_set()
        if kind == "amqtt":  # our own tries a pair apart first
            assert _serial(broker.port, root) == second.serial
    finally:
        broker.stop()


def test_an_expired_certificate_renews_without_a_person(
    peer: Peer, free_port: Callable[[], int], tmp_path: Path
) -> None:
    peer("mosquitto")
    data, ports = tmp_path / "data", (free_port(), free_port())
    data.mkdir(mode=0o700)
    (data / "server.toml").write_text("[tls]\nalways = true\n")
    config = ServerConfig(data=str(data), tls=Tls(always=True))
    long_ago = datetime.now(UTC) - timedelta(days=100)
    own.keep(config, long_ago)
    file, ca = data / "tls" / "server.pem", data / "tls" / "ca.pem"
    expired = file.read_text()
    up = RunningUp(data, *ports)
    try:
        up.start()
        up.wait_ready(60)
        assert "Console: https://" in up.said
        shown = {_serial(port, ca) for port in ports}
        assert len(shown) == 1
        wait_for(up.devices, 120)
        pids = {name: part["pid"] for name, part in up.parts().items()}
        write_atomically(file, expired)  # as if its time were over while everything runs
        wait_for(lambda: all(_is_new(port, ca, shown) for port in ports))
        assert {name: part["pid"] for name, part in up.parts().items()} == pids
        heard = up.devices()[0]["heard_at"]
        wait_for(lambda: up.devices()[0]["heard_at"] > heard, 120)
    finally:
        up.end()


def _is_new(port: int, ca: Path, old: set[str]) -> bool:
    try:
        return _serial(port, ca) not in old
    except ssl.SSLError:
        return False


def test_loopback_is_plain_and_anything_else_is_encrypted(tmp_path: Path) -> None:
    config = ServerConfig(data=str(tmp_path))
    assert transport.http(config) is transport.mqtt(config) is None
    assert transport.broker_ca(config) == ""
    for host in ("0.0.0.0", "::", "10.0.0.1", "giam-sat.so.example"):
        open_ = ServerConfig(data=str(tmp_path), http=Http(host=host), mqtt=Mqtt(host=host))
        for tls in (transport.http(open_), transport.mqtt(open_)):
            assert tls is not None
            assert tls.own
        assert transport.broker_ca(open_) == str(tmp_path / "tls" / "ca.pem")
        with pytest.raises(ConfigError, match="can't be used"):
            transport.context(tls)
    pki = Http(host="0.0.0.0", tls_certificate="/pki/chain.pem", tls_key="/pki/key.pem")
    theirs = transport.http(ServerConfig(data=str(tmp_path), http=pki, speedtest=Speedtest()))
    proxied = ServerConfig(
        data=str(tmp_path), http=Http(public_url="https://x.example"), mqtt=Mqtt(host="::")
    )
    with pytest.raises(ConfigError, match=r"http\.tls_ca"):
        transport.check(proxied)
    assert theirs == transport.Tls(Path("/pki/chain.pem"), Path("/pki/key.pem"), "")
