"""A real VictoriaMetrics for tests: started on loopback, written to, asked, killed, started again, ended."""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from schoolwatch_server.grafana import promql
from seriesprogram import SeriesProgram

FLAGS = ("-dedup.minScrapeInterval=1ms", "-retentionPeriod=100y", "-search.latencyOffset=1ms")
"""As docs/operating.md has them, but for how long points are kept."""

ADDED = dict(parse_qsl(promql.PARAMETERS))
"""What Grafana adds to each question."""


@dataclass
class RunningVictoriaMetrics(SeriesProgram):
    """One `victoria-metrics` on 127.0.0.1."""

    flags: tuple[str, ...] = ()

    def start(self) -> None:
        """Starts it, with what the folder holds from before, and waits until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        place = (f"-storageDataPath={self.folder}/data", f"-httpListenAddr=127.0.0.1:{self.port}")
        self.run(*place, *FLAGS, *self.flags, until="/health")

    def write(self, lines: str) -> None:
        """Writes line protocol, instants in ns; afterwards all of it is found."""
        answer = self.client.post("/write", content=lines.encode())
        assert answer.status_code == 204, answer.text
        self.flush()

    def flush(self) -> None:
        """All that was written is found from now on."""
        self.client.get("/internal/force_flush").raise_for_status()

    def ask(self, path: str, **said: str) -> Any:
        """The `data` of what it answers at `/api/v1/…`, as a Grafana asks that we set up."""
        answer = self.client.post(f"/api/v1/{path}", data={**ADDED, **said})
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
