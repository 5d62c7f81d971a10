"""A real InfluxDB 1.x for tests: started on loopback, written to, asked, ended."""

import contextlib
import itertools
import json
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

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
[monitor]
  store-enabled = false
[subscriber]
  enabled = false
"""


@dataclass
class RunningInfluxDB:
    """One `influxd` on 127.0.0.1 with an empty database."""

    program: Path
    folder: Path
    port: int
    rpc: int
    _process: subprocess.Popen[bytes] | None = None
    _client: httpx.Client = field(init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "influxdb.conf"
        config.write_text(_CONFIG.format(folder=self.folder, port=self.port, rpc=self.rpc))
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self.program), "-config", str(config)], stdout=log, stderr=log
            )
        self._client = httpx.Client(timeout=120)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            with contextlib.suppress(httpx.TransportError):
                if self._client.get(f"{self.url}/ping").status_code == 204:
                    break
            time.sleep(0.05)
        else:
            raise AssertionError("InfluxDB does not answer")
        self._client.post(f"{self.url}/query", data={"q": f"CREATE DATABASE {DATABASE}"}).raise_for_status()

    def stop(self) -> None:
        """Ends it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._client.close()

    def write(self, lines: str) -> None:
        """Writes line protocol; instants in ns."""
        answer = self._client.post(f"{self.url}/write", params={"db": DATABASE}, content=lines.encode())
        assert answer.status_code == 204, answer.text

    def ask(self, query: str, epoch: str = "ns") -> dict[str, Any]:
        """What it answers."""
        answer = self._client.post(
            f"{self.url}/query",
            params={"db": DATABASE, **({"epoch": epoch} if epoch else {})},
            data={"q": query},
        )
        found: dict[str, Any] = json.loads(answer.content)
        return found


@contextlib.contextmanager
def holding(
    program: Path, folder: Path, free_port: Callable[[], int], lines: Iterable[str]
) -> Iterator[RunningInfluxDB]:
    """One that holds these lines, until it is not needed any more."""
    running = RunningInfluxDB(program, folder, free_port(), free_port())
    try:
        running.start()
        whole = iter(lines)
        while part := list(itertools.islice(whole, _TOGETHER)):
            running.write("\n".join(part))
        yield running
    finally:
        running.stop()
