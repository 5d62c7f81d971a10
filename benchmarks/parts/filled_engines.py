"""Real engines filled with what the embedded store holds: ready bytes, made and sent by several processes.

What was written is noted beside an engine's files, by measurement and field: only what is missing is written.
"""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection, Engine, text

from panels_world import info_lines
from schoolwatch_contract.catalogue import METRICS
from schoolwatch_server.database import engine as database
from schoolwatch_server.database import journal
from schoolwatch_server.database.judged import tags_of
from schoolwatch_server.database.judged_index import JudgedIndex
from schoolwatch_server.influxql.instant import nanoseconds
from schoolwatch_server.influxql.query import Span
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.store import lines as protocol
from schoolwatch_server.store.names import FIELD, measurement_of
from schoolwatch_server.store.queried import Queried
from schoolwatch_server.store.queried.info import InfoSeries

LINES = 20_000
"""In one request, some 4 MB: engines take up to 25 MB."""

_SERIES = 100
"""In one task of a process."""

_REMEMBERED = 100_000
"""Texts of numbers and instants that are made once: a province has few different ones."""

MEASURED, INFO = "measured", "info"


@dataclass(frozen=True, slots=True)
class Task:
    """What one process writes at once: judged series, all that devices measured, or the lists."""

    measurement: str
    fields: tuple[str, ...]
    ids: tuple[int, ...] = ()


def fill(
    url: str, noted: Path, database_url: str, end: float, asked: Mapping[str, set[str]], jobs: int
) -> bool:
    """Writes to an engine's `/write` what of the fields asked for it has not; whether that was something.

    `noted` says what it has.
    """
    has: dict[str, list[str]] = json.loads(noted.read_text()) if noted.exists() else {}
    tasks = list(_tasks(database_url, asked, has))
    if not tasks:
        return False
    began, count, last = time.perf_counter(), 0, 0.0
    left = Counter(task.measurement for task in tasks)
    with ProcessPoolExecutor(jobs, initializer=_Sender.begin, initargs=(url, database_url, end)) as pool:
        for number, (task, sent) in enumerate(zip(tasks, pool.map(_sent, tasks), strict=True), 1):
            count += sent
            left[task.measurement] -= 1
            if not left[task.measurement]:
                has[task.measurement] = sorted({*has.get(task.measurement, ()), *task.fields})
                noted.write_text(json.dumps(has))
            if (passed := time.perf_counter() - began) > last + 30 or number == len(tasks):
                last = passed
                print(
                    f"  {number / len(tasks):4.0%} {count:,} lines in {passed:.0f} s, "
                    f"{count / passed:,.0f}/s",
                    flush=True,
                )
    return True


def forget(noted: Path, measurements: Iterable[str]) -> None:
    """They are written again the next time."""
    has = json.loads(noted.read_text())
    noted.write_text(json.dumps({key: fields for key, fields in has.items() if key not in measurements}))


def _tasks(
    database_url: str, asked: Mapping[str, set[str]], has: Mapping[str, Sequence[str]]
) -> Iterator[Task]:
    engine = database.open_database(database_url)
    with database.begin_read(engine) as conn:
        rows = conn.execute(text("SELECT measurement, id FROM judged_series ORDER BY id")).all()
    engine.dispose()
    ids: defaultdict[str, list[int]] = defaultdict(list)
    for measurement, id_ in rows:
        ids[measurement].append(id_)
    for measurement, its in ids.items():
        fields = tuple(sorted({FIELD, *asked.get(measurement, ())} - {*has.get(measurement, ())}))
        if fields:
            for start in range(0, len(its), _SERIES):
                yield Task(measurement, fields, tuple(its[start : start + _SERIES]))
    for name in (MEASURED, INFO):
        if name not in has:
            yield Task(name, (FIELD,))


# --- in a process of its own ----------------------------------------------------------------------------


class _Texts(dict[float, str]):
    """Texts of numbers, each made once."""

    def __init__(self, made: Callable[[float], str]) -> None:
        self._made = made

    def __missing__(self, number: float) -> str:
        if len(self) > _REMEMBERED:
            self.clear()
        self[number] = text = self._made(number)
        return text


