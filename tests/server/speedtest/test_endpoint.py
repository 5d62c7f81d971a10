"""The endpoint as a process, against good clients, clumsy ones and hostile ones: bounded time and memory."""

import base64
import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from conftest import Peer
from measuring import Measuring, memory
from mqtt import wait_for
from schoolwatch_agent.bandwidth.leave import NoLeaveError
from schoolwatch_contract import ndt7
from schoolwatch_contract.slot import Slot
from schoolwatch_server.config import ConfigError, Speedtest
from schoolwatch_server.speedtest import service
from schoolwatch_server.speedtest.endpoint import CONNECTIONS_MAX
from schoolwatch_server.speedtest.slots import BEGIN_WITHIN

SECONDS = 1.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measuring]:
    """One for all, whatever they have done to it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    own = Speedtest(enabled=True, port=port, line_mbps=100_000, seconds=SECONDS)
    with Measuring(tmp_path_factory.mktemp("speedtest") / "data", own) as running:
        yield running


def slot_of(server: Measuring) -> Slot:
    return server.leave(server.device())


def opened(url: str, protocol: str = ndt7.SUBPROTOCOL) -> ClientConnection:
    return connect(
        url,
        subprotocols=[Subprotocol(protocol)],
        compression=None,
        max_size=None,
        proxy=None,
        close_timeout=0.1,
        ping_interval=None,
    )


def refusal(url: str, protocol: str = ndt7.SUBPROTOCOL) -> int:
    """The HTTP status of a handshake that must not succeed."""
    with pytest.raises(InvalidStatus) as caught:
        opened(url, protocol)
    return caught.value.response.status_code


def raw(server: Measuring, text: bytes, seconds: float = 12.0) -> bytes:
    """Sends bytes as they are; what comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", server.speedtest.port), timeout=seconds) as line:
        answer = b""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            line.sendall(text)
            while part := line.recv(65536):
                answer += part
    return answer


def download(url: str) -> tuple[int, list[ndt7.Measurement], list[float], set[int]]:
    """Bytes, measurements with their moments, and sizes of the messages of a whole download."""
    total, said, moments, sizes = 0, [], [], set()
    with opened(url) as line:
        with contextlib.suppress(ConnectionClosed):
            while True:
                message = line.recv()
                if isinstance(message, str):
                    said.append(ndt7.decode(message))
                    moments.append(time.monotonic())
                else:
                    total += len(message)
                    sizes.add(len(message))
        assert line.close_code == 1000
    return total, said, moments, sizes


def test_a_download_is_as_the_specification_says(server: Measuring) -> None:
    slot = slot_of(server)
    began = time.monotonic()
    total, said, moments, sizes = download(slot.download)
    assert time.monotonic() - began < ndt7.CUT_SECONDS
    assert sizes <= {1 << n for n in range(13, 25)}
    assert min(sizes) == ndt7.MESSAGE_FIRST
    assert len(moments) <= 10 * SECONDS + 1
    last = said[-1]
    assert last.app_info is not None
    assert last.app_info.num_bytes == total
    assert last.app_info.elapsed_time >= SECONDS * 1e6
    assert last.tcp_info is not None
    assert (last.tcp_info.bytes_sent or 0) > total * 0.9
    assert (last.origin, last.test) == ("server", "download")
    assert last.connection_info is not None
    assert last.connection_info.server == f"127.0.0.1:{server.speedtest.port}"
    assert last.school_watch is not None
    kernel = Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text().split()
    assert last.school_watch.congestion_control in kernel
    assert (last.school_watch.congestion_control == "bbr") == ("bbr" in kernel)


def test_an_upload_is_what_the_kernel_received(server: Measuring) -> None:
    slot, sent, said = slot_of(server), 0, []
    with opened(slot.upload) as line, contextlib.suppress(ConnectionClosed):
        while True:
            line.send(bytes(1 << 16))
            sent += 1 << 16
            with contextlib.suppress(TimeoutError):
                message = line.recv(timeout=0)
                assert isinstance(message, str)
                said.append(ndt7.decode(message))
    info = said[-1].tcp_info
    assert info is not None
    assert 0 < (info.bytes_received or 0) <= sent * 1.01 + 4096


def test_a_token_is_good_once_each_way(server: Measuring) -> None:
    slot = slot_of(server)
    with opened(slot.download):
        assert refusal(slot.download) == 401
    download_after = refusal(slot.download)
    assert download_after == 401
    with opened(slot.upload):
        pass
    assert refusal(slot.upload) == 401


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 401),
        ("?access_token=", 401),
        ("?access_token=" + "x" * 43, 401),
        ("?" + "a=1&" * 1000 + "access_token=x", 401),
        ("?access_token=x&pad=" + "x" * ndt7.QUERY_MAX, 414),
    ],
)
def test_without_a_good_token_nobody_gets_in(server: Measuring, query: str, status: int) -> None:
    url = f"ws://127.0.0.1:{server.speedtest.port}{ndt7.PATHS['download']}{query}"
    assert refusal(url) == status


def test_a_handshake_that_is_refused_uses_nothing_up(server: Measuring) -> None:
    slot = slot_of(server)
    assert refusal(slot.download.replace("/download", "/sideload")) == 404
    assert refusal(slot.download, "chat") == 400
    assert refusal(slot.download + "&pad=" + "x" * ndt7.QUERY_MAX) == 414
    with opened(slot.download) as line:
        assert line.recv()


