"""A real InfluxDB 1.x for tests: started on loopback, written to, asked, ended."""

import contextlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from seriesprogram import SeriesProgram

DATABASE = "schoolwatch"

_TOGETHER = 20_000
"""Lines in one request."""

_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  max-row-limit = 0
  max-body-size = {body}
[monitor]
  store-enabled = false
[subscriber]
  enabled = false
"""


@dataclass
class RunningInfluxDB(SeriesProgram):
    """One `influxd` on 127.0.0.1 with an empty database."""

    rpc: int
    body: int = 25_000_000
    """Bytes of a request that it takes; this many where nobody sets it otherwise."""

    def start(self) -> None:
        """Starts it and waits until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "influxdb.conf"
        config.write_text(_CONFIG.format(folder=self.folder, port=self.port, rpc=self.rpc, body=self.body))
        self.run("-config", str(config), until="/ping")
        self.client.post("/query", data={"q": f"CREATE DATABASE {DATABASE}"}).raise_for_status()

    def write(self, lines: str) -> None:
        """Writes line protocol; instants in ns."""
        answer = self.client.post("/write", params={"db": DATABASE}, content=lines.encode())
        assert answer.status_code == 204, answer.text

    def ask(self, query: str, epoch: str = "ns") -> dict[str, Any]:
        """What it answers."""
        answer = self.client.post(
            "/query",
            params={"db": DATABASE, **({"epoch": epoch} if epoch else {})},
            data={"q": query},
        )
        found: dict[str, Any] = json.loads(answer.content)
        return found

    def write_all(self, lines: Iterable[str]) -> None:
        """Writes them in parts, over a connection of its own: another process may do it."""
        whole = iter(lines)
        with httpx.Client(base_url=self.url, timeout=120) as client:
            while part := list(itertools.islice(whole, _TOGETHER)):
                answer = client.post("/write", params={"db": DATABASE}, content="\n".join(part).encode())
                assert answer.status_code == 204, answer.text


@contextlib.contextmanager
def holding(
    program: Path, folder: Path, free_port: Callable[[], int], lines: Iterable[str] = ()
) -> Iterator[RunningInfluxDB]:
    """One that holds these lines, until it is not needed any more."""
    running = RunningInfluxDB(program, folder, free_port(), free_port())
    try:
        running.start()
        running.write_all(lines)
        yield running
    finally:
        running.stop()
