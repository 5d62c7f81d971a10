"""InfluxDB: 1.x by its database, 1.8, 2 and 3 by their bucket; read by InfluxQL, which all of them answer."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache

import msgspec

from schoolwatch_server.store.influx.engine import ANSWER, About, Found, StoreDownError, told
from schoolwatch_server.store.influx.http import Requests, authorization
from schoolwatch_server.store.influx.metrics import instance, is_victoriametrics, of_clock
from schoolwatch_server.store.influx.written import V2Writer
from schoolwatch_server.store.names import FIELD

_REFUSALS = re.compile(r"credentials|authoriz(ed|ing|ation)|authenticat(ed|ion)", re.IGNORECASE)
"""What each InfluxDB says to who may not ask."""

_WHENEVER = "1970-01-01T00:00:00Z"


class _Series(msgspec.Struct, frozen=True):
    values: list[list[int | float | None]]
    tags: dict[str, str] = {}
    partial: bool = False


class _Result(msgspec.Struct, frozen=True):
    series: list[_Series] = []
    error: str = ""


class _Answer(msgspec.Struct, frozen=True):
    results: list[_Result]
    error: str = ""


_answer = msgspec.json.Decoder(_Answer).decode


class InfluxDB:
    """A database (`/write`) or, with an organisation, a bucket (`/api/v2/write`). A `StoreEngine`."""

    def __init__(
        self,
        url: str,
        token: str,
        ca_file: str,
        database: str,
        org: str,
        bucket: str,
        answer: float = ANSWER,
    ) -> None:
        said = authorization(token, "Token", knows_users=not bucket)  # 1.x before 1.8 knows users alone
        self._requests = Requests(url, said, ca_file, answer)
        self._database, self._org, self._bucket = database or bucket, org, bucket
        self._v2 = cache(lambda: V2Writer(url, token, ca_file, org, bucket))

    def write(self, lines: bytes) -> int:
        """As `StoreEngine.write`."""
        if self._bucket:
            return self._v2().write(lines)
        params = {"db": self._database, "precision": "ns"}
        answer = self._requests.send("POST", "/write", params, content=lines)
        return told(answer.status_code, answer.text, answer.headers.get("location", ""))

    def close(self) -> None:
        """As `StoreEngine.close`."""
        self._requests.close()
        if self._v2.cache_info().currsize:
            self._v2().close()

    def about(self) -> About:
        """As `StoreEngine.about`. It syncs each write: one that keeps its start to itself loses nothing."""
        ping = self._requests.send("GET", "/ping")
        if ping.status_code >= 300:
            raise StoreDownError(f"/ping: what answers is no InfluxDB: {ping.words}")
        if "x-influxdb-version" not in ping.headers and '"version"' not in ping.text:  # 1 and 2; 3
            self._know_by_databases()
        answer = self._requests.send("GET", "/metrics")
        if is_victoriametrics(answer.text):  # to be asked in InfluxQL it only seems
            raise StoreDownError('what answers is a VictoriaMetrics: set store.kind = "victoriametrics"')
        clock = of_clock(ping.headers.get("date", ""), time.time())
        return About(instance(answer.text) if answer.status_code < 300 else "", clock)

    def read(
        self, measurement: str, fields: Sequence[str], tags: Mapping[str, str], start: int, end: int
    ) -> Iterator[Found]:
        """As `StoreEngine.read`."""
        said = [f"{_name(key)} = {_text(text)}" for key, text in sorted(tags.items())]
        query = _select(", ".join(map(_name, fields)), measurement, start, end, *said)
        for series in self._query(query).series:
            points = [_point(row, fields) for row in series.values]
            yield Found(_said(series.tags), points)

    def newest(self, measurement: str, start: int, end: int) -> Iterator[tuple[Mapping[str, str], int]]:
        """As `StoreEngine.newest`."""
        query = _select(f"last({_name(FIELD)})", measurement, start, end)
        for series in self._query(query).series:
            for row in series.values:
                yield _said(series.tags), _point(row, [FIELD])[0]

    def delete(self, tag: str, text: str, measurement: str = "") -> bool:
        """As `StoreEngine.delete`. InfluxDB 3 Core deletes no rows."""
        if not self._bucket:
            of = f" FROM {_name(measurement)}" if measurement else ""
            self._query(f"DROP SERIES{of} WHERE {_name(tag)} = {_text(text)}", post=True)
            return True
        said = [f'{tag}="{text}"', *([f'_measurement="{measurement}"'] if measurement else [])]
        body = {
            "start": _WHENEVER,
            "stop": f"{datetime.now(UTC).year + 10}-01-01T00:00:00Z",
            "predicate": " AND ".join(said),
        }
        params = {"org": self._org, "bucket": self._bucket}
        answer = self._requests.send("POST", "/api/v2/delete", params, content=msgspec.json.encode(body))
        if answer.status_code in (404, 405, 501):
            return False
        if answer.status_code >= 300:
            raise StoreDownError(f"/api/v2/delete: {answer.words}")
        return True

    def _know_by_databases(self) -> None:
        """Whether it answers as an InfluxDB does, though a proxy keeps its version to itself."""
        answer = self._requests.send("GET", "/query", {"q": "SHOW DATABASES"})
        try:
            found = msgspec.json.decode(answer.content, type=dict[str, object])
        except ValueError:
            found = {}
        refused = f"{found.get('error', '')}{found.get('message', '')}"  # 1 and 3; 2
        is_one = answer.status_code == 200 and "results" in found
        if not is_one and not (answer.status_code in (401, 403) and _REFUSALS.search(refused)):
            raise StoreDownError(
                f"what answers is no InfluxDB, or one of which a proxy lets too little through: "
                f"/query {answer.shown}"
            )

    def _query(self, query: str, *, post: bool = False) -> _Result:
        params = {"db": self._database, "epoch": "ns"}
        answer = (
            self._requests.ask("/query", params, {"q": query})
            if post
            else self._requests.ask("/query", {**params, "q": query})
        )
        try:
            found = _answer(answer.content)
            (result,) = found.results
        except ValueError as error:
            raise StoreDownError("/query: what answers is no InfluxDB") from error
        if said := found.error or result.error:
            raise StoreDownError(said[:300])
        if any(series.partial for series in result.series):
            raise StoreDownError("/query: it gives a part of the answer alone: set max-row-limit = 0")
        return result


def _select(columns: str, measurement: str, start: int, end: int, *conditions: str) -> str:
    where = " AND ".join((*conditions, f"time >= {start}", f"time < {end}"))
    asked = f"FROM {_name(measurement)} WHERE {where} GROUP BY *"  # each word of it is quoted
    return f"SELECT {columns} {asked}"


def _said(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: text for key, text in tags.items() if text}


def _point(row: Sequence[int | float | None], fields: Sequence[str]) -> tuple[int, Mapping[str, float]]:
    if len(row) != 1 + len(fields) or not isinstance(at := row[0], int):
        raise StoreDownError("/query: what answers is no InfluxDB")
    return at, {field: float(n) for field, n in zip(fields, row[1:], strict=True) if n is not None}


def _name(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
