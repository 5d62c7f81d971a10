"""A real VictoriaMetrics for tests: started on loopback, written to, asked, killed, started again, ended."""

import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx

from schoolwatch_server.grafana import promql

FLAGS = ("-dedup.minScrapeInterval=1ms", "-retentionPeriod=100y", "-search.latencyOffset=1ms")
"""As docs/operating.md has them, but for how long points are kept."""

ADDED = dict(parse_qsl(promql.PARAMETERS))
"""What Grafana adds to each question."""


@dataclass
class RunningVictoriaMetrics:
    """One `victoria-metrics` on 127.0.0.1."""

    program: Path
    folder: Path
    port: int
    flags: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = None
    _client: httpx.Client = field(init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it, with what the folder holds from before, and waits until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        place = (f"-storageDataPath={self.folder}/data", f"-httpListenAddr=127.0.0.1:{self.port}")
        with (self.folder / "log").open("ab") as log:
            command = [str(self.program), *place, *FLAGS, *self.flags]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self._client = httpx.Client(timeout=120)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            with contextlib.suppress(httpx.TransportError):
                if self._client.get(f"{self.url}/health").status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError("VictoriaMetrics does not answer")

    def stop(self) -> None:
        """Ends it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._client.close()

    def write(self, lines: str) -> None:
        """Writes line protocol, instants in ns; afterwards all of it is found."""
        answer = self._client.post(f"{self.url}/write", content=lines.encode())
        assert answer.status_code == 204, answer.text
        self.flush()

    def flush(self) -> None:
        """All that was written is found from now on."""
        self._client.get(f"{self.url}/internal/force_flush").raise_for_status()

    def ask(self, path: str, **said: str) -> Any:
        """The `data` of what it answers at `/api/v1/…`, as a Grafana asks that we set up."""
        answer = self._client.post(f"{self.url}/api/v1/{path}", data={**ADDED, **said})
        assert answer.status_code == 200, answer.text
        return json.loads(answer.content)["data"]


@contextlib.contextmanager
def holding(
    program: Path, folder: Path, free_port: Callable[[], int], lines: Iterable[str]
) -> Iterator[RunningVictoriaMetrics]:
    """One that holds these lines, until it is not needed any more."""
    running = RunningVictoriaMetrics(program, folder, free_port())
    try:
        running.start()
        running.write("\n".join(lines))
        yield running
    finally:
        running.stop()
