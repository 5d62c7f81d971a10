"""Panels in the words of Grafana's schema: queries, columns, links."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import bargauge, common, geomap, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import geomap as geomap_models
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    DataSourceRef,
    FrameGeometrySourceMode,
    GraphDrawStyle,
    StackingMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

from schoolwatch_server.grafana import DASHBOARDS, influxql, promql
from schoolwatch_server.grafana.columns import COLOURS, COLUMNS, HIDDEN, VALUES
from schoolwatch_server.grafana.links import LEADS, PAGES, Of, drill, of_console, page, progress
from schoolwatch_server.grafana.spec import (
    SOURCE,
    SOURCE_TYPES,
    Dashboard,
    Dialect,
    Kind,
    Panel,
    Query,
    Shape,
    said,
)
from schoolwatch_server.texts import Language

SHARE = "percentunit"

_NO_COLOUR, _ALARM = "text", "orange"
"""Of numbers: as text is, and of those that are a reason to look."""

_LETTERS = "ABCDEFGH"
"""What queries of a panel are called."""

_BUILDERS: Mapping[Kind, Any] = {
    "timeseries": timeseries.Panel,
    "stat": stat.Panel,
    "table": table.Panel,
    "bargauge": bargauge.Panel,
    "geomap": geomap.Panel,
}

_BY_UID = {one.uid: one for one in DASHBOARDS}


@dataclass(frozen=True, slots=True)
class At:
    """Where a panel is: on which dashboard, in which language and dialect."""

    dashboard: Dashboard
    language: Language
    dialect: Dialect


def source(dialect: Dialect) -> DataSourceRef:
    """Whichever data source was chosen."""
    return DataSourceRef(SOURCE_TYPES[dialect], f"${{{SOURCE}}}")


class InfluxQL(Dataquery, Builder["InfluxQL"]):
    """A target of a panel; the SDK has none of this source."""

    def __init__(self, query: Query, number: int, language: Language) -> None:
        self._query, self._number, self._language = query, number, language

    def build(self) -> "InfluxQL":
        """Itself."""
        return self

    def to_json(self) -> dict[str, object]:
        """As Grafana's InfluxDB source takes it."""
        return {
            "refId": _LETTERS[self._number],
            "datasource": {"type": SOURCE_TYPES["influxql"], "uid": f"${{{SOURCE}}}"},
            "rawQuery": True,
            "query": influxql.query(self._query),
            "resultFormat": "table" if self._query.name else "time_series",
            "alias": "" if self._query.name else influxql.alias(self._query, self._language),
        }


def _promql(query: Query, number: int, language: Language) -> prometheus.Dataquery:
    """A target of a panel: a range of values for a graph, else one value as of the range's end."""
    made = (
        prometheus.Dataquery()
        .ref_id(_LETTERS[number])
        .datasource(source("promql"))
        .expr(promql.query(query))
        .legend_format(promql.alias(query, language))
        .format(PromQueryFormat.TABLE if query.name else PromQueryFormat.TIME_SERIES)
        .editor_mode(QueryEditorMode.CODE)
        .exemplar(False)
    )
    return made.range() if query.is_over_time else made.instant()


_TARGETS: Mapping[Dialect, Any] = {"influxql": InfluxQL, "promql": _promql}


def panel(one: Panel, at: At) -> Any:
    """One panel of a dashboard."""
    language = at.language
    made = (
        _BUILDERS[one.kind]()
        .title(one.title.of(language))
        .description(one.description.of(language))
        .datasource(source(at.dialect))
        .unit(one.unit)
        .no_value((one.no_data or said("grafana.no_value")).of(language))
        .span(one.width)
        .height(one.height)
    )
    for number, query in enumerate(one.queries):
        made = made.with_target(_TARGETS[at.dialect](query, number, language))
    if one.newest:
        made = made.time_from(one.newest)
    if one.interval:
        made = made.interval(one.interval)
    indicator = one.query.where.get("indicator", "").replace("$indicator", "${indicator}")
    address = progress(at.dashboard, indicator) if indicator else ""
    if address:
        link = builders.DashboardLink(said("grafana.indicator_in_console").of(language))
        link = link.type(models.DashboardLinkType.LINK).target_blank(True)
        made = made.links([link.url(address)])
    if one.console:
        link = builders.DashboardLink(said("grafana.in_console").of(language))
        link = link.type(models.DashboardLinkType.LINK).target_blank(True)
        made = made.links([link.url(of_console(one.console))])
    return _SHAPED[one.kind](made, one, at)


