"""Dashboards of Grafana as JSON: what `schoolwatch_server.grafana` says, in the words of Grafana's schema."""

from collections.abc import Mapping
from typing import Any

from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    DataSourceRef,
    GraphDrawStyle,
    StackingMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

from schoolwatch_server.grafana import DASHBOARDS, influxql, marks, promql
from schoolwatch_server.grafana.spec import (
    SOURCE,
    SOURCE_TYPES,
    SUFFIX,
    Dashboard,
    Dialect,
    Kind,
    Marks,
    Panel,
    Query,
    Row,
    Shape,
    Variable,
    said,
)
from schoolwatch_server.texts import LANGUAGES, Language

FOLDER = "server/src/schoolwatch_server/grafana/json"

_SOURCE = f"${{{SOURCE}}}"

_BUILDERS: Mapping[Kind, Any] = {
    "timeseries": timeseries.Panel,
    "stat": stat.Panel,
    "table": table.Panel,
    "bargauge": bargauge.Panel,
}


class InfluxQL(Dataquery, Builder["InfluxQL"]):
    """A target of a panel; the SDK has none of this source."""

    def __init__(self, query: Query, language: Language) -> None:
        self._query, self._language = query, language

    def build(self) -> "InfluxQL":
        """Itself."""
        return self

    def to_json(self) -> dict[str, object]:
        """As Grafana's InfluxDB source takes it."""
        return {
            "refId": "A",
            "datasource": {"type": SOURCE_TYPES["influxql"], "uid": _SOURCE},
            "rawQuery": True,
            "query": influxql.query(self._query),
            "resultFormat": "time_series",
            "alias": influxql.alias(self._query, self._language),
        }


def _promql(query: Query, language: Language) -> prometheus.Dataquery:
    """A target of a panel: a range of values for a graph, else one value as of the range's end."""
    made = (
        prometheus.Dataquery()
        .ref_id("A")
        .datasource(_source("promql"))
        .expr(promql.query(query))
        .legend_format(promql.alias(query, language))
        .format(PromQueryFormat.TIME_SERIES)
        .editor_mode(QueryEditorMode.CODE)
        .exemplar(False)
    )
    return made.range() if query.is_over_time else made.instant()


class InfluxQLMarks(Dataquery, Builder["InfluxQLMarks"]):
    """What a dashboard's annotation asks; Grafana 9 to 13 read it out of the target."""

    def __init__(self, asked: Marks, language: Language) -> None:
        self._asked, self._language = asked, language

    def build(self) -> "InfluxQLMarks":
        """Itself."""
        return self

    def to_json(self) -> dict[str, object]:
        """As Grafana's InfluxDB source takes it."""
        return {
            "refId": "Anno",
            "fromAnnotations": True,
            "rawQuery": True,
            "query": influxql.marks(self._asked),
            "textColumn": self._asked.text.of(self._language),
            "tagsColumn": ",".join(self._asked.tags),
        }


def _marks(asked: Marks, language: Language, dialect: Dialect) -> builders.AnnotationQuery:
    """Drawn until somebody switches it off above the dashboard."""
    made = (
        builders.AnnotationQuery()
        .name(asked.title.of(language))
        .datasource(_source(dialect))
        .enable(True)
        .icon_color("red")
    )
    if dialect == "influxql":
        return made.target(InfluxQLMarks(asked, language))
    return (
        made.expr(promql.marks(asked))
        .text_format(f"{{{{{asked.text.of(language)}}}}}")
        .tag_keys(",".join(asked.tags))
        .use_value_for_time(True)
    )


_TARGETS: Mapping[Dialect, Any] = {"influxql": InfluxQL, "promql": _promql}
_VALUES: Mapping[Dialect, Any] = {"influxql": influxql.values, "promql": promql.values}


def documents() -> dict[str, str]:
    """Path → JSON, of every dashboard in each language: they lie with the server, which hands them out."""
    return {
        f"{FOLDER}/{dialect}/{language}/{one.uid}.json": _text(one, language, dialect)
        for dialect in SOURCE_TYPES
        for one in DASHBOARDS
        for language in LANGUAGES
    }


def _source(dialect: Dialect) -> DataSourceRef:
    return DataSourceRef(SOURCE_TYPES[dialect], _SOURCE)


def _text(one: Dashboard, language: Language, dialect: Dialect) -> str:
    encoder = JSONEncoder(sort_keys=True, indent=1, ensure_ascii=False)
    return encoder.encode(_built(one, language, dialect)) + "\n"


def _built(one: Dashboard, language: Language, dialect: Dialect) -> models.Dashboard:
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
    source = builders.DatasourceVariable(SOURCE).label(said("grafana.source").of(language))
    builder = builder.with_variable(source.type(SOURCE_TYPES[dialect]))
    for variable in one.variables:
        builder = builder.with_variable(_variable(variable, language, dialect))
    for other in DASHBOARDS:
        if other.uid != one.uid:
            builder = builder.link(_link(other, language))
    builder = builder.annotation(_marks(marks.of(one.variables), language, dialect))
    first = 1
    for number, row in enumerate(one.rows):
        builder = _with_row(builder, row, language, dialect, first, is_open=number < OPEN)
        first += 1 + len(row.panels)
    return builder.build()


OPEN = 5
"""Rows that are open at first: what is below them is asked for when somebody opens it."""


def _with_row(
    builder: Any, row: Row, language: Language, dialect: Dialect, first: int, *, is_open: bool
) -> Any:
    """The row and its panels, numbered from `first` on."""
    made = builders.Row(row.title.of(language)).id(first)
    panels = [_panel(panel, language, dialect).id(first + n) for n, panel in enumerate(row.panels, 1)]
    if is_open:
        builder = builder.with_row(made)
        for panel in panels:
            builder = builder.with_panel(panel)
        return builder
    for panel in panels:
        made = made.with_panel(panel)
    return builder.with_row(made.collapsed(True))


def _variable(variable: Variable, language: Language, dialect: Dialect) -> Any:
    return (
        builders.QueryVariable(variable.name)
        .label(variable.title.of(language))
        .datasource(_source(dialect))
        .query(_VALUES[dialect](variable))
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


def _panel(panel: Panel, language: Language, dialect: Dialect) -> Any:
    made = (
        _BUILDERS[panel.kind]()
        .title(panel.title.of(language))
        .description(panel.description.of(language))
        .datasource(_source(dialect))
        .unit(panel.unit)
        .no_value(said("grafana.no_value").of(language))
        .span(panel.width)
        .height(panel.height)
        .with_target(_TARGETS[dialect](panel.query, language))
    )
    if panel.interval:
        made = made.interval(panel.interval)
    if panel.kind == "timeseries":
        legend = common.VizLegendOptions().show_legend(bool(panel.query.by))
        return _shaped(made.legend(legend), panel.shape)
    if panel.kind in ("stat", "bargauge"):
        made = made.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    return made.graph_mode(BigValueGraphMode.NONE) if panel.kind == "stat" else made


def _shaped(made: Any, shape: Shape) -> Any:
    """Points joined by lines, laid one on another, or a bar an interval."""
    if shape == "bars":
        return made.draw_style(GraphDrawStyle.BARS).fill_opacity(60)
    made = made.span_nulls(True)
    if shape == "stacked":
        stacking = common.StackingConfig().mode(StackingMode.NORMAL)
        return made.stacking(stacking).fill_opacity(40)
    return made
