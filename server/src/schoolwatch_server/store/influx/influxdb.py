"""InfluxDB: 1.x by its database, 1.8, 2 and 3 by their bucket; read by InfluxQL, which all of them answer."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache

import msgspec

from schoolwatch_server.store.influx.engine import ANSWER, About, Found, StoreDownError, told
from schoolwatch_server.store.influx.http import Requests, authorization
from schoolwatch_server.store.influx.metrics import instance
from schoolwatch_server.store.influx.written import V2Writer

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
        return told(answer.status_code, answer.text)

    def close(self) -> None:
        """As `StoreEngine.close`."""
        self._requests.close()
        if self._v2.cache_info().currsize:
            self._v2().close()

    def about(self) -> About:
        """As `StoreEngine.about`. It syncs each write: one that keeps its start to itself loses nothing."""
        ping = self._requests.send("GET", "/ping")
        says_so = "x-influxdb-version" in ping.headers or '"version"' in ping.text  # 1 and 2; 3
        if ping.status_code >= 300 or not (says_so or self._knows_databases()):
            raise StoreDownError("/ping: the address is of no InfluxDB")
        answer = self._requests.send("GET", "/metrics")
        return About(instance(answer.text) if answer.status_code < 300 else "")

    def read(
        self, measurement: str, fields: Sequence[str], tags: Mapping[str, str], start: int, end: int
    ) -> Iterator[Found]:
        """As `StoreEngine.read`."""
        said = [f"{_name(key)} = {_text(text)}" for key, text in sorted(tags.items())]
        where = " AND ".join((*said, f"time >= {start}", f"time < {end}"))
        columns = ", ".join(map(_name, fields))
        asked = f"FROM {_name(measurement)} WHERE {where} GROUP BY *"  # each word of it is quoted
        query = f"SELECT {columns} {asked}"
        for series in self._query(query).series:
            points = [_point(row, fields) for row in series.values]
            yield Found({key: text for key, text in series.tags.items() if text}, points)

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
            raise StoreDownError(f"/api/v2/delete: {answer.status_code} {answer.text[:300]}")
        return True

    def _knows_databases(self) -> bool:
        """Whether it answers as an InfluxDB does, though a proxy keeps its version to itself."""
        answer = self._requests.send("GET", "/query", {"q": "SHOW DATABASES"})
        try:
            found = msgspec.json.decode(answer.content, type=dict[str, object])
        except ValueError:
            return False
        return bool({"results", "error"} & found.keys())

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


def _point(row: Sequence[int | float | None], fields: Sequence[str]) -> tuple[int, Mapping[str, float]]:
    if len(row) != 1 + len(fields) or not isinstance(at := row[0], int):
        raise StoreDownError("/query: what answers is no InfluxDB")
    return at, {field: float(n) for field, n in zip(fields, row[1:], strict=True) if n is not None}


def _name(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