# --- kinds ------------------------------------------------------------------------------------------------


def _timeseries(made: Any, one: Panel, at: At) -> Any:
    legend = common.VizLegendOptions().show_legend(bool(one.query.by or one.also))
    made = _drawn(made.legend(legend), one.shape)
    if one.dashed:
        dashes = models.DynamicConfigValue("custom.lineStyle", {"dash": [10, 10], "fill": "dash"})
        for number in range(1, len(one.queries)):
            made = made.override_by_query(_LETTERS[number], [dashes])
    links = _of_series(one, at)
    made = _called(made, one, at.language)
    return made.data_links(links) if links else made


def _called(made: Any, one: Panel, language: Language) -> Any:
    """Series that are called after the value of one tag, in words and in the colour of what that means."""
    for value, text in VALUES.get(one.query.by[0], {}).items() if len(one.query.by) == 1 else ():
        said_of = [models.DynamicConfigValue("displayName", text.of(language))]
        if value in COLOURS:
            colour = {"mode": "fixed", "fixedColor": COLOURS[value]}
            said_of.append(models.DynamicConfigValue("color", colour))
        made = made.override_by_name(value, said_of)
    return made


def _drawn(made: Any, shape: Shape) -> Any:
    """Points joined by lines, laid one on another, or a bar an interval."""
    if shape == "bars":
        return made.draw_style(GraphDrawStyle.BARS).fill_opacity(60)
    made = made.span_nulls(True)
    if shape == "stacked":
        stacking = common.StackingConfig().mode(StackingMode.NORMAL)
        return made.stacking(stacking).fill_opacity(40)
    return made


def _stat(made: Any, one: Panel, at: At) -> Any:
    made = _bargauge(made, one, at)
    return made.graph_mode(BigValueGraphMode.NONE)


def _bargauge(made: Any, one: Panel, at: At) -> Any:
    made = made.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    made = _called(_coloured(made, one), one, at.language)
    links = _of_series(one, at)
    return made.data_links(links) if links else made


def _coloured(made: Any, one: Panel) -> Any:
    """Grafana's own colours are green, also for what is not known, and red from 80 on, whatever it is."""
    plain = builders.FieldColor()
    if one.alarms_from is None:
        return made.color_scheme(plain.mode(models.FieldColorModeId.FIXED).fixed_color(_NO_COLOUR))
    steps = [models.Threshold(color=_NO_COLOUR), models.Threshold(one.alarms_from, _ALARM)]
    limits = builders.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)
    return made.thresholds(limits).color_scheme(plain.mode(models.FieldColorModeId.THRESHOLDS))


def _table(made: Any, one: Panel, at: At) -> Any:
    sort = common.TableSortByFieldState().display_name(COLUMNS[one.sort].of(at.language))
    made = _with_columns(_with_rows(made, one), one, at)
    made = made.sort_by([sort.desc(one.is_descending)]).filterable(True)
    return made.footer(common.TableFooterOptions().enable_pagination(True))


def _geomap(made: Any, one: Panel, at: At) -> Any:
    place = common.FrameGeometrySource().mode(FrameGeometrySourceMode.GEOHASH).geohash("geohash")
    layer = common.MapLayerOptions().type("markers").name(one.title.of(at.language)).location(place)
    style = {"color": {"field": one.query.name, "fixed": "gray"}, "opacity": 0.8, "size": {"fixed": 6}}
    layer = layer.config({"showLegend": True, "style": style}).tooltip(True)
    view = geomap.MapViewConfig().id("fit").all_layers(True)
    made = _with_columns(_with_rows(made, one), one, at)
    made = made.view(view).layers([layer]).basemap(common.MapLayerOptions().type("default").name("default"))
    return made.tooltip(geomap.TooltipOptions().mode(geomap_models.TooltipMode.DETAILS)).controls(
        geomap.ControlsOptions().show_zoom(True).show_attribution(True)
    )


