"""How one panel is asked of an engine, with its default range and the interval that Grafana would choose."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from influxdb import DATABASE
from panels_world import expanded, expanded_in_promql
from parts.panel_world import World
from schoolwatch_server.grafana import influxql, promql
from schoolwatch_server.grafana.spec import Dashboard, Panel
from schoolwatch_server.influxql.instant import duration
from victoriametrics import ADDED

INTERVALS: Final = ("1m", "2m", "5m", "10m", "15m", "20m", "30m", "1h", "2h", "3h", "6h", "12h", "1d")


@dataclass
class Asked:
    """One engine: how it is asked a panel, and how it starts anew without anything in the cache."""

    name: str
    folder: Path
    ask: Callable[[httpx.Client, Panel, Dashboard], bool]
    start: Callable[[], None]
    stop: Callable[[], None]
    headers: dict[str, str] = field(default_factory=dict)
    cold: dict[str, float] = field(default_factory=dict)
    warm: dict[str, list[float]] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)

    def measure(self, panels: Sequence[tuple[str, Panel, Dashboard]], times: int) -> None:
        """Fills in what each panel took."""
        self.stop()
        evict(self.folder)
        self.start()
        with httpx.Client(headers=self.headers, timeout=120, trust_env=False) as client:
            self.cold = {key: self._timed(client, *one) for key, *one in panels}
            self.warm = {key: [] for key, *_ in panels}
            for _ in range(times):
                for key, *one in panels:
                    self.warm[key].append(self._timed(client, *one))
            self.empty = [key for key, *one in panels if not self.ask(client, *one)]
        self.stop()

    def _timed(self, client: httpx.Client, panel: Panel, dashboard: Dashboard) -> float:
        began = time.perf_counter()
        self.ask(client, panel, dashboard)
        return time.perf_counter() - began


def evict(folder: Path) -> None:
    """Takes a folder's files out of the system's cache."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def range_of(panel: Panel, dashboard: Dashboard, end: float) -> tuple[int, int, str]:
    """From and to in ms, and the interval that Grafana chooses for a graph of that width on a wide screen."""
    seconds = duration(panel.newest) / 1e9 if panel.newest else dashboard.days * 86_400
    least = max(seconds / (panel.width * 60), duration(panel.interval or "1m") / 1e9)
    interval = next(one for one in (*INTERVALS, "") if not one or duration(one) / 1e9 >= least) or "1d"
    return int((end - seconds) * 1000), int(end * 1000), interval


def in_influxql(url: str, world: World) -> Callable[[httpx.Client, Panel, Dashboard], bool]:
    """Whether each of its queries has an answer with something in it."""

    def ask(client: httpx.Client, panel: Panel, dashboard: Dashboard) -> bool:
        start, end, interval = range_of(panel, dashboard, world.end)
        is_full = True
        for query in panel.queries:
            asked = expanded(influxql.query(query), world.chosen, start, end, interval)
            answer = client.post(url, data={"q": asked, "epoch": "ms", "db": DATABASE})
            answer.raise_for_status()
            is_full &= b'"series"' in answer.content
            assert b'"error"' not in answer.content, answer.text[:500]
        return is_full

    return ask


def in_promql(url: str, world: World) -> Callable[[httpx.Client, Panel, Dashboard], bool]:
    """The same of VictoriaMetrics."""

    def ask(client: httpx.Client, panel: Panel, dashboard: Dashboard) -> bool:
        start, end, interval = range_of(panel, dashboard, world.end)
        is_full = True
        for query in panel.queries:
            asked = expanded_in_promql(promql.query(query), world.chosen, end - start, interval)
            said = {**ADDED, "query": asked}
            if query.is_over_time:
                step = duration(interval) // 1_000_000_000
                zone = 7 * 3600
                first, last = ((at // 1000 + zone) // step * step - zone for at in (start, end))
                path, said = "query_range", said | {"start": str(first), "end": str(last), "step": str(step)}
            else:
                path, said = "query", said | {"time": str(end / 1000)}
            answer = client.post(f"{url}/api/v1/{path}", data=said)
            answer.raise_for_status()
            is_full &= b'"result":[]' not in answer.content
        return is_full

    return ask
