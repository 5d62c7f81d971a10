"""What a service answers to a message: another address is no delivery, and a long answer fills no memory."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from schoolwatch_server import channels, short_answers

HUGE = 64_000_000


class Service:
    """Answers to each POST with `status`, `location` and so many bytes; `asked` are the requests' paths."""

    def __init__(self) -> None:
        self.status, self.location, self.length = 200, "", 0
        self.asked: list[str] = []
        self.sent = 0
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                service.asked.append(f"{self.command} {self.path}")
                self.send_response(service.status if self.path.startswith("/hook") else 200)
                if service.location:
                    self.send_header("Location", service.location)
                self.send_header("Content-Length", str(service.length))
                self.end_headers()
                with contextlib.suppress(OSError):
                    while service.sent < service.length:
                        service.sent += self.wfile.write(b"x" * 1_000_000)

            do_GET = do_POST  # noqa: N815  the library's name

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"json://127.0.0.1:{self._server.server_port}/hook"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


@pytest.mark.parametrize(("status", "more"), [(302, ""), (307, "?redirect=yes")])
def test_who_points_elsewhere_has_not_taken_it(service: Service, status: int, more: str) -> None:
    service.status, service.location = status, "/inner/page"
    assert channels.deliver(service.url + more, "tiêu đề", "nội dung") == f"answered {status}"
    assert service.asked == ["POST /hook"], "nobody is asked whom the department did not choose"


def test_an_answer_is_read_to_a_limit_and_counts_by_its_status(service: Service) -> None:
    service.length = HUGE
    assert channels.deliver(service.url, "tiêu đề", "nội dung") == ""
    assert service.sent < HUGE / 2, "the line was cut long before the answer's end"
    service.status, service.sent = 503, 0
    assert channels.deliver(service.url, "tiêu đề", "nội dung") == "answered 503"


class Cutter:
    """Takes what is handed to it whole, answers with `answer`, and cuts the line, or goes on with `drop`."""

    def __init__(self, answer: bytes = b"", mail: bytes = b"", drop: bytes = b"") -> None:
        self._answer, self._mail, self._drop = answer, mail, drop
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._listening.accept()
                with line, line.makefile("rwb", buffering=0) as file, contextlib.suppress(OSError):
                    self._mails(file) if self._mail else self._asked(line)
                    while self._drop:
                        file.write(self._drop)
                        time.sleep(0.05)

    def _asked(self, line: socket.socket) -> None:
        said = line.recv(65_536)
        head, _, body = said.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += line.recv(65_536)
        line.sendall(self._answer)

    def _mails(self, file: socket.SocketIO) -> None:
        file.write(b"220 here\r\n")
        is_mail = False
        for said in file:
            if is_mail and said != b".\r\n":
                continue
            if is_mail:
                file.write(self._answer)
                return
            is_mail = said.upper().startswith(b"DATA") and self._mail.startswith(b"354")
            file.write(self._mail if said.upper().startswith(b"DATA") else b"250 fine\r\n")

    def close(self) -> None:
        self._listening.close()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab"])
def test_a_line_that_is_cut_before_the_answers_end_leaves_it_open_whether_it_came(answer: bytes) -> None:
    cutter = Cutter(answer)
    try:
        told = channels.deliver(f"ntfy://127.0.0.1:{cutter.port}/topic", "title", "body")
    finally:
        cutter.close()
    assert told == short_answers.UNANSWERED


@pytest.mark.parametrize(
    ("answer", "mail", "fate"),
    [
        (b"", b"354 go on\r\n", short_answers.UNANSWERED),
        (b"", b"451 not now\r\n", "no answer"),
        (b"554 refused\r\n", b"354 go on\r\n", "no answer"),
    ],
)
def test_a_mail_server_that_ends_after_the_mail_leaves_it_open_whether_it_came(
    answer: bytes, mail: bytes, fate: str
) -> None:
    cutter = Cutter(answer, mail)
    host = f"127.0.0.1:{cutter.port}"
    query = "smtp=127.0.0.1&from=a@school.vn&to=b@school.vn&mode=insecure"
    try:
        told = channels.deliver(f"mailto://{host}?{query}", "title", "body", "ab" * 16)
    finally:
        cutter.close()
    assert told == fate


@pytest.mark.parametrize(
    ("answer", "mail", "fate"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"", short_answers.UNANSWERED),
        (b"HTTP/1.1 2", b"", short_answers.UNANSWERED),
        (b"2", b"354 go on\r\n", short_answers.UNANSWERED),
    ],
)
def test_who_says_a_byte_at_a_time_is_not_listened_to_for_ever(
    answer: bytes, mail: bytes, fate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes in time, and there is no end of them."""
    monkeypatch.setattr(short_answers, "LONGEST", 0.8)
    cutter = Cutter(answer, mail, drop=b"0")
    host = f"127.0.0.1:{cutter.port}"
    query = "smtp=127.0.0.1&from=a@school.vn&to=b@school.vn&mode=insecure"
    address = f"mailto://{host}?{query}" if mail else f"ntfy://{host}/topic"
    told: list[str] = []
    telling = threading.Thread(
        target=lambda: told.append(channels.deliver(address, "title", "body", "ab" * 16)), daemon=True
    )
    telling.start()
    telling.join(30)
    cutter.close()
    assert told == [fate]


def test_who_is_not_there_has_taken_nothing() -> None:
    assert channels.deliver("ntfy://127.0.0.1:1/topic", "title", "body") == "no answer"
