"""The passage: where it leads, and all that it refuses; with real sockets between real networks."""

import contextlib
import hashlib
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Peer
from gated import Gated, heard
from mqtt import wait_for
from schoolwatch_agent import cli, gateway
from schoolwatch_agent.config import AgentConfig, ConfigError, Server, parse
from schoolwatch_agent.identity import Broker, Credential
from schoolwatch_agent.passage import head, loop
from schoolwatch_agent.passage.line import Bounds

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="not run: needs root for network namespaces")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_place_or_a_status(asked: bytes) -> None:
    for text in (asked, b"CONNECT " + asked + b" HTTP/1.1"):
        found = head.asked(text)
        assert found in (400, 405) or (isinstance(found, tuple) and found[0] and 0 < found[1] < 65536)


@given(st.text("abcxyz0129.-", min_size=1, max_size=60), st.integers(1, 65535))
def test_a_place_is_read_as_it_is_written(host: str, port: int) -> None:
    found = head.asked(f"CONNECT {host.upper()}:{port} HTTP/1.1\r\nHost: else".encode())
    assert isinstance(found, tuple)
    assert found == head.address(f"{host}:{port}")


@pytest.mark.parametrize(
    "ip",
    ["127.0.0.1", "127.9.9.9", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "169.254.1.1", "fe80::1",
     "ff02::1", "224.0.0.1", "fe80::1%eth0", "so.vn"],
)  # fmt: skip
def test_a_name_that_means_this_machine_leads_nowhere(ip: str) -> None:
    assert not head.is_elsewhere(ip)
    assert head.is_elsewhere("10.0.0.7")
    assert head.is_elsewhere("2001:db8::7")


def credential(broker: Broker, url: str = "https://so.vn") -> Credential:
    return Credential("ab" * 16, "cd" * 32, "secret", broker, url=url)


def test_it_leads_to_the_ports_of_settings_and_enrolment_that_speak_tls() -> None:
    settings = AgentConfig(server=Server(url="https://SO.vn:8443/"))
    assert gateway.ports(settings, None) == ("so.vn:8443",)
    told = credential(Broker("mqtt.so.vn", 8883, tls=True, websocket="wss://so.vn:8443/mqtt"))
    assert gateway.ports(settings, told) == ("so.vn:8443", "so.vn:443", "mqtt.so.vn:8883")
    for wrong in ("https://so.vn:99999", "https://[so.vn"):
        assert gateway.ports(AgentConfig(server=Server(url=wrong)), None) == ()
    plain = credential(Broker("so.vn", 1883), "http://so.vn:18080")
    assert gateway.ports(AgentConfig(), plain) == ()
    here = credential(Broker("127.0.0.1", 8883, tls=True), "https://[::1]:8443")
    assert gateway.ports(AgentConfig(), here) == ()
    v6 = credential(Broker("2001:db8::1", 8883, tls=True), "https://[2001:db8::1]")
    assert gateway.ports(AgentConfig(), v6) == ("[2001:db8::1]:443", "[2001:db8::1]:8883")
    named = AgentConfig(server=Server(url="https://so.vn", mqtt_host="b.so.vn"))
    assert gateway.ports(named, None) == ("so.vn:443", "b.so.vn:8883")


@pytest.mark.parametrize("place", ["0.0.0.0:3128", "[::]:3128", "gate:3128", "192.168.1.1:80", "192.168.1.1"])
def test_it_opens_at_named_addresses_alone(place: str) -> None:
    with pytest.raises(ConfigError, match=r"passage\.listen"):
        parse(f'[passage]\nlisten = ["192.168.1.10:3128", "{place}"]\n')