class _Sender:
    """What a process needs for each of its tasks."""

    here: "_Sender"

    def __init__(self, url: str, database_url: str, end: float) -> None:
        self.database: Engine = database.open_database(database_url)
        self.client = httpx.Client(timeout=300, trust_env=False)
        self.url, self.end = url, end
        self.numbers, self.instants = _Texts(repr), _Texts(lambda at: f" {nanoseconds(at)}\n")
        with database.begin_read(self.database) as conn:
            self.names = InfoSeries(conn, EVERYTHING, end).names()

    @classmethod
    def begin(cls, url: str, database_url: str, end: float) -> None:
        cls.here = cls(url, database_url, end)

    def write(self, lines: Iterable[str]) -> int:
        """All lines, each with its end; gives how many."""
        count, some = 0, list[str]()
        for line in lines:
            some.append(line)
            if len(some) == LINES:
                count += self._post(some)
                some = []
        return count + (self._post(some) if some else 0)

    def _post(self, some: Sequence[str]) -> int:
        self.client.post(self.url, content="".join(some).encode()).raise_for_status()
        return len(some)


def _sent(task: Task) -> int:
    sender = _Sender.here
    with database.begin_read(sender.database) as conn:
        if task.measurement == MEASURED:
            return sender.write(f"{line}\n" for line in _measured(conn, sender.end))
        if task.measurement == INFO:
            source = Queried(conn, JudgedIndex(), EVERYTHING, sender.end)
            now = nanoseconds(sender.end)
            return sender.write(f"{line}\n" for line in info_lines(source, Span(now, now + 1)))
        return sender.write(_judged(conn, sender, task))


def _judged(conn: Connection, sender: _Sender, task: Task) -> Iterator[str]:
    """Lines of series: what differs from point to point is put together from what was made before."""
    numbers, instants = sender.numbers, sender.instants
    tags = dict(
        conn.exec_driver_sql(
            f"SELECT id, tags FROM judged_series WHERE id BETWEEN {task.ids[0]:d} AND {task.ids[-1]:d}"
        ).all()
    )
    rows = conn.connection.cursor()  # rows of SQLAlchemy cost more than all the rest
    for id_ in task.ids:
        begin = protocol.series(task.measurement, sender.names.beside(tags_of(tags[id_])))
        rows.execute(f"SELECT at, {', '.join(task.fields)} FROM judged WHERE series_id = {id_:d} ORDER BY at")
        if task.fields == (FIELD,):
            begin += f" {FIELD}="
            for at, value in rows:
                if value is not None:
                    yield begin + numbers[value] + instants[at]
        else:
            for at, *values in rows:
                said = [
                    f"{name}={numbers[value]}"
                    for name, value in zip(task.fields, values, strict=True)
                    if value is not None
                ]
                if said:
                    yield f"{begin} {','.join(said)}{instants[at]}"


def _measured(conn: Connection, end: float) -> Iterator[str]:
    for id_, device in conn.execute(text("SELECT id, device FROM device")).all():
        for row in journal.of_device(conn, id_, 0.0, end):
            yield from protocol.device_lines(device, nanoseconds(row.taken_at), row.envelope.readings)


# --- what an engine then has ----------------------------------------------------------------------------


@cache
def embedded(database_url: str) -> Counter[str]:
    """Points with a value of each measurement that is judged."""
    engine = database.open_database(database_url)
    query = text(
        "SELECT s.measurement, (SELECT count(value) FROM judged WHERE series_id = s.id) "
        "FROM judged_series AS s"
    )
    found = Counter[str]()
    with database.begin_read(engine) as conn:
        for measurement, count in conn.execute(query):
            found[measurement] += count
    engine.dispose()
    return found


def in_influxdb(url: str, name: str) -> Counter[str]:
    """The same."""
    data = {"q": f"SELECT count({FIELD}) FROM /.*/", "db": name}
    (answer,) = _asked(f"{url}/query", data)["results"]
    return _judged_only({one["name"]: one["values"][0][1] for one in answer["series"]})


def in_victoriametrics(url: str, end: float, days: int) -> Counter[str]:
    """The same."""
    query = f'count_over_time({{__name__=~".+_{FIELD}"}}[{days + 1}d]) keep_metric_names'
    data = {"query": f"sum({query}) by (__name__)", "time": f"{end + 1}", "nocache": "1"}
    found = _asked(f"{url}/api/v1/query", data)["data"]["result"]
    return _judged_only(
        {one["metric"]["__name__"].removesuffix(f"_{FIELD}"): int(one["value"][1]) for one in found}
    )


def _asked(url: str, data: Mapping[str, str]) -> Any:
    answer = httpx.post(url, data=data, timeout=1800, trust_env=False)
    answer.raise_for_status()
    return answer.json()


def _judged_only(found: Mapping[str, int]) -> Counter[str]:
    other = {*map(measurement_of, METRICS), "school_info", "device_info"}
    return Counter({name: count for name, count in found.items() if name not in other})
