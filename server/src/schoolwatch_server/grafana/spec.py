"""What a panel is: its query in no engine's language, its unit, its words."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from schoolwatch_server import texts
from schoolwatch_server.indicators.stored import MEASUREMENT
from schoolwatch_server.influxql.query import Function
from schoolwatch_server.store.names import INCIDENT_TIMES, LAN, NAMED, TARGET
from schoolwatch_server.texts import Language

Kind = Literal["timeseries", "stat", "table", "bargauge", "geomap"]

Shape = Literal["lines", "stacked", "bars"]

Dialect = Literal["influxql", "promql"]
"""The language in which a dashboard asks; its files lie in json/DIALECT/LANGUAGE."""

SOURCE_TYPES: Final[Mapping[Dialect, str]] = {"influxql": "influxdb", "promql": "prometheus"}
"""Grafana's id of the data source that speaks it."""

SOURCE: Final = "source"
"""The variable that says which data source all panels read."""

CONSOLE: Final = "console"
"""The variable that holds the address of this server's own pages; provisioning fills it in."""

GIVEN: Final = "*"
"""In `where`: the tag has some value or other."""

CHOICE: Final = r"/^(?<text>.+)\|(?<value>[^|]+)$/"
"""How Grafana tells the two parts of a `store.names.choice`, since 7.4:
https://grafana.com/docs/grafana/latest/visualizations/dashboards/variables/add-template-variables/#filter-variables-with-regex"""

KNOWN_BY: Final = {MEASUREMENT: "coverage", LAN: "coverage", INCIDENT_TIMES: "denominator"}
"""Of measurements whose number may be unknown the field that each row has."""

_OF_ROWS: Final[Mapping[str, tuple[str, ...]]] = {TARGET: ("numerator", "denominator")}
"""The fields that tell of each row, the end of a series too; of others denominator and coverage."""

WIDTH: Final = 24
"""Columns of Grafana's grid."""


@dataclass(frozen=True, slots=True)
class Words:
    """A text in both languages."""

    vi: str
    en: str

    def of(self, language: Language) -> str:
        """In one of them."""
        return self.vi if language == "vi" else self.en


def said(key: str, **values: Words) -> Words:
    """A text of texts/ with its places filled."""
    known = texts.load()
    vi, en = (known.get(one, key, **{k: v.of(one) for k, v in values.items()}) for one in texts.LANGUAGES)
    return Words(vi, en)


@dataclass(frozen=True, slots=True)
class Query:
    """Points of series of a measurement, put together by `by` and by a function.

    `where` says which values a tag must have: one text, `$name` for what a variable has chosen, or `GIVEN`.
    With `is_over_time` there is one value an interval of the graph, else one over all of the range.
    `named_by` is the tag that names a series to people, where it isn't all of `by`: one in each language.
    `name` is the column that a table has the value in; only tables and maps have one. `label` stands before
    the tags in a legend. `unit` is Grafana's id of a column's unit where that isn't the panel's; with
    `is_bad` more of a share is worse, with `is_plain` it is neither worse nor better.
    With `is_current` the newest row is what holds: where it has no number of the field nothing is known now,
    whatever an older row says.
    """

    measurement: str
    where: Mapping[str, str] = field(hash=False)
    by: tuple[str, ...] = ()
    function: Function = "last"
    field: str = "value"
    is_over_time: bool = True
    named_by: Words | None = None
    name: str = ""
    label: Words | None = None
    unit: str = ""
    is_bad: bool = False
    is_plain: bool = False
    is_current: bool = False

    @property
    def told_by(self) -> tuple[str, ...]:
        """The fields that say whether there is a newer row than that of the number, where that counts.

        A table leaves other columns out, a single number is reckoned with one that each row has.
        """
        if not self.is_current:
            return ()
        if self.name:
            return self.of_rows
        return (KNOWN_BY[self.measurement],) if self.measurement in KNOWN_BY else ()

    @property
    def of_rows(self) -> tuple[str, ...]:
        """The other fields of which each row has one at least, the end of a series too."""
        found = _OF_ROWS.get(self.measurement, ("denominator", "coverage"))
        return tuple(one for one in found if one != self.field)

    @property
    def apart(self) -> tuple[str, ...]:
        """The tags that tell series apart: before each place's name its id, as two may be called the same."""
        return tuple(dict.fromkeys(one for tag in self.by for one in (NAMED.get(tag, tag), tag)))

    def names(self, language: Language) -> tuple[str, ...]:
        """The tags that tell series apart in a legend."""
        return self.by if self.named_by is None else (self.named_by.of(language),)