@pytest.mark.parametrize(
    ("settings", "words", "said"),
    [
        ("", (), "The passage is off"),
        ('[server]\nproxy = "http://p:1"\nurl = "https://so.vn"\n[passage]\nlisten = ["127.0.0.1:3128"]', (),
         "goes by a proxy itself"),
        ('[server]\nurl = "http://127.0.0.1:18080"\n[passage]\nlisten = ["127.0.0.1:3128"]', (),
         "No server with TLS"),
        ('[passage]\nlisten = ["127.0.0.1:3128"]', ("--to", "so.vn"), "host:port"),
    ],
)  # fmt: skip
def test_what_can_be_no_passage_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: str, words: tuple[str, ...], said: str
) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(f'[agent]\ndata = "data"\n{settings}\n')
    assert cli.main(["gateway", "--config", str(file), "--lang", "en", *words]) == 1
    assert said in capsys.readouterr().err


class Listener:
    """A port of the server's, or one that nobody may reach: what came to it, and echoes."""

    def __init__(self, bound: socket.socket) -> None:
        self.came: list[socket.socket] = []
        self._bound = bound
        self.port = bound.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                made, _ = self._bound.accept()
                self.came.append(made)
                threading.Thread(target=self._echo, args=(made,), daemon=True).start()

    @staticmethod
    def _echo(made: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while part := made.recv(65536):
                if part != b"say nothing":
                    made.sendall(part)
            made.shutdown(socket.SHUT_WR)

    def end(self) -> None:
        self._bound.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        for each in (self._bound, *self.came):
            each.close()


@pytest.fixture(scope="module")
def gated(peer: Peer) -> Iterator[Gated]:
    peer("ip")
    with Gated() as made:
        yield made


Open = Callable[..., "Opened"]


def _listen(host: str) -> socket.socket:
    return socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


class Opened:
    """A passage that runs at the gateway; `said` is what it told."""

    def __init__(self, gated: Gated, names: tuple[str, ...], bounds: Bounds) -> None:
        self._gated = gated
        self.said: list[str] = []
        hosts = (gated.lan, gated.lan6)
        listening = gated.inside("gate", lambda: [_listen(host) for host in hosts])
        self.where, self.where6 = (each.getsockname()[:2] for each in listening)
        self._passage = loop.Passage(listening, names, bounds)
        self._listening = listening
        self._thread = gated.thread("gate", lambda: self._passage.run(self.said.append))

    def line(self, of: str = "") -> socket.socket:
        return self._gated.connect(self.where, of=of)

    def ask(self, text: bytes, *, of: str = "") -> bytes:
        """The first line of the answer."""
        with self.line(of) as line:
            with contextlib.suppress(OSError):  # it may have answered and closed before all was sent
                line.sendall(text)
            return line.recv(4096).partition(b"\r\n")[0]

    def through(self, where: str, *, of: str = "") -> socket.socket:
        """A line that is let through."""
        line = self.line(of)
        try:
            line.sendall(f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n\r\n".encode())
            assert line.recv(39) == head.OPENED
        except BaseException:
            line.close()
            raise
        return line

    def close(self) -> None:
        self._passage.stop()
        self._thread.join(10)
        assert not self._thread.is_alive()
        for each in self._listening:
            each.close()


@pytest.fixture
def server(gated: Gated) -> Iterator[Listener]:
    made = Listener(socket.create_server((gated.server, 0)))
    yield made
    made.end()


@pytest.fixture
def opened(gated: Gated, server: Listener) -> Iterator[Open]:
    every: list[Opened] = []

    def make(*names: str, connections: int = 50, per_client: int = 20, **bounds: float) -> Opened:
        names = names or (f"{gated.server}:{server.port}",)
        every.append(Opened(gated, names, Bounds(connections, per_client, **bounds)))
        return every[-1]

    yield make
    for each in every:
        each.close()


@needs_root
def test_bytes_pass_both_ways_unchanged_to_their_last(gated: Gated, server: Listener, opened: Open) -> None:
    sent = os.urandom(3_000_000)
    with opened().through(f"{gated.server}:{server.port}") as line:
        writer = threading.Thread(target=lambda: (line.sendall(sent), line.shutdown(socket.SHUT_WR)))
        writer.start()
        got = heard(line)
        writer.join()
    assert hashlib.sha256(got).digest() == hashlib.sha256(sent).digest()


@needs_root
def test_it_leads_to_the_servers_ports_and_to_nowhere_else(
    gated: Gated, server: Listener, opened: Open
) -> None:
    others = [
        Listener(socket.create_server((gated.server, 0))),
        Listener(gated.inside("gate", lambda: socket.create_server(("127.0.0.1", 0)))),
        Listener(gated.inside("gate", lambda: socket.create_server(("::1", 0), family=socket.AF_INET6))),
    ]
    passage = opened()
    port = server.port
    refused = [
        *(f"CONNECT {gated.server}:{each.port} HTTP/1.1" for each in others),
        *(f"CONNECT {host}:{each.port} HTTP/1.1" for each in others for host in
          ("127.0.0.1", "localhost", "[::1]", "::1", "[::ffff:127.0.0.1]", "0.0.0.0", gated.lan, "0x7f.1")),
        f"CONNECT {gated.server}.nip.io:{port} HTTP/1.1",
        f"CONNECT user@{gated.server}:{port} HTTP/1.1",
        f"CONNECT [{gated.server6}]:{port} HTTP/1.1",
        f"CONNECT {gated.server}\t:{port} HTTP/1.1",
    ]  # fmt: skip
    for asked in refused:
        assert b" 403 " in passage.ask(f"{asked}\r\n\r\n".encode()), asked
    for asked, status in (
        (f"GET http://{gated.server}:{port}/ HTTP/1.1", 405),
        ("GET / HTTP/1.1", 405),
        (f"connect {gated.server}:{port} HTTP/1.1", 405),
        (f"CONNECT {gated.server}:{port}", 400),
        (f"CONNECT {gated.server} HTTP/1.1", 400),
        (f"CONNECT {gated.server}:99999 HTTP/1.1", 400),
        (f"CONNECT {gated.server}:{port} HTTP/2", 400),
        (f"CONNECT {gated.server}:{port} HTTP/1.1 x", 400),
        ("\x16\x03\x01", 400),
    ):
        assert f" {status} ".encode() in passage.ask(f"{asked}\r\n\r\n".encode()), asked
    with passage.through(f"{gated.server}:{port}") as line:
        line.sendall(b"still")
        assert line.recv(10) == b"still"
    assert [each.came for each in others] == [[], [], []]
    assert len(server.came) == 1
    for each in others:
        each.end()
    passage.close()
    (said,) = passage.said
    assert f"refused 403: {len(refused)}," in said
    assert not re.search(r"\d+\.\d+\.\d+\.\d+|nip|user", said), "counts, and nobody's address"


@needs_root
def test_a_name_of_the_servers_that_means_this_machine_is_not_followed(
    gated: Gated, server: Listener, opened: Open
) -> None:
    inner = Listener(gated.inside("gate", lambda: socket.create_server(("127.0.0.1", 0))))
    names = (f"localhost:{inner.port}", "no-such-name.invalid:443", f"{gated.server}:{server.port}")
    passage = opened(*names, connect=2.0)
    assert b" 502 " in passage.ask(f"CONNECT localhost:{inner.port} HTTP/1.1\r\n\r\n".encode())
    slow = passage.line()
    slow.sendall(b"CONNECT no-such-name.invalid:443 HTTP/1.1\r\n\r\n")
    began = time.monotonic()
    passage.through(f"{gated.server}:{server.port}").close()
    assert time.monotonic() - began < 1.5, "nobody waits for a name server but who asked for the name"
    assert slow.recv(4096)[9:12] in (b"502", b"504")
    slow.close()
    assert inner.came == []
    inner.end()


@needs_root
def test_the_server_by_ipv6_and_a_server_that_is_off(gated: Gated, opened: Open) -> None:
    six = Listener(socket.create_server((gated.server6, 0), family=socket.AF_INET6))
    with socket.create_server((gated.server, 0)) as closed:
        off = f"{gated.server}:{closed.getsockname()[1]}"
    unrouted = "192.0.2.1:443"
    passage = opened(f"[{gated.server6}]:{six.port}", off, unrouted)
    with gated.connect(passage.where6) as line:
        line.sendall(f"CONNECT [{gated.server6.upper()}]:{six.port} HTTP/1.0\r\n\r\nat once".encode())
        got = b""
        while b"at once" not in got and (part := line.recv(100)):
            got += part
    assert got == head.OPENED + b"at once"
    for where in (off, unrouted):
        assert b" 502 " in passage.ask(f"CONNECT {where} HTTP/1.1\r\n\r\n".encode()), where
    six.end()


@needs_root
def test_huge_and_slow_heads_are_cut_off_while_honest_ones_pass(
    gated: Gated, server: Listener, opened: Open
) -> None:
    passage = opened(head=1.5)
    where = f"{gated.server}:{server.port}"
    assert b" 431 " in passage.ask(b"CONNECT x:1 HTTP/1.1\r\nA: " + b"a" * 1_000_000)
    slow = [passage.line() for _ in range(15)]
    began, last = time.monotonic(), 0.0
    open_ = list(slow)
    while open_:
        for line in list(open_):
            try:
                line.send(b"A")
                line.settimeout(0.001)
                if not line.recv(100).partition(b"\r\n")[0]:
                    open_.remove(line)
            except TimeoutError:
                continue
            except OSError:
                open_.remove(line)
        if time.monotonic() - last > 0.3:
            last = time.monotonic()
            passage.through(where).close()
        assert time.monotonic() - began < 60, "a byte now and then keeps nothing open"
        time.sleep(0.05)
    for line in slow:
        line.close()
    passage.close()
    assert "refused 408: 15" in passage.said[0]


@needs_root
def test_one_computer_takes_no_more_than_its_part(gated: Gated, server: Listener, opened: Open) -> None:
    passage = opened(connections=6, per_client=4)
    where = f"{gated.server}:{server.port}"
    held = [passage.through(where) for _ in range(4)]
    for _ in range(30):
        assert b" 503 " in passage.ask(b"")
    held += [passage.through(where, of=gated.other_pc) for _ in range(2)]
    assert b" 503 " in passage.ask(b"", of=gated.other_pc), "all places are taken"
    held.pop().close()
    held.append(wait_for(lambda: _let(passage, where, gated.other_pc)))
    for line in held:
        line.sendall(b"alive")
        assert line.recv(10) == b"alive"
        line.close()


def _let(passage: Opened, where: str, of: str) -> socket.socket | None:
    with contextlib.suppress(AssertionError, OSError):
        return passage.through(where, of=of)
    return None


@needs_root
def test_who_is_silent_does_not_read_or_stays_too_long_is_cut_off(
    gated: Gated, server: Listener, opened: Open
) -> None:
    where = f"{gated.server}:{server.port}"
    silent = opened(idle=1.0).through(where)
    greedy = opened(stuck=1.0).through(where)
    lasting = opened(total=1.5).through(where)
    greedy.settimeout(0.2)
    with contextlib.suppress(OSError):
        while True:  # it reads none of its echoes, until nothing goes any more
            greedy.send(bytes(65536))
    began = time.monotonic()
    with contextlib.suppress(OSError):
        while time.monotonic() - began < 60:
            lasting.sendall(b"x")
            if not lasting.recv(10):
                break
            time.sleep(0.1)
    assert time.monotonic() - began < 30
    silent.settimeout(60)
    assert heard(silent) == b""
    wait_for(lambda: _is_ended(greedy))
    for line in (silent, greedy, lasting):
        line.close()


def _is_ended(line: socket.socket) -> bool:
    """Whether its other side has ended it; nothing is read of what waits."""
    return line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != 1  # TCP_ESTABLISHED
