"""Dashboards of Grafana as JSON: what `schoolwatch_server.grafana` says, in the words of Grafana's schema."""

from collections.abc import Mapping
from typing import Any

from grafana_foundation_sdk.builders import bargauge, common, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.common import BigValueGraphMode
from grafana_foundation_sdk.models.common import DataSourceRef as SourceOfVariable

from schoolwatch_server.grafana import DASHBOARDS, influxql
from schoolwatch_server.grafana.spec import SOURCE, SUFFIX, Dashboard, Kind, Panel, Query, Row, Variable, said
from schoolwatch_server.texts import LANGUAGES, Language

FOLDER = "server/src/schoolwatch_server/grafana/json"

TYPE = "influxdb"
"""Grafana's id of the data source."""

_SOURCE = SourceOfVariable(TYPE, f"${{{SOURCE}}}")

_BUILDERS: Mapping[Kind, Any] = {
    "timeseries": timeseries.Panel,
    "stat": stat.Panel,
    "table": table.Panel,
    "bargauge": bargauge.Panel,
}


class InfluxQL(Dataquery, Builder["InfluxQL"]):
    """A target of a panel; the SDK has none of this source."""

    def __init__(self, query: Query) -> None:
        self._query = query

    def build(self) -> "InfluxQL":
        """Itself."""
        return self

    def to_json(self) -> dict[str, object]:
        """As Grafana's InfluxDB source takes it."""
        return {
            "refId": "A",
            "datasource": {"type": TYPE, "uid": f"${{{SOURCE}}}"},
            "rawQuery": True,
            "query": influxql.query(self._query),
            "resultFormat": "time_series",
            "alias": influxql.alias(self._query),
        }


def documents() -> dict[str, str]:
    """Path → JSON, of every dashboard in each language: they lie with the server, which hands them out."""
    return {
        f"{FOLDER}/{language}/{one.uid}.json": _text(one, language)
        for one in DASHBOARDS
        for language in LANGUAGES
    }


def _text(one: Dashboard, language: Language) -> str:
    return JSONEncoder(sort_keys=True, indent=1, ensure_ascii=False).encode(_built(one, language)) + "\n"


def _built(one: Dashboard, language: Language) -> models.Dashboard:
    builder = (
        builders.Dashboard(one.title.of(language))
        .uid(one.uid + SUFFIX[language])
        .tags(["schoolwatch"])
        .editable()
        .refresh("5m")
        .time(f"now-{one.days}d", "now")
        .timezone("Asia/Ho_Chi_Minh")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
    )
    builder = builder.with_variable(
        builders.DatasourceVariable(SOURCE).label(said("grafana.source").of(language)).type(TYPE)
    )
    for variable in one.variables:
        builder = builder.with_variable(_variable(variable, language))
    for other in DASHBOARDS:
        if other.uid != one.uid:
            builder = builder.link(_link(other, language))
    first = 1
    for number, row in enumerate(one.rows):
        builder = _with_row(builder, row, language, first, is_open=number < OPEN)
        first += 1 + len(row.panels)
    return builder.build()


OPEN = 5
"""Rows that are open at first: what is below them is asked for when somebody opens it."""


def _with_row(builder: Any, row: Row, language: Language, first: int, *, is_open: bool) -> Any:
    """The row and its panels, numbered from `first` on."""
    made = builders.Row(row.title.of(language)).id(first)
    panels = [_panel(panel, language).id(first + n) for n, panel in enumerate(row.panels, 1)]
    if is_open:
        builder = builder.with_row(made)
        for panel in panels:
            builder = builder.with_panel(panel)
        return builder
    for panel in panels:
        made = made.with_panel(panel)
    return builder.with_row(made.collapsed(True))


def _variable(variable: Variable, language: Language) -> Any:
    return (
        builders.QueryVariable(variable.name)
        .label(variable.title.of(language))
        .datasource(_SOURCE)
        .query(influxql.values(variable))
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
    )


def _link(other: Dashboard, language: Language) -> Any:
    return (
        builders.DashboardLink(other.title.of(language))
        .type(models.DashboardLinkType.LINK)
        .url(f"/d/{other.uid}{SUFFIX[language]}")
        .keep_time(True)
        .include_vars(True)
    )


def _panel(panel: Panel, language: Language) -> Any:
    made = (
        _BUILDERS[panel.kind]()
        .title(panel.title.of(language))
        .description(panel.description.of(language))
        .datasource(_SOURCE)
        .unit(panel.unit)
        .no_value(said("grafana.no_value").of(language))
        .span(panel.width)
        .height(panel.height)
        .with_target(InfluxQL(panel.query))
    )
    if panel.kind == "timeseries":
        legend = common.VizLegendOptions().show_legend(bool(panel.query.by))
        return made.span_nulls(True).legend(legend)
    if panel.kind in ("stat", "bargauge"):
        made = made.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    return made.graph_mode(BigValueGraphMode.NONE) if panel.kind == "stat" else made