@dataclass(frozen=True, slots=True)
class Marks:
    """What happened when, drawn across every graph of a dashboard: points of series, each with its text.

    `text` is the tag that says it, one in each language; `tags` are said beside it.
    """

    title: Words
    measurement: str
    where: Mapping[str, str] = field(hash=False)
    text: Words
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel; `unit` is Grafana's id of it, `width` and `height` are of its grid.

    `shape` is how a graph draws its series: `stacked` are parts of a whole, `bars` sums of an interval.
    `interval` is the shortest one that a graph asks for (`1d`).
    `also` are queries beside the first: further lines, or further columns of a table whose rows have the same
    tags. `newest` is how far it looks back, whatever range was chosen (Grafana's `2h`): for what holds now.
    A table is sorted by `sort`, the name of a column; the largest stands first with `is_descending`.
    With `dashed` the lines of `also` are goals, drawn as dashes.
    `console` is its page of the console, a path with `${variables}`. `no_data` stands where no point is, when
    that says something else than that not enough is known. A single number is without a colour, but for one
    of which `alarms_from` on is a reason to look.
    """

    kind: Kind
    title: Words
    description: Words
    unit: str
    query: Query
    width: int = 12
    height: int = 8
    shape: Shape = "lines"
    interval: str = ""
    also: tuple[Query, ...] = ()
    newest: str = ""
    sort: str = "value"
    is_descending: bool = False
    dashed: bool = False
    console: str = ""
    no_data: Words | None = None
    alarms_from: float | None = None

    @property
    def queries(self) -> tuple[Query, ...]:
        """All of its queries; of what holds now the newest row counts."""
        return tuple(map(self._of_now, (self.query, *self.also)))

    def _of_now(self, one: Query) -> Query:
        is_now = self.newest and one.function == "last" and not one.is_over_time
        # which schools and devices there are has one field
        return replace(one, is_current=True) if is_now and not one.measurement.endswith("_info") else one


@dataclass(frozen=True, slots=True)
class Variable:
    """A list to choose from: the values of a tag of a measurement, of what was chosen before.

    With `is_choice` a value says both what is shown and what it stands for (`store.names.choice`).
    With `is_hidden` it is only looked up, as a school's code for links. `choices`: what there is to choose
    from, by value, where that is no tag; the first one at first.
    """

    name: str
    title: Words
    measurement: str = ""
    tag: str = ""
    where: Mapping[str, str] = field(hash=False, default_factory=dict)
    is_choice: bool = False
    is_hidden: bool = False
    choices: Mapping[str, Words] = field(hash=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """Panels below one heading."""

    title: Words
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard; `uid` is its address for life, `days` how far it looks back at first.

    `up` are the dashboards that it leads to, by uid: those of the places that it is in, the nearest first.
    `console` is its own page of the console, a path with `${variables}`. `marks` says whose incidents are
    drawn across its graphs, where it isn't those of the narrowest place that it chooses.
    """

    uid: str
    title: Words
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    days: int = 30
    up: tuple[str, ...] = ()
    console: str = ""
    marks: str = ""

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, in their order."""
        return tuple(panel for row in self.rows for panel in row.panels)


SUFFIX: Final[Mapping[Language, str]] = {"vi": "", "en": "-en"}
"""What is added to a uid: both languages may be in one Grafana."""
