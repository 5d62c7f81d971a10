"""The child process of a test: what speaks against a test is an outcome with its reason, never a stack."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from schoolwatch_agent import lock
from schoolwatch_agent.bandwidth import __main__ as child
from schoolwatch_agent.bandwidth import leave
from schoolwatch_agent.bandwidth.leave import NoLeaveError
from schoolwatch_agent.bandwidth.order import Order, Outcome, Task, decode_outcome, encode
from schoolwatch_agent.identity import Broker, Credential, write_credential
from schoolwatch_contract import slot

DEVICE = Credential("ab" * 16, "5c" * 32, "p", Broker("127.0.0.1", 1))
CHALLENGE = {"WWW-Authenticate": slot.challenge("1-a-b")}
REST = b', "begin_within": 1, "rate": 1, "assumed": true}'
Answer = tuple[int, dict[str, str], bytes]


def task(folder: Path, url: str = "http://127.0.0.1:9") -> Task:
    return Task(Order(url, 4, 10**9), str(folder))


@contextmanager
def server(*answers: Answer) -> Iterator[str]:
    """Answers one after the other, the last one from then on; its address."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, headers, body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}"
        finally:
            listening.shutdown()
            thread.join()


def refusal(*answers: Answer) -> NoLeaveError:
    with server(*answers) as url, pytest.raises(NoLeaveError) as caught:
        leave.ask(url, DEVICE)
    return caught.value


def test_a_machine_that_is_not_enrolled_says_so(tmp_path: Path) -> None:
    assert child.run(task(tmp_path)).skipped == "not_enrolled"
    (tmp_path / "credential.json").write_text("{damaged")
    assert child.run(task(tmp_path)).skipped == "not_enrolled"


def test_two_tests_on_one_machine_are_one_too_many(tmp_path: Path) -> None:
    write_credential(tmp_path, DEVICE)
    with lock.held(tmp_path / child.FOLDER) as ours:
        assert ours
        assert child.run(task(tmp_path)).skipped == "locked"


def test_without_the_extra_the_child_says_so(tmp_path: Path) -> None:
    write_credential(tmp_path, DEVICE)
    without = "import sys; sys.modules['websockets'] = None\n"
    code = f"{without}from schoolwatch_agent.bandwidth.__main__ import main\nsys.exit(main())"
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, input=encode(task(tmp_path)), capture_output=True, text=True, check=True)
    assert decode_outcome(done.stdout).skipped == "not_installed"


def test_what_is_no_task_ends_the_child_with_one_reason() -> None:
    words = [sys.executable, "-m", "schoolwatch_agent.bandwidth"]
    done = subprocess.run(words, input="{}", capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stdout == ""


def test_the_key_is_in_no_answer(tmp_path: Path) -> None:
    write_credential(tmp_path, DEVICE)
    with server((500, {}, b"no")) as url:
        outcome: Outcome = child.run(task(tmp_path, url))
    assert DEVICE.key not in encode(outcome)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((404, {}, b""), "no_server"),
        ((500, {}, b"\xff\xfe"), "unreachable"),
        ((403, {}, b""), "refused"),
        ((200, {}, b"<html>a portal</html>"), "not_itself"),
        ((302, {"Location": "http://127.0.0.1:9/"}, b""), "not_itself"),
        ((407, {"Proxy-Authenticate": "Basic realm=x"}, b""), "not_itself"),
        ((511, {}, b"<html>sign in</html>"), "not_itself"),
        ((401, {"WWW-Authenticate": "Basic realm=x"}, b""), "no_server"),
        ((401, {}, b""), "no_server"),
    ],
)
def test_another_server_is_told_from_ours(answer: Answer, why: str) -> None:
    assert refusal(answer).why == why


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b'{"download": "http://x", "upload": "ws://x", "seconds": 10' + REST,
        b'{"download": "ws://x", "upload": "ws://x", "seconds": 9e9' + REST,
        b'{"download": "' + b"w" * 1_000_000,
    ],
)
def test_what_is_no_slot_is_no_server(body: bytes) -> None:
    assert refusal((401, CHALLENGE, b""), (201, {}, body)).why == "no_server"


def test_a_refusal_tells_its_reason_and_when_to_ask_again() -> None:
    problem = b'{"detail": "another test of this school\'s line is running"}'
    busy = refusal((401, CHALLENGE, b""), (409, {"Retry-After": "17"}, problem))
    assert (busy.why, busy.retry) == ("line_busy", 17.0)
    assert "another test" in busy.detail
    full = refusal((401, CHALLENGE, b""), (503, {"Retry-After": "999999999"}, b""))
    assert (full.why, full.retry) == ("server_full", leave.RETRY_MAX)
    odd = refusal((401, CHALLENGE, b""), (409, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, b""))
    assert odd.retry == 0.0
