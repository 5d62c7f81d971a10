"""A real HTTP server on 127.0.0.1 that takes webhooks and pushes to phones, or refuses them."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Webhook:
    """`received` is every message that was answered with 200, `keys` their ids; `status` is what it answers.

    It answers after `slow` seconds; `begun` counts requests from their first line on.
    """

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.refused = 0
        self.begun = 0
        self.status = 200
        self.slow = 0.0
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                webhook.begun += 1
                said = self.rfile.read(int(self.headers["Content-Length"]))
                if len(said) < int(self.headers["Content-Length"]):
                    return  # who sent it was killed before its end
                body = json.loads(said)
                status = webhook.status
                if status == 200:
                    webhook.received.append(body)
                    webhook.keys.append(self.headers.get("Idempotency-Key", ""))
                else:
                    webhook.refused += 1
                time.sleep(webhook.slow)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"json://127.0.0.1:{self._server.server_port}/hook-s3cret"
        self.phone = f"ntfy://127.0.0.1:{self._server.server_port}/s3cret"
        """The same as a service that shows people what comes and knows no ids."""

    @property
    def titles(self) -> list[str]:
        """The title of each message, in order."""
        return [message["title"] for message in self.received]

    @property
    def of_incidents(self) -> list[dict[str, Any]]:
        """Without what a day of the calendar adds: reminders of reports, Monday's message of what waits."""
        return [message for message in self.received if message["title"].startswith("[SchoolWatch] ")]

    def close(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def eventually(met: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether something comes true within so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if met():
            return True
        time.sleep(0.05)
    return met()
