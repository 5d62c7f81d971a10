"""A rule on real engines, where series bear names: of who went or is called otherwise nothing old holds."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import influxdb
import victoriametrics
from conftest import Peer
from grafana_expressions import Series, in_influxql, reckoned
from schoolwatch_server import packs
from schoolwatch_server.grafana import alerts
from schoolwatch_server.influxql.instant import nanoseconds
from schoolwatch_server.store.lines import judged_line
from schoolwatch_server.store.series import ENDED, Judged

NOW = 1_790_000_000.0
DAY, HOUR = 86400, 3600
(RULE,) = (
    one for one in alerts.rules(packs.load(), date(2026, 11, 30)) if one.uid == "schoolwatch-digital_records"
)
FOUND = {"Xã Rơi": 1.0, "Xã Tên mới": 1.0, "Xã Tốt": 0.0}
"""A commune that fell below the target, one that was renamed afterwards, and one that is fine."""


def told(commune: int, name: str, ago: float, *numbers: float | None) -> str:
    its = {"commune": str(commune), "commune_name": name, "province": "1", "province_name": "Tỉnh"}
    row = Judged(
        "indicator", {"indicator": "digital_records", "level": "commune", **its}, NOW - ago, *numbers
    )
    line = judged_line(row, row.tags, nanoseconds(row.at))
    assert line is not None
    return line


LINES = [
    *(
        told(n, name, 9 * DAY, 0.9, 9.0, 10.0, 0.9)
        for n, name in enumerate(("Xã Rơi", "Xã Sáp nhập", "Xã Cũ"))
    ),
    *(told(n, name, HOUR, 0.4, 4.0, 10.0, 0.9) for n, name in enumerate(("Xã Rơi", "Xã Sáp nhập", "Xã Cũ"))),
    told(3, "Xã Tốt", HOUR, 0.9, 9.0, 10.0, 0.9),
    told(4, "Xã Không rõ", 9 * DAY, 0.9, 9.0, 10.0, 0.9),
    told(4, "Xã Không rõ", HOUR, 0.4, 4.0, 10.0, 0.9),
    told(4, "Xã Không rõ", 60, None, None, None, 0.0),
    told(1, "Xã Sáp nhập", 60, *ENDED),
    told(2, "Xã Cũ", HOUR - 1, *ENDED),
    told(2, "Xã Tên mới", HOUR - 2, 0.4, 4.0, 10.0, 0.9),
]


def test_in_influxql(peer: Peer, free_port: Callable[[], int], tmp_path: Path) -> None:
    with influxdb.holding(peer("influxd"), tmp_path / "influxdb", free_port, LINES) as running:
        values = reckoned(RULE, "influxql", NOW, in_influxql(running.ask))
    known = {dict(tags)["commune_name"]: value for tags, value in values.items() if value is not None}
    assert known == FOUND


def test_in_promql(peer: Peer, free_port: Callable[[], int], tmp_path: Path) -> None:
    program = peer("victoria-metrics")
    with victoriametrics.holding(program, tmp_path / "victoriametrics", free_port, LINES) as running:

        def ask(query: str, start: float, end: float) -> Series:
            found = running.ask("query_range", query=query, start=str(start), end=str(end), step="60")
            return {
                frozenset(one["metric"].items()): {at: float(value) for at, value in one["values"]}
                for one in found["result"]
            }

        values = reckoned(RULE, "promql", NOW + 600, ask)
    assert {dict(tags)["commune_name"]: value for tags, value in values.items()} == FOUND
