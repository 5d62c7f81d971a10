"""What a service answers to a message: another address is no delivery, and a long answer fills no memory."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from schoolwatch_server import channels

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
