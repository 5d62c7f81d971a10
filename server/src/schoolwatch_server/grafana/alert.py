"""What an alert rule is, and how Grafana takes it: the same from 9.4 to 13.

https://grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rules/
https://grafana.com/docs/grafana/latest/developers/http_api/alerting_provisioning/#provisioned-alert-rule
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Final, Literal

from schoolwatch_server.grafana import influxql, promql
from schoolwatch_server.grafana.spec import SOURCE_TYPES, SUFFIX, Dialect, Query, Words
from schoolwatch_server.texts import Language

PREFIX: Final = "schoolwatch"

_UID_MAX: Final = 40 - len(SUFFIX["en"])
_EXPRESSION: Final = "__expr__"
"""The data source of what is reckoned from other answers."""

_INTERVAL_MS: Final = 60_000
_POINTS: Final = 100
_LOOK: Final = 600
"""Seconds of a question in PromQL, which looks back by itself."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query of a rule over `seconds` that end now, or `until` seconds ago.

    With the query's `is_current` a series has a number only where its newest row has one: what is unknown
    now, and what has ended, is No data, whatever an older row says.
    """

    ref: str
    query: Query
    seconds: int
    until: int = 0


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest number of each series of another step; a series without any is No data."""

    ref: str
    of: str


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression of the numbers of other steps (`$A < 0.5`)."""

    ref: str
    expression: str


Step = Asked | Newest | Formula


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: it alerts once the last of its `steps` was not 0 for `lasting` seconds (whole minutes)."""

    uid: str
    group: Literal["indicators", "server"]
    title: Words
    summary: Words
    description: Words
    steps: tuple[Step, ...]
    lasting: int
    labels: Mapping[str, str] = field(hash=False, default_factory=dict)

    def uid_in(self, language: Language) -> str:
        """Both languages may be in one Grafana."""
        return self.uid + SUFFIX[language]

    @property
    def group_name(self) -> str:
        """What Grafana looks at together."""
        return f"{PREFIX}-{self.group}"


def uid_of(name: str) -> str:
    """A rule's address for life: what is too long for Grafana is cut and told apart by its hash."""
    uid = f"{PREFIX}-{name}"
    if len(uid) <= _UID_MAX:
        return uid
    return f"{uid[: _UID_MAX - 9]}-{blake2b(name.encode(), digest_size=4).hexdigest()}"


def body(rule: Rule, dialect: Dialect, language: Language, source: str) -> dict[str, Any]:
    """A rule but for its uid and its place; `source` is the data source's uid."""
    return {
        "title": rule.title.of(language),
        "condition": rule.steps[-1].ref,
        "data": [model for step in rule.steps for model in _models(step, dialect, source)],
        "noDataState": "NoData",
        "execErrState": "Error",
        "for": _duration(rule.lasting),
        "annotations": {
            "summary": rule.summary.of(language),
            "description": rule.description.of(language),
        },
        "labels": dict(rule.labels),
    }


def queries(rule: Rule, dialect: Dialect) -> Iterator[tuple[str, int]]:
    """What the rule asks its engine, and over how many seconds up to now."""
    for step in rule.steps:
        if isinstance(step, Asked):
            for model in _models(step, dialect, ""):
                text = model["model"].get("query") or model["model"].get("expr")
                if text:
                    yield text, step.seconds


def _duration(seconds: int) -> str:
    """As Grafana writes it back: `6h`, `15m`."""
    return f"{seconds // 3600}h" if seconds % 3600 == 0 else f"{seconds // 60}m"


def _models(step: Step, dialect: Dialect, source: str) -> Iterator[dict[str, Any]]:
    match step:
        case Newest():
            drop = {"type": "reduce", "reducer": "last", "settings": {"mode": "dropNN"}}
            yield _reckoned(step.ref, step.of, drop)
        case Formula():
            yield _reckoned(step.ref, step.expression, {"type": "math"})
        case Asked() if dialect == "promql":
            asked = {"expr": _promql(step), "range": True, "instant": False}
            yield _asked(step.ref, (_LOOK, 0), asked, dialect, source)
        case Asked():
            yield from _in_influxql(step, source)


def _in_influxql(step: Asked, source: str) -> Iterator[dict[str, Any]]:
    """A selector tells when its point was: a sum has a point only where all of them are of one row.

    So a row that has a number must have all fields that tell of rows.
    """
    told = step.query.of_rows if step.query.is_current else ()
    fields = (step.query.field, *told)
    refs = [f"{step.ref}{number}" for number in range(1, len(fields) + 1)] if told else [step.ref]
    for ref, name in zip(refs, fields, strict=True):
        text = influxql.query(replace(step.query, field=name, is_current=False))
        asked = {"rawQuery": True, "query": text, "resultFormat": "time_series"}
        yield _asked(ref, (step.until + step.seconds, step.until), asked, "influxql", source)
    if told:
        value, *others = refs
        sum_ = " + ".join([f"${value}", *(f"0 * ${ref}" for ref in others)])
        yield _reckoned(step.ref, sum_, {"type": "math"})


def _promql(step: Asked) -> str:
    span = f"[{step.seconds}s]" + (f" offset {step.until}s" if step.until else "")
    asked = replace(step.query, name="value") if step.query.is_current else step.query
    return promql.query(asked).replace(promql.RANGE, span)


def _asked(
    ref: str, span: tuple[int, int], asked: dict[str, Any], dialect: Dialect, source: str
) -> dict[str, Any]:
    """`span`: from how many seconds ago to how many."""
    model = {**_common(ref), "datasource": {"type": SOURCE_TYPES[dialect], "uid": source}, **asked}
    return {
        "refId": ref,
        "relativeTimeRange": {"from": span[0], "to": span[1]},
        "datasourceUid": source,
        "model": model,
    }


def _reckoned(ref: str, expression: str, how: dict[str, Any]) -> dict[str, Any]:
    source = {"type": _EXPRESSION, "uid": _EXPRESSION}
    return {
        "refId": ref,
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": _EXPRESSION,
        "model": {**_common(ref), "datasource": source, "expression": expression, **how},
    }


def _common(ref: str) -> dict[str, Any]:
    return {"refId": ref, "intervalMs": _INTERVAL_MS, "maxDataPoints": _POINTS}
