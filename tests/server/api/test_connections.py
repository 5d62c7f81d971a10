"""Who holds connections of the web server: many of one address, readers that don't read, long WebSockets."""

import asyncio
import contextlib
import gc
import socket
import struct
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from databases import make_database, settings_of
from end_to_end.wrong_logins import connect as hello
from mqtt import wait_for
from schoolwatch_server.api import bounds, broker_door, readers
from schoolwatch_server.api.listening import CONNECTIONS_EACH_MAX, CONNECTIONS_MAX, FILES, Listening, Places
from schoolwatch_server.api.readers import LEAST, Seen
from schoolwatch_server.broker.limits import WAITING_EACH_MAX, WRONG_MAX
from schoolwatch_server.config import Mqtt, of_data
from schoolwatch_server.supervise.plan import server_parts
from website import RunningSite

LARGE = "/static/vendor/swagger-ui-5.35.0/swagger-ui-bundle.js"
STRANGER = "127.0.0.2"
"""Another address than this machine's own, which has no share."""


def test_each_address_has_a_share_of_the_places_and_this_machine_has_all() -> None:
    places = Places(most=10, each=3)
    assert [places.take("192.0.2.1") for _ in range(4)] == [True, True, True, False]
    assert [places.take(f"2001:db8::{n}") for n in range(4)] == [True, True, True, False]
    assert [places.take("127.0.0.1") for _ in range(5)] == [True] * 4 + [False]
    places.leave("192.0.2.1")
    assert places.take("192.0.2.1")


def test_places_leave_files_for_the_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (1024, 1024))
    places = Places()
    taken = sum(places.take(f"192.0.2.{n % 200}") for n in range(1100))
    assert taken == 824
    serve = next(part for part in server_parts(of_data(tmp_path), tmp_path) if part.name == "serve")
    assert serve.files == FILES > CONNECTIONS_MAX > CONNECTIONS_EACH_MAX


class Broker:
    """What answers the CONNECT of each connection with `answer`, and gives back what comes after it."""

    def __init__(self) -> None:
        self.answer = b"\x20\x02\x00\x00"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with line, contextlib.suppress(OSError):
            if line.recv(4096)[:1] == b"\x10":
                line.sendall(self.answer)
            while data := line.recv(4096):
                line.sendall(data)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    broker = Broker()
    yield broker
    broker.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, broker: Broker) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("site")
    make_database(folder)
    with RunningSite(settings_of(folder, mqtt=Mqtt(host="127.0.0.1", port=broker.port))) as site:
        yield site


def line_from(address: str, port: int, room: int = 0) -> socket.socket:
    raw = socket.socket()
    if room:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    raw.settimeout(10)
    raw.bind((address, 0))
    raw.connect(("127.0.0.1", port))
    return raw


def read_all(line: socket.socket) -> bytes:
    got = b""
    while piece := line.recv(65_536):
        got += piece
    return got


def is_closed(line: socket.socket) -> bool:
    line.setblocking(False)
    try:
        return line.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_who_opens_very_many_connections_is_turned_away_and_others_are_not(
    running: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(running.socket, Listening)
    monkeypatch.setattr(running.socket, "places", Places(most=60, each=20))
    lines = [line_from(STRANGER, running.port) for _ in range(50)]
    wait_for(lambda: sum(map(is_closed, lines)) == 30)
    assert running.anyone().get("/healthz").status_code == 200
    for line in lines:
        line.close()

    def gets_in() -> bool:
        with line_from(STRANGER, running.port) as again:
            again.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                return again.recv(12) == b"HTTP/1.1 200"
            return False

    wait_for(gets_in)


def test_a_reader_is_stuck_when_little_of_what_waits_goes() -> None:
    before = Seen(acknowledged=1000, waiting=50_000)
    assert Seen(1000, 50_000).is_stuck_since(before)
    assert Seen(1000 + int(LEAST) - 1, 60_000).is_stuck_since(before)
    assert not Seen(1000 + int(LEAST), 60_000).is_stuck_since(before)
    few = Seen(1000, 30)
    assert not Seen(1030, 9000).is_stuck_since(few), "what waited has gone; the rest came later"
    assert not Seen(1000, 9000).is_stuck_since(Seen(1000, 0))


def test_who_does_not_read_an_answer_is_cut_off_and_who_reads_slowly_gets_it(
    running: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "SECONDS", 0.5)
    monkeypatch.setattr(readers, "LEAST", 4000)
    ask = f"GET {LARGE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    with line_from("127.0.0.1", running.port, 2048) as deaf, line_from("127.0.0.1", running.port) as slow:
        deaf.sendall(ask)
        slow.sendall(ask)
        read, deadline = b"", time.monotonic() + 3
        while time.monotonic() < deadline:
            read += slow.recv(20_000)
            time.sleep(0.05)
        with pytest.raises(ConnectionResetError):
            read_all(deaf)
        read += read_all(slow)
    head, _, body = read.partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head.lower()


def test_an_ended_connection_does_not_wait_in_memory_for_the_next_look(
    running: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    transports: list[weakref.ref[asyncio.Transport]] = []

    class Noted(readers.Reader):
        def __init__(self, transport: asyncio.Transport) -> None:
            super().__init__(transport)
            transports.append(weakref.ref(transport))

    monkeypatch.setattr(bounds, "Reader", Noted)
    with running.anyone() as client:
        assert client.get("/healthz").status_code == 200
    wait_for(lambda: gc.collect() >= 0 and [each() for each in transports] == [None])


# --- MQTT in a WebSocket ------------------------------------------------------------------------------------


def websocket(site: RunningSite, address: str = STRANGER) -> ClientConnection:
    return connect(
        f"ws://127.0.0.1:{site.port}/mqtt", subprotocols=["mqtt"], sock=line_from(address, site.port)
    )


def test_a_websocket_lasts_longer_than_headers_may_take(
    running: RunningSite, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "HEAD_SECONDS", 2.0)
    monkeypatch.setattr(broker_door, "GREETING", 2.0)
    with websocket(running) as line:
        line.send(hello("x", "a" * 32, "right"))
        assert line.recv(30) == broker.answer
        time.sleep(2.5)
        line.send(b"a report of a computer with a slow line")
        assert line.recv(30) == b"a report of a computer with a slow line"


def test_a_websocket_that_does_not_log_in_is_let_go(
    running: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_door, "GREETING", 0.5)
    began = time.monotonic()
    with websocket(running) as line:
        line.send(b"\x00")  # what takes it for a report says nothing of it
        with pytest.raises(WebSocketException):
            line.recv(30)
    assert time.monotonic() - began < 25


def test_wrong_logins_by_websocket_are_turned_away_as_at_the_brokers_own_port(
    running: RunningSite, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "answer", b"\x20\x02\x00\x05")
    for _ in range(WRONG_MAX):
        with websocket(running, "127.0.0.3") as line:
            line.send(hello("x", "a" * 32, "wrong"))
            assert line.recv(30) == broker.answer
    with pytest.raises(WebSocketException):
        websocket(running, "127.0.0.3")
    websocket(running, "127.0.0.4").close()


def test_one_address_does_not_hold_all_places_of_the_websocket(running: RunningSite) -> None:
    held = [websocket(running, "127.0.0.5") for _ in range(WAITING_EACH_MAX)]
    with pytest.raises(WebSocketException):
        websocket(running, "127.0.0.5")
    websocket(running, "127.0.0.6").close()
    for line in held:
        line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.socket.close()
