"""VictoriaMetrics: written to as InfluxDB 2, read by its export, one series a field."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final

import msgspec

from schoolwatch_server.store.influx.engine import ANSWER, About, Found, StoreDownError
from schoolwatch_server.store.influx.http import Requests, authorization
from schoolwatch_server.store.influx.metrics import instance, is_victoriametrics, notice, of_clock
from schoolwatch_server.store.influx.written import V2Writer
from schoolwatch_server.store.names import prometheus_name

_MS: Final = 1_000_000


class _Line(msgspec.Struct, frozen=True):
    metric: dict[str, str]
    values: list[float]
    timestamps: list[int]


class _Value(msgspec.Struct, frozen=True):
    metric: dict[str, str]
    value: tuple[float, str]


class _Result(msgspec.Struct, frozen=True):
    result: list[_Value]


class _Answer(msgspec.Struct, frozen=True):
    data: _Result


_line = msgspec.json.Decoder(_Line).decode
_newest = msgspec.json.Decoder(_Answer).decode


class VictoriaMetrics:
    """One single-node VictoriaMetrics, or the address of one. A `StoreEngine`; instants are whole ms."""

    def __init__(
        self, url: str, token: str, ca_file: str, answer: float = ANSWER, retention_days: int = 0
    ) -> None:
        said = authorization(token, "Bearer", knows_users=True)
        self._requests = Requests(url, said, ca_file, answer)
        self._writer = cache(lambda: V2Writer(url, token, ca_file, "schoolwatch", "schoolwatch", said))
        self._retention_days = retention_days

    def write(self, lines: bytes) -> int:
        """As `StoreEngine.write`: it says yes to a line it can't read too, so that we write none."""
        return self._writer().write(lines)

    def close(self) -> None:
        """As `StoreEngine.close`."""
        self._requests.close()
        if self._writer.cache_info().currsize:
            self._writer().close()

    def about(self) -> About:
        """As `StoreEngine.about`."""
        answer = self._requests.send("GET", "/metrics")
        if answer.status_code in (401, 403):
            return About(notice="/metrics can't be read: that it was killed is not noticed")
        if answer.status_code >= 300:
            raise StoreDownError(f"/metrics: {answer.words}")
        if not (started := instance(answer.text)) or not is_victoriametrics(answer.text):
            raise StoreDownError(f"/metrics: what answers is no VictoriaMetrics: {answer.shown}")
        said = (
            notice(answer.text, self._retention_days),
            of_clock(answer.headers.get("date", ""), time.time()),
        )
        return About(started, "; ".join(filter(None, said)))

    def read(
        self, measurement: str, fields: Sequence[str], tags: Mapping[str, str], start: int, end: int
    ) -> Iterator[Found]:
        """As `StoreEngine.read`."""
        names = {prometheus_name(measurement, field): field for field in fields}
        said = [f"{key}={_text(text)}" for key, text in sorted(tags.items())]
        match = "{" + ",".join((f'__name__=~"{"|".join(names)}"', *said)) + "}"
        params = {"match[]": match, "start": f"{start // _MS / 1000:.3f}", "end": f"{end // _MS / 1000:.3f}"}
        found: defaultdict[tuple[tuple[str, str], ...], defaultdict[int, dict[str, float]]] = defaultdict(
            lambda: defaultdict(dict)
        )
        for text in self._requests.ask("/api/v1/export", params).content.splitlines():
            try:
                line = _line(text)
                field = names[line.metric.pop("__name__")]
            except (ValueError, KeyError) as error:
                raise StoreDownError("/api/v1/export: what answers is no VictoriaMetrics") from error
            if len(line.timestamps) != len(line.values):
                raise StoreDownError("/api/v1/export: an instant has no value, or a value no instant")
            points = found[tuple(sorted(line.metric.items()))]
            for at, value in zip(line.timestamps, line.values, strict=True):
                if start // _MS <= at < -(-end // _MS):
                    points[at * _MS][field] = value
        for key, its in found.items():
            yield Found(dict(key), sorted(its.items()))

    def newest(self, measurement: str, start: int, end: int) -> Iterator[tuple[Mapping[str, str], int]]:
        """As `StoreEngine.newest`."""
        # its range is without its first instant and with its last one
        span = f"[{(end - start) // _MS}ms] offset 1ms"
        query = f"tlast_over_time({prometheus_name(measurement)}{span})"
        params = {"query": query, "time": f"{end // _MS / 1000:.3f}", "nocache": "1"}
        try:
            answer = _newest(self._requests.ask("/api/v1/query", params).content)
            found = [(one.metric, round(float(one.value[1]) * 1000) * _MS) for one in answer.data.result]
        except ValueError as error:
            raise StoreDownError("/api/v1/query: what answers is no VictoriaMetrics") from error
        yield from found

    def delete(self, tag: str, text: str, measurement: str = "") -> bool:
        """As `StoreEngine.delete`; the room on its disk is given back when it merges."""
        names = f'__name__=~"{measurement}_.*",' if measurement else ""
        answer = self._requests.send(
            "POST", "/api/v1/admin/tsdb/delete_series", form={"match[]": f"{{{names}{tag}={_text(text)}}}"}
        )
        if answer.status_code >= 300:
            raise StoreDownError(f"delete_series: {answer.words}")
        return True


def _text(text: str) -> str:
    return msgspec.json.encode(text).decode()
