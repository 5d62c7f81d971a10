"""How long each panel of each dashboard takes: /influx/query beside InfluxDB and VictoriaMetrics, in one run.

    python benchmarks/panel_queries.py [--schools 1500] [--days 90] [--devices 4] [--times 20]
        [--engines influxdb,victoriametrics] [--folder DIR] [--jobs 2] [--fill-only]

Judged series of all schools, hourly, are simulated, with one school's raw week: no number says anything about
a school. Each panel is asked over HTTP with its default range and the interval that Grafana would choose.
Cold is the first round after a start with all files out of the system's cache; then come `--times` warm ones.
Real engines hold the fields that panels ask, which they keep by field anyway; each has as many points as
ours, or the benchmark ends.

A folder that is named is kept: the next run writes only what is new since, as the series of a new panel, and
measures. `--fill-only` ends before it measures, so that this can be done at another time, on a quiet machine.
`--engines ''` asks the embedded store alone.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from parts.panel_asking import Asked
from parts.panel_engines import embedded, real, serve
from parts.panel_world import made
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.grafana import DASHBOARDS
from schoolwatch_server.grafana.spec import Dashboard, Panel

GOAL = 0.300
"""Seconds in which 95 of 100 answers of each panel are there."""


def percentile(taken: Sequence[float], share: float) -> float:
    """The value that so many are not above."""
    return sorted(taken)[min(len(taken) - 1, int(share * len(taken)))]


def told(panels: Sequence[tuple[str, Panel, Dashboard]], found: Sequence[Asked]) -> int:
    """Prints all of it in ms; gives how many panels miss the goal."""
    print(f"\n{'ms: p50 / p95 / cold':64}" + "".join(f"{one.name:>26}" for one in found))
    for key, _, _ in panels:
        cells = (
            f"{statistics.median(one.warm[key]) * 1e3:8.1f}{percentile(one.warm[key], 0.95) * 1e3:8.1f}"
            f"{one.cold[key] * 1e3:8.1f}{'∅ ' if key in one.empty else '  '}"
            for one in found
        )
        print(f"{key[:64]:64}" + "".join(cells))
    print("\np95 of all answers, slowest p95 of a panel, sum of medians in ms; panels without data (∅)")
    for one in found:
        every = percentile([seconds for taken in one.warm.values() for seconds in taken], 0.95)
        slowest = max(one.warm, key=lambda key: percentile(one.warm[key], 0.95))
        print(
            f"{one.name:16}{every * 1e3:8.1f}{percentile(one.warm[slowest], 0.95) * 1e3:8.1f}"
            f"{sum(statistics.median(taken) for taken in one.warm.values()) * 1e3:10.0f}{len(one.empty):5}"
            f"   slowest: {slowest}"
        )
    ours = found[0]
    missed = [key for key in ours.warm if percentile(ours.warm[key], 0.95) > GOAL]
    print(f"goal: each panel in {GOAL * 1e3:.0f} ms at p95: {'met' if not missed else f'MISSED by {missed}'}")
    for other in found[1:]:
        behind = [
            key for key in ours.warm if statistics.median(ours.warm[key]) > statistics.median(other.warm[key])
        ]
        print(
            f"medians at or ahead of {other.name}: {len(ours.warm) - len(behind)} of {len(ours.warm)} panels"
        )
    return len(missed)


def main() -> int:
    """Makes, measures, and says whether the goal was met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--schools", type=int, default=1500)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--devices", type=int, default=4)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--engines", default="influxdb,victoriametrics")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--jobs", type=int, default=2, help="processes that fill an engine")
    parser.add_argument("--fill-only", action="store_true")
    parser.add_argument("--serve", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.folder, options.serve)
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        (folder / "server").mkdir(parents=True, exist_ok=True)
        config = ServerConfig(data=str(folder / "server"))
        world = made(config, options.schools, options.devices, options.days)
        print(f"SIMULATED: {world.points:,} judged points of {world.days} days", flush=True)
        names = [name for name in options.engines.split(",") if name]
        found = [
            embedded(config, world),
            *(real(name, folder / name, config, world, options.jobs) for name in names),
        ]
        if options.fill_only:
            return 0
        panels = [
            (f"{one.uid.removeprefix('schoolwatch-')} {row.title.en}: {panel.title.en}", panel, one)
            for one in DASHBOARDS for row in one.rows for panel in row.panels
        ]  # fmt: skip
        try:
            for one in found:
                one.measure(panels, options.times)
        finally:
            for one in found:
                one.stop()
        return 1 if told(panels, found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
