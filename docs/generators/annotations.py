"""Annotations in the words of Grafana's schema: incidents as lines across every graph."""

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery

from generators.panels import source
from schoolwatch_server.grafana import influxql, marks, promql
from schoolwatch_server.grafana.spec import Dashboard, Dialect, Marks
from schoolwatch_server.texts import Language


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


def marks_of(one: Dashboard, language: Language, dialect: Dialect) -> builders.AnnotationQuery:
    """Drawn until somebody switches it off above the dashboard."""
    asked = marks.of(one)
    made = (
        builders.AnnotationQuery()
        .name(asked.title.of(language))
        .datasource(source(dialect))
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
