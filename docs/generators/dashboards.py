"""Dashboards of Grafana as JSON: what `schoolwatch_server.grafana` says, in the words of Grafana's schema."""

from collections.abc import Mapping
from typing import Any

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from generators.annotations import marks_of
from generators.panels import At, panel, source
from schoolwatch_server.grafana import DASHBOARDS, influxql, promql, sources
from schoolwatch_server.grafana.links import of_console
from schoolwatch_server.grafana.spec import (
    CONSOLE,
    SOURCE,
    SOURCE_TYPES,
    SUFFIX,
    Dashboard,
    Dialect,
    Row,
    Variable,
    said,
)
from schoolwatch_server.texts import LANGUAGES, Language

FOLDER = "server/src/schoolwatch_server/grafana/json"

OPEN = 5
"""Rows that are open at first: what is below them is asked for when somebody opens it."""

_VALUES: Mapping[Dialect, Any] = {"influxql": influxql.values, "promql": promql.values}
_LISTED: Mapping[Dialect, Any] = {"influxql": influxql.listed, "promql": promql.listed}

_BY_UID = {one.uid: one for one in DASHBOARDS}


class _Made(Builder[Any]):
    """What is whole already, for a builder that takes builders."""

    def __init__(self, made: Any) -> None:
        self._made = made

    def build(self) -> Any:
        """It."""
        return self._made


def documents() -> dict[str, str]:
    """Path → JSON, of every dashboard in each language: they lie with the server, which hands them out."""
    return {
        f"{FOLDER}/{dialect}/{language}/{one.uid}.json": _text(At(one, language, dialect))
        for dialect in SOURCE_TYPES
        for one in DASHBOARDS
        for language in LANGUAGES
    }


def _text(at: At) -> str:
    return JSONEncoder(sort_keys=True, indent=1, ensure_ascii=False).encode(_built(at)) + "\n"


def _built(at: At) -> models.Dashboard:
    one, language = at.dashboard, at.language
    builder = (
        builders.Dashboard(one.title.of(language))
        .uid(one.uid + SUFFIX[language])
        .tags(["schoolwatch", _tag(language)])
        .editable()
        .refresh("5m")
        .time(f"now-{one.days}d", "now")
        .timezone("Asia/Ho_Chi_Minh")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
    )
    reads = builders.DatasourceVariable(SOURCE).label(said("grafana.source").of(language))
    # else the first of that type comes first, which may be somebody else's; older ones know it by its name
    ours = models.VariableOption(selected=True, text=sources.NAME, value=sources.UID)
    builder = builder.with_variable(reads.type(SOURCE_TYPES[at.dialect]).current(ours))
    for variable in one.variables:
        builder = builder.with_variable(_variable(variable, at))
    builder = builder.with_variable(_Made(_console()))
    for link in _links(one, language):
        builder = builder.link(_Made(link))
    builder = builder.annotation(marks_of(one, language, at.dialect))
    first = 1
    for number, row in enumerate(one.rows):
        builder = _with_row(builder, row, at, first, is_open=number < OPEN)
        first += 1 + len(row.panels)
    return _laid(builder.build())


GRID = 24
"""Columns of Grafana's grid."""


def _laid(made: models.Dashboard) -> models.Dashboard:
    """With each panel where it fits: the SDK lets the last one of a line stick out of the grid."""
    x = y = line = 0
    panels = [one for each in made.panels or [] for one in (each, *(getattr(each, "panels", None) or ()))]
    for one in panels:
        place = one.grid_pos
        if place is None or x + place.w > GRID:
            x, y, line = 0, y + line, 0
        if place is not None:
            place.x, place.y = x, y
            x, line = x + place.w, max(line, place.h)
    return made


def _with_row(builder: Any, row: Row, at: At, first: int, *, is_open: bool) -> Any:
    """The row and its panels, numbered from `first` on."""
    made = builders.Row(row.title.of(at.language)).id(first)
    panels = [panel(each, at).id(first + n) for n, each in enumerate(row.panels, 1)]
    if is_open:
        builder = builder.with_row(made)
        for each in panels:
            builder = builder.with_panel(each)
        return builder
    for each in panels:
        made = made.with_panel(each)
    return builder.with_row(made.collapsed(True))


# --- variables --------------------------------------------------------------------------------------------


def _variable(variable: Variable, at: At) -> Any:
    label = variable.title.of(at.language)
    if variable.choices:
        return _Made(_chosen(variable, label, at.language))
    made = (
        builders.QueryVariable(variable.name)
        .label(label)
        .datasource(source(at.dialect))
        .query(_VALUES[at.dialect](variable))
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
    )
    if regex := _LISTED[at.dialect](variable):
        made = made.regex(regex)
    return made.hide(models.VariableHide.HIDE_VARIABLE) if variable.is_hidden else made


def _chosen(variable: Variable, label: str, language: Language) -> models.VariableModel:
    """A list that is the same everywhere; commas in it are escaped."""
    texts = {value: text.of(language) for value, text in variable.choices.items()}
    options = [models.VariableOption(n == 0, text, value) for n, (value, text) in enumerate(texts.items())]
    escaped = (text.replace(",", "\\,") for text in texts.values())
    query = ", ".join(f"{text} : {value}" for text, value in zip(escaped, texts, strict=True))
    return models.VariableModel(
        models.VariableType.CUSTOM, variable.name, label, query=query, current=options[0], options=options
    )


def _console() -> models.VariableModel:
    """Where the console is: empty until somebody provisions the dashboard."""
    return models.VariableModel(
        models.VariableType.CONSTANT,
        CONSOLE,
        hide=models.VariableHide.HIDE_VARIABLE,
        skip_url_sync=True,
        query="",
        current=models.VariableOption(True, "", ""),
    )


# --- links ------------------------------------------------------------------------------------------------


def _links(one: Dashboard, language: Language) -> list[models.DashboardLink]:
    """To the places above, to the console, and to all other dashboards in a list."""
    found = [_link(_BY_UID[uid].title.of(language), f"/d/{uid}{SUFFIX[language]}") for uid in one.up]
    for link in found:
        link.include_vars = link.keep_time = True
    if one.console:
        console = _link(said("grafana.in_console").of(language), of_console(one.console))
        console.target_blank = True
        found.append(console)
    others = _link(said("grafana.others").of(language), "")
    others.type_val = models.DashboardLinkType.DASHBOARDS
    others.tags, others.as_dropdown = [_tag(language)], True
    others.include_vars = others.keep_time = True
    return [*found, others]


def _link(title: str, url: str) -> models.DashboardLink:
    made = models.DashboardLink(title, url=url)
    made.placement = ""  # above the panels, not within a menu
    return made


def _tag(language: Language) -> str:
    return f"schoolwatch-{language}"
