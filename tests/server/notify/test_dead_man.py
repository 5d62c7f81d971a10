"""The sign of life is given while rules are evaluated, and not when they are not."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reports import NOW, World
from schoolwatch_server import dead_man, incidents
from schoolwatch_server.database import duty_rows, journal
from schoolwatch_server.database import incidents as kept
from schoolwatch_server.database.engine import begin_read, begin_write


class Outside:
    """A server of signs: how many came, and what it answers."""

    def __init__(self) -> None:
        self.came, self.status, self.is_endless, self.said = 0, 200, False, 0
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outside.came += 1
                self.send_response(outside.status)
                self.end_headers()
                with contextlib.suppress(OSError):
                    while outside.is_endless:
                        outside.said += self.wfile.write(b"x" * 100_000)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/ping/s3cret"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def outside() -> Iterator[Outside]:
    server = Outside()
    yield server
    server.close()


def evaluated(world: World, at: float) -> None:
    with begin_write(world.engine) as conn:
        journal.create_cursor(conn, incidents.CURSOR, at)
        kept.touch_cursor(conn, incidents.CURSOR, at)


def error(world: World) -> str:
    with begin_read(world.engine) as conn:
        return duty_rows.settings(conn).ping_error


def test_it_is_given_each_interval_while_rules_are_evaluated(world: World, outside: Outside) -> None:
    assert not dead_man.look(world.engine, NOW)
    dead_man.set_url(world.engine, outside.url, 60, "lan", NOW)
    evaluated(world, NOW)
    assert [dead_man.look(world.engine, NOW + second) for second in (0, 59, 60)] == [True, False, True]
    assert outside.came == 2


def test_an_answer_without_an_end_is_not_read(outside: Outside) -> None:
    outside.is_endless = True
    asking = threading.Thread(target=dead_man.ping, args=(outside.url,), daemon=True)
    asking.start()
    asking.join(20)
    outside.is_endless = False
    assert not asking.is_alive()
    assert outside.said < 20_000_000


def test_a_server_that_judges_nothing_keeps_silent(world: World, outside: Outside) -> None:
    dead_man.set_url(world.engine, outside.url, 60, "lan", NOW)
    evaluated(world, NOW - 120)
    assert not dead_man.look(world.engine, NOW)
    assert outside.came == 0
    assert error(world) == "rules are not evaluated"
    evaluated(world, NOW + 60)
    assert dead_man.look(world.engine, NOW + 60)
    assert error(world) == ""


def test_an_answer_that_is_no_yes_is_told_without_the_address(world: World, outside: Outside) -> None:
    dead_man.set_url(world.engine, outside.url, 60, "lan", NOW)
    evaluated(world, NOW)
    outside.status = 404
    assert not dead_man.look(world.engine, NOW)
    assert error(world) == "answered 404"
    assert dead_man.ping("http://127.0.0.1:1/s3cret").startswith("no answer")
    for file in world.folder.glob("*.db*"):
        assert b"s3cret" not in file.read_bytes()


@pytest.mark.parametrize("url", ["ftp://x/y", "nothing", "http://", "http://a b", "file:///etc/passwd"])
def test_only_addresses_of_web_servers_are_taken(url: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        dead_man.check(url)
