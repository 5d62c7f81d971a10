"""A real Prometheus Alertmanager for tests, on loopback; and one that refuses or does not answer."""

import contextlib
import json
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from seriesprogram import SeriesProgram

LOGIN = "so-gddt", "a password: for @lerts"
_CONFIG = """
route: {receiver: nobody, group_wait: 1s, group_interval: 1s}
receivers: [{name: nobody}]
"""
_WEB = """
basic_auth_users:
  so-gddt: $2b$04$leS50.LiWWNA1Md6hZ8KJOZWvulZwU1TbZ3W7ZSrxHNe.oSDYGad6
"""
"""The digest is bcrypt's of the password of `LOGIN`, of the least cost."""


@dataclass
class RunningAlertmanager(SeriesProgram):
    """One `prometheus-alertmanager` on 127.0.0.1 that stands alone and tells nobody."""

    def start(self) -> None:
        """Starts it and waits until it answers; what it knew is gone when its folder was not kept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "alertmanager.yml").write_text(_CONFIG)
        words = [
            f"--config.file={self.folder}/alertmanager.yml",
            f"--storage.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]
        if self.auth:
            (self.folder / "web.yml").write_text(_WEB)
            words.append(f"--web.config.file={self.folder}/web.yml")
        self.run(*words, until="/-/ready")

    def alerts(self) -> dict[str, Any]:
        """Those that fire, by number of the incident (or by name)."""
        answer = self.client.get("/api/v2/alerts")
        assert answer.status_code == 200, answer.text
        return {
            one["labels"].get("incident", one["labels"]["alertname"]): one
            for one in json.loads(answer.content)
        }


class Answering(ThreadingHTTPServer):
    """Answers with a status, not for a while, or without an end; counts requests and alerts.

    One that `holds` answers nobody until that is set.
    """

    daemon_threads = True

    def __init__(self, status: int, seconds: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.seconds, self.asked, self.alerts = status, seconds, 0, 0
        self.firing: set[str] = set()
        """Numbers of the incidents that fire, by the last that was said of each."""
        self.is_endless, self.holds = False, threading.Event()
        self.holds.set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """As a channel has it."""
        return f"alertmanager://127.0.0.1:{self.server_address[1]}"

    def close(self) -> None:
        """Ends it; who waits for an answer is left."""
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked += 1
        alerts = json.loads(body)
        self.server.alerts += len(alerts)
        for one in alerts:
            number, ends = one["labels"].get("incident", ""), datetime.fromisoformat(one["endsAt"])
            is_over = ends <= datetime.now(UTC)
            (self.server.firing.discard if is_over else self.server.firing.add)(number)
        time.sleep(self.server.seconds)
        self.server.holds.wait()
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        with contextlib.suppress(OSError):
            while self.server.is_endless:
                self.wfile.write(b"x")
                time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        pass
