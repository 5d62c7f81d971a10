"""Judged series of a simulated province, made by the database itself: 100 million points in minutes.

They lie as the product's own write leaves them, but series by series rather than hour by hour.
"""

import itertools
import json
import random
from collections.abc import Container, Iterator, Mapping

from sqlalchemy import Connection, func, insert, select, text

from panels_world import judged_of
from schoolwatch_server.database import judged
from schoolwatch_server.database import tables as t
from schoolwatch_server.grafana.marks import INCIDENT_OPENED
from schoolwatch_server.indicators.stored import MEASUREMENT
from schoolwatch_server.store.series import Judged

HOUR, DAY = 3600, 86_400
_TOGETHER = 1000

_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode

_POINTS = text(
    """
    INSERT INTO judged (series_id, at, value, numerator, denominator, coverage, pack)
    WITH RECURSIVE step(h) AS (SELECT 0 UNION ALL SELECT h + 1 FROM step WHERE h + 1 < :steps)
    SELECT s.id, :start + h * :every, n / 50.0, n, 50.0, 0.5 + (s.id * 31 + h / 24) % 50 / 100.0, 'simulated'
    FROM (
        SELECT s.id, h, (s.id * 7919 + h / 5 * (1 + s.id % 7)) % 51 + 0.0 AS n
        FROM judged_series AS s CROSS JOIN step WHERE s.id >= :first AND s.id < :last
    ) AS s ORDER BY s.id, h
    """
)
"""A count of 50 that changes every fifth time, what is told of it, and its share."""


def places(conn: Connection) -> Iterator[dict[str, str]]:
    """The tags of every province, commune and school."""
    for province in conn.scalars(select(t.province.c.id)).all():
        yield {"level": "province", "province": str(province)}
    above: dict[int, dict[str, str]] = {}
    for commune, province in conn.execute(select(t.commune.c.id, t.commune.c.province_id)).all():
        above[commune] = {"province": str(province), "commune": str(commune)}
        yield {"level": "commune", **above[commune]}
    for school, commune in conn.execute(select(t.school.c.id, t.school.c.commune_id)).all():
        yield {"level": "school", "school": str(school), **above[commune]}


def fill(
    conn: Connection, start: float, days: int, but: Container[str] = ()
) -> Iterator[tuple[int, int, float]]:
    """The series of all measurements but some; gives first and last + 1 id of those to fill, and how often.

    How often: seconds between two points.

    Indicators are hourly, and all of the province and the server; of communes and schools what else is judged
    is daily. Two incidents open at each place.
    """
    made: dict[tuple[str, str], bool] = {}
    opened: list[Judged] = []
    for row in judged_of(list(places(conn)), start, 1, random.Random(3)):
        if row.measurement in but:
            continue
        if row.measurement == INCIDENT_OPENED:
            opened.append(row)
        else:
            made[row.measurement, _ENCODE(dict(row.tags))] = _is_hourly(row.measurement, row.tags)
    first = 1 + (conn.scalar(select(func.max(t.judged_series.c.id))) or 0)
    for is_hourly in (True, False):
        rows = [
            {"measurement": name, "tags": tags} for (name, tags), each in made.items() if each is is_hourly
        ]
        if rows:
            conn.execute(insert(t.judged_series), rows)
        for begin in range(first, first + len(rows), _TOGETHER):
            end = min(begin + _TOGETHER, first + len(rows))
            yield begin, end, float(HOUR if is_hourly else DAY)
        first += len(rows)
    last = start + days * DAY
    events = iter(opened)
    while some := list(itertools.islice(events, 500)):
        judged.write(conn, [_at(row, last - 2 * DAY + (row.at - start) % DAY) for row in some])


def _at(row: Judged, at: float) -> Judged:
    return Judged(row.measurement, row.tags, at, row.value)


def _is_hourly(measurement: str, tags: Mapping[str, str]) -> bool:
    return measurement == MEASUREMENT or tags.get("level", "server") in ("province", "server")


def fill_points(conn: Connection, part: tuple[int, int, float], start: float, days: int) -> int:
    """The points of one part of the series; gives how many."""
    first, last, every = part
    steps = int(days * DAY / every)
    asked = {"steps": steps, "start": start, "every": every, "first": first, "last": last}
    conn.execute(_POINTS, asked)
    return steps * (last - first)