_SHAPED: Mapping[Kind, Any] = {
    "timeseries": _timeseries,
    "stat": _stat,
    "table": _table,
    "bargauge": _bargauge,
    "geomap": _geomap,
}


# --- tables -----------------------------------------------------------------------------------------------


def _with_rows(made: Any, one: Panel) -> Any:
    """One row for each set of tags: without the instant, further queries are further columns."""
    # what Prometheus' tables call their values
    names = {f"Value #{_LETTERS[n]}": query.name for n, query in enumerate(one.queries)}
    left_out = dict.fromkeys(("Time", *(told for query in one.queries for told in query.told_by)), True)
    options = {"excludeByName": left_out, "renameByName": {"Value": one.query.name, **names}}
    made = made.with_transformation(models.DataTransformerConfig("organize", options=options))
    if one.also:
        made = made.with_transformation(models.DataTransformerConfig("merge", options={}))
    if not any(query.told_by for query in one.queries):
        return made
    # of what nothing is known now there is no row, as in Prometheus
    unknown = [{"fieldName": query.name, "config": {"id": "isNull", "options": {}}} for query in one.queries]
    options = {"filters": unknown, "type": "exclude", "match": "all"}
    return made.with_transformation(models.DataTransformerConfig("filterByValue", options=options))


def _with_columns(made: Any, one: Panel, at: At) -> Any:
    """What columns are called, how their values are written, and where they lead to."""
    hidden = (
        models.DynamicConfigValue("custom.hideFrom", {"legend": False, "tooltip": True, "viz": False})
        if one.kind == "geomap"
        else models.DynamicConfigValue("custom.hidden", True)
    )
    for tag in one.query.apart:
        said_of = [models.DynamicConfigValue("displayName", COLUMNS[tag].of(at.language))]
        links = [{"title": title, "url": url} for title, url in _leads(tag, one, at, "fields")]
        if links:
            said_of.append(models.DynamicConfigValue("links", links))
        if tag in HIDDEN[at.language]:
            said_of.append(hidden)
        if tag in VALUES:
            options = {value: {"text": text.of(at.language)} for value, text in VALUES[tag].items()}
            said_of.append(models.DynamicConfigValue("mappings", [{"type": "value", "options": options}]))
        made = made.override_by_name(tag, said_of)
    for query in one.queries:
        made = made.override_by_name(query.name, _of_number(one, query, at.language))
    return made


def _of_number(one: Panel, query: Query, language: Language) -> list[models.DynamicConfigValue]:
    found = [models.DynamicConfigValue("displayName", COLUMNS[query.name].of(language))]
    if query.unit:
        found.append(models.DynamicConfigValue("unit", query.unit))
    if (query.unit or one.unit) == SHARE:
        scale = "continuous-GrYlRd" if query.is_bad else "continuous-RdYlGr"
        colour = {"mode": "fixed", "fixedColor": "blue"} if query.is_plain else {"mode": scale}
        found += [
            models.DynamicConfigValue("min", 0),
            models.DynamicConfigValue("max", 1),
            models.DynamicConfigValue("color", colour),
        ]
        if one.kind == "table":
            cell = {"type": "gauge", "mode": "basic"}
            found.append(models.DynamicConfigValue("custom.cellOptions", cell))
    return found


# --- links ------------------------------------------------------------------------------------------------


def _of_series(one: Panel, at: At) -> list[Any]:
    return [
        builders.DashboardLink(title).type(models.DashboardLinkType.LINK).url(url)
        for tag in one.query.by
        if tag not in HIDDEN[at.language]
        for title, url in _leads(tag, one, at, "labels")
    ]


def _leads(tag: str, one: Panel, at: At, of: Of) -> list[tuple[str, str]]:
    found = []
    if tag in LEADS and LEADS[tag][0] != at.dashboard.uid:
        to = _BY_UID[LEADS[tag][0]]
        found.append((to.title.of(at.language), drill(tag, one.query.by, at.dashboard, to, at.language, of)))
    if tag in PAGES:
        found.append((said("grafana.in_console").of(at.language), page(tag, of)))
    return found
