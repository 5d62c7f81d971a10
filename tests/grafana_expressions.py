"""The expressions of alert rules, reckoned as Grafana's documents say.

https://grafana.com/docs/grafana/latest/panels-visualizations/query-transform-data/expression-queries/: series
are joined by labels and instants; "drop non-numeric" of an empty series is null, and so is a formula of null.
Items are joined too where the labels of one are among those of the other: the result has all of them.
"""

import re
from collections.abc import Callable
from typing import Any

from schoolwatch_server.grafana import alert
from schoolwatch_server.grafana.spec import Dialect

Tags = frozenset[tuple[str, str]]
Series = dict[Tags, dict[Any, float | None]]
Numbers = dict[Tags, float | None]

Ask = Callable[[str, float, float], Series]
"""What a query has between two instants (UTC seconds)."""


def reckoned(rule: alert.Rule, dialect: Dialect, now: float, ask: Ask) -> Numbers:
    """What the condition comes to by labels; None is No data. What is not among them has no instance."""
    series: dict[str, Series] = {}
    numbers: dict[str, Numbers] = {}
    for one in alert.body(rule, dialect, "vi", "schoolwatch")["data"]:
        ref, model, span = one["refId"], one["model"], one["relativeTimeRange"]
        if text := model.get("query") or model.get("expr"):
            series[ref] = ask(text, now - span["from"], now - span["to"])
        elif model["type"] == "reduce":
            assert model["settings"] == {"mode": "dropNN"}
            known = series[model["expression"]]
            numbers[ref] = {tags: newest(points) for tags, points in known.items()}
        elif "0 * $" in model["expression"]:
            series[ref] = summed(model["expression"], series)
        else:
            numbers[ref] = formula(model["expression"], numbers)
    return numbers[rule.steps[-1].ref]


def in_influxql(answer: Callable[[str], Any]) -> Ask:
    """Asks what answers InfluxQL, as Grafana does."""

    def ask(query: str, start: float, end: float) -> Series:
        span = f"time >= {int(start) * 1000}ms AND time <= {int(end) * 1000}ms"
        (result,) = answer(query.replace("$timeFilter", span))["results"]
        return {
            frozenset(one.get("tags", {}).items()): dict(one["values"]) for one in result.get("series", ())
        }

    return ask


def newest(points: dict[Any, float | None]) -> float | None:
    known = [value for _, value in sorted(points.items()) if value is not None]
    return known[-1] if known else None


def summed(expression: str, series: dict[str, Series]) -> Series:
    first, *others = re.findall(r"\$(\w+)", expression)
    assert expression == " + ".join([f"${first}", *(f"0 * ${other}" for other in others)])
    return {
        tags: {
            at: value
            for at, value in points.items()
            if all(at in series[other].get(tags, {}) for other in others)
        }
        for tags, points in series[first].items()
        if all(tags in series[other] for other in others)
    }


def formula(expression: str, numbers: dict[str, Numbers]) -> Numbers:
    first, *others = re.findall(r"\$(\w+)", expression)
    words = re.sub(r"\$(\w+)", r"n['\1']", expression).replace("&&", "and")
    made: Numbers = {}
    for tags, value in numbers[first].items():
        n = {first: value}
        for ref in others:
            for its, other in numbers[ref].items():
                if its <= tags:
                    n[ref] = other
        if len(n) == 1 + len(others):
            made[tags] = None if None in n.values() else float(eval(words, {}, {"n": n}))
    return made