GARBAGE = {
    "nothing": b"\r\n\r\n",
    "random": os.urandom(5000),
    "not a websocket": b"GET /ndt/v7/download HTTP/1.1\r\nHost: x\r\n\r\n",
    "long line": b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
    "long header": b"GET / HTTP/1.1\r\nA: " + b"b" * 1_000_000 + b"\r\n\r\n",
    "post": b"POST /ndt/v7/upload HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000,
}


@pytest.mark.parametrize("case", GARBAGE)
def test_garbage_gets_a_refusal_and_no_more(server: Measuring, case: str) -> None:
    answer = raw(server, GARBAGE[case])
    assert b" 101 " not in answer
    assert len(answer) < 2000
    assert download(slot_of(server).download)[0] > 0  # others are served


def test_one_that_says_nothing_is_cut(server: Measuring) -> None:
    began = time.monotonic()
    assert raw(server, b"GET /ndt/v7/download HTTP/1.1\r\n", seconds=20) == b""
    assert time.monotonic() - began < 2 * ndt7.HANDSHAKE_SECONDS


def by_hand(slot: Slot, direction: str) -> socket.socket:
    """A connection past its handshake, without a client that behaves."""
    at = urlsplit(slot.download if direction == "download" else slot.upload)
    line = socket.create_connection((at.hostname, at.port), timeout=20)
    key = base64.b64encode(os.urandom(16)).decode()
    line.sendall(
        f"GET {at.path}?{at.query} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: {ndt7.SUBPROTOCOL}\r\n\r\n".encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += line.recv(1)
    assert b" 101 " in answer, answer
    return line


@pytest.mark.parametrize("direction", ["download", "upload"])
def test_a_client_that_neither_reads_nor_closes_is_cut(server: Measuring, direction: str) -> None:
    device = server.device()
    before = memory(server.process)
    with by_hand(server.leave(device), direction) as line:
        began = time.monotonic()
        if direction == "upload":
            time.sleep(SECONDS)
            line.sendall(b"\x82\x7f" + (1 << 23).to_bytes(8, "big"))  # begins a message and says no more
        wait_for(lambda: _is_closed(server), ndt7.CUT_SECONDS + 3)
        assert time.monotonic() - began <= ndt7.CUT_SECONDS + 2
        assert memory(server.process) - before < 30_000_000
    with pytest.raises(NoLeaveError) as caught:  # only for the other direction, which may still begin
        server.leave(device)
    assert caught.value.retry <= BEGIN_WITHIN + 1


def _is_closed(server: Measuring) -> bool:
    """No established connection at the endpoint's port (proc(5): state 01)."""
    port = f":{server.speedtest.port:04X} "
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return not any(port in line[:20] + " " and line.split()[3] == "01" for line in lines)


def test_a_message_that_is_too_big_is_refused_before_it_is_held(server: Measuring) -> None:
    before = memory(server.process)
    with by_hand(slot_of(server), "upload") as line:
        line.sendall(b"\x82\xff" + (1 << 40).to_bytes(8, "big") + b"mask")
        answer = b""
        with contextlib.suppress(ConnectionResetError, TimeoutError):
            while part := line.recv(65536):
                answer += part
    assert (1009).to_bytes(2, "big") in answer  # RFC 6455 §7.4.1: too big
    assert memory(server.process) - before < 10_000_000


def test_frames_that_break_the_rules_end_the_test_alone(server: Measuring) -> None:
    with by_hand(slot_of(server), "upload") as line:
        line.sendall(b"\xff" * 100)
        with contextlib.suppress(ConnectionResetError):
            while line.recv(65536):
                pass
    assert download(slot_of(server).download)[0] > 0


def test_connections_are_bounded(server: Measuring) -> None:
    before = memory(server.process)
    lines = []
    try:
        for _ in range(3 * CONNECTIONS_MAX):
            with contextlib.suppress(OSError):
                lines.append(socket.create_connection(("127.0.0.1", server.speedtest.port), timeout=5))
        wait_for(lambda: _open_files(server.process) < CONNECTIONS_MAX + 40)
        assert memory(server.process) - before < 30_000_000
    finally:
        for line in lines:
            line.close()
    wait_for(lambda: _open_files(server.process) < 40)
    assert download(slot_of(server).download)[0] > 0


def _open_files(process: "subprocess.Popen[bytes]") -> int:
    return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))


def test_no_log_names_a_token(server: Measuring) -> None:
    slot = slot_of(server)
    token = slot.download.partition("=")[2]
    download(slot.download)
    refusal(slot.download)
    assert token not in server.said
    assert len(server.said) < 1000


def test_with_a_certificate_it_speaks_tls_alone(
    tmp_path: Path, free_port: Callable[[], int], peer: Peer
) -> None:
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x"
    names = ("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(chain))
    subprocess.run([peer("openssl"), *words.split(), *names], check=True, capture_output=True)
    own = Speedtest(
        enabled=True, port=free_port(), tls_certificate=str(chain), tls_key=str(key), seconds=SECONDS
    )
    with Measuring(tmp_path / "data", own) as server:
        good = server.measure(server.device(), ca=str(chain))
        assert not good.skipped, good
        assert good.download is not None
        assert good.download.rate > 1e6
        untrusted = server.measure(server.device())
        assert untrusted.skipped == "unreachable"
        assert "certificate" in untrusted.detail
        assert b" 101 " not in raw(server, GARBAGE["not a websocket"])


def test_settings_that_cannot_serve_are_refused_by_name(tmp_path: Path, free_port: Callable[[], int]) -> None:
    (tmp_path / "cert.pem").write_text("no certificate")
    with pytest.raises(ConfigError, match=r"speedtest\.tls_certificate"):
        service.context(Speedtest(tls_certificate=str(tmp_path / "cert.pem")))
