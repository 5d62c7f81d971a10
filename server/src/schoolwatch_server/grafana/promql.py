"""A panel's query in PromQL with MetricsQL's additions, as Grafana sends it to VictoriaMetrics.

It gives the numbers that `influxql` gives of the same points; docs/decisions/0049-dashboards-in-promql.md.
https://docs.victoriametrics.com/metricsql/
"""

import json
from collections.abc import Mapping
from typing import Final

from schoolwatch_server.grafana.spec import GIVEN, Marks, Query, Variable
from schoolwatch_server.store.names import prometheus_name
from schoolwatch_server.texts import Language

PARAMETERS: Final = "nocache=1"
"""What Grafana adds to each question: else VictoriaMetrics moves intervals to whole ones of UTC, and hides
the newest half minute."""

_INTERVAL: Final = "[$__interval] offset 1ms-$__interval"
"""InfluxDB's intervals have their first instant and not their last, and are called after the first.
Prometheus looks back and has the last instant only: so one looks at what is to come, and 1 ms less far."""

LISTED: Final = "2d"
"""How far lists look back from the range's end: as those in InfluxQL do."""

_LISTED_BY: Final = {"school_info": "school", "device_info": "device"}
"""The tag that stays when the others of a series change."""

RANGE: Final = "[${__range_ms}ms1ms]"
"""InfluxDB's range has both its ends."""


def query(asked: Query) -> str:
    """Grafana puts the length of an interval for `$__interval`, and that of all for `${__range_ms}`."""
    selected = points(asked)
    by = ", ".join(asked.apart)
    groups = f" by ({by})" if by else ""
    match asked.function:
        case "last":
            newest = f"max{groups} (tlast_over_time(x))"
            value = (
                f"max{groups} (last_over_time(x) and (tlast_over_time(x) == on ({by}) group_left {newest}))"
            )
        case "mean":
            value = f"sum{groups} (sum_over_time(x)) / sum{groups} (count_over_time(x))"
        case "min" | "max":
            value = f"{asked.function}{groups} ({asked.function}_over_time(x))"
        case "sum" | "count":
            value = f"sum{groups} ({asked.function}_over_time(x))"
    if asked.told_by:
        told = f"max{groups} (tlast_over_time({_rows(asked)}{RANGE}))"
        value = f"({value}) unless on ({by}) ({told} > on ({by}) max{groups} (tlast_over_time(x)))"
    return f"WITH (x = {selected}{_INTERVAL if asked.is_over_time else RANGE}) {value}"


def _rows(asked: Query) -> str:
    """The series that tell of a row without a number: `last` would pass over it."""
    one, *others = (prometheus_name(asked.measurement, name) for name in asked.told_by)
    if not others:
        return _selected(one, asked.where)
    named = f'__name__=~"{"|".join((one, *others))}"'
    return f"{{{','.join((named, *map(_compared, asked.where.items())))}}}"


def points(asked: Query) -> str:
    """The series themselves."""
    return _selected(prometheus_name(asked.measurement, asked.field), asked.where)


def values(variable: Variable) -> str:
    """What fills a variable's list: the newest series of each place or device at the range's end.

    `label_values` would give a renamed one's old names too, as far back as the range reaches.
    """
    selected = _selected(prometheus_name(variable.measurement), variable.where)
    at = f"tlast_over_time({selected}[{LISTED}])"
    id_ = _LISTED_BY.get(variable.measurement)
    newest = f"{at} == on ({id_}) group_left max by ({id_}) ({at})" if id_ else at
    return f"query_result(count by ({variable.tag}) ({newest}))"


def listed(variable: Variable) -> str:
    """How Grafana finds what is shown and what it stands for in a line of `query_result`.

    Such a line is `{tag="text"} number instant`, with the text as it is:
    https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/#use-query-variables
    """
    one = r"(?<text>.+)\|(?<value>[^|]+)" if variable.is_choice else "(.+)"
    return rf'/^\{{{variable.tag}="{one}"\}} \S+ \S+$/'


def marks(asked: Marks) -> str:
    """When each happened, milliseconds: Grafana draws it there, not where the interval begins."""
    points = _selected(prometheus_name(asked.measurement), asked.where)
    return f"tlast_over_time({points}{_INTERVAL}) * 1000"


def alias(asked: Query, language: Language) -> str:
    """How a series is called in the legend."""
    label = () if asked.label is None else (asked.label.of(language),)
    return " · ".join((*label, *(f"{{{{{tag}}}}}" for tag in asked.names(language)))) or asked.function


def _selected(name: str, where: Mapping[str, str]) -> str:
    compared = ",".join(map(_compared, where.items()))
    return f"{name}{{{compared}}}" if where else name


def _compared(one: tuple[str, str]) -> str:
    tag, value = one
    if value == GIVEN:
        return f'{tag}!=""'
    if value.startswith("$"):
        # between these quotes a backslash is one: names have brackets, apostrophes and quotes
        return f"{tag}=~`${{{value[1:]}:regex}}`"
    return f"{tag}={json.dumps(value, ensure_ascii=False)}"
