"""One range and interval of a dashboard, asked in InfluxQL and in PromQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from influxql_queries import asked, same
from panels_world import expanded, expanded_in_promql
from schoolwatch_server.grafana import influxql, promql
from schoolwatch_server.grafana.spec import Query
from schoolwatch_server.influxql.source import Source
from victoriametrics import RunningVictoriaMetrics

Numbers = dict[tuple[str, ...], dict[int, float]]
"""Values of the tags that tell series apart → instant in ms → number."""

ZONE = 7 * 3600_000
"""The dashboards' zone, ms: intervals begin as its clocks do."""

LENGTHS = {"7m": 420_000, "1h": 3_600_000, "2h": 7_200_000, "1d": 86_400_000}
"""Of intervals, ms."""


@dataclass(frozen=True)
class Asking:
    """From and to, ms; the length of an interval; what is chosen in the variables."""

    start: int
    end: int
    interval: str
    chosen: Mapping[str, str]

    def whole(self, at: int) -> int:
        """When the interval begins that holds an instant, as Grafana's Prometheus source reckons it."""
        step = LENGTHS[self.interval]
        return (at + ZONE) // step * step - ZONE

    def influxql(self, query: Query, source: Source) -> Numbers:
        """What our own program answers; intervals that the range only touches are asked for as a whole."""
        start, end = self.start, self.end
        if query.is_over_time:
            start, end = self.whole(start), self.whole(end) + LENGTHS[self.interval] - 1
        text = expanded(influxql.query(query), self.chosen, start, end, self.interval)
        (result,) = asked(text, source, "ms")["results"]
        assert "error" not in result, result
        return {
            _told_apart(series.get("tags", {}), query): {
                at if query.is_over_time else self.end: value for at, value, *_ in series["values"]
            }
            for series in result.get("series", ())
            if not query.is_current or series["values"][0][1] is not None  # Grafana leaves such rows out
        }

    def promql(self, query: Query, running: RunningVictoriaMetrics) -> Numbers:
        """What VictoriaMetrics answers."""
        text = expanded_in_promql(promql.query(query), self.chosen, self.end - self.start, self.interval)
        if not query.is_over_time:
            return self.at_its_end(text, query, running)
        return {
            _told_apart(one["metric"], query): {round(at * 1000): float(value) for at, value in one["values"]}
            for one in self.over_time(text, running)
        }

    def at_its_end(self, text: str, query: Query, running: RunningVictoriaMetrics) -> Numbers:
        """What it answers of the range's end."""
        found = running.ask("query", query=text, time=str(self.end / 1000))["result"]
        return {_told_apart(one["metric"], query): {self.end: float(one["value"][1])} for one in found}

    def over_time(self, text: str, running: RunningVictoriaMetrics) -> list[dict[str, Any]]:
        """The series that a query has in these intervals."""
        start, end = str(self.whole(self.start) / 1000), str(self.whole(self.end) / 1000)
        step = str(LENGTHS[self.interval] // 1000)
        found: list[dict[str, Any]] = running.ask("query_range", query=text, start=start, end=end, step=step)[
            "result"
        ]
        return found


def agree(ours: Numbers, theirs: Numbers) -> bool:
    """Equal, numbers to 1e-9."""
    mine, others = (
        {str(tags): {str(at): number for at, number in values.items()} for tags, values in found.items()}
        for found in (ours, theirs)
    )
    return same(mine, others)


def _told_apart(tags: Mapping[str, str], query: Query) -> tuple[str, ...]:
    assert set(tags) <= set(query.apart)
    return tuple(tags.get(tag, "") for tag in query.apart)
