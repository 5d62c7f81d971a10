"""Each dashboard, by rule: what every panel has, and that nothing of the catalogue is on none."""

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard as Model

import schoolwatch_server.grafana
from schoolwatch_contract.catalogue import METRICS
from schoolwatch_server import rules
from schoolwatch_server.console.routes import ROUTES
from schoolwatch_server.grafana import DASHBOARDS, marks, sources
from schoolwatch_server.grafana.left_out import LEFT_OUT
from schoolwatch_server.grafana.places import LOWER_IS_BETTER, UNITS
from schoolwatch_server.grafana.spec import SOURCE_TYPES, Dialect, Query
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.stored import MEASUREMENT, PARTS
from schoolwatch_server.rules import Rule
from schoolwatch_server.store import names as names_of
from schoolwatch_server.store.names import measurement_of
from schoolwatch_server.texts import LANGUAGES, Language

ABOVE = {
    MEASUREMENT, PARTS, "device_info", names_of.TARGET, names_of.CLAIMS,
    names_of.CLAIMS_BY_STATE, names_of.UNPLACED, names_of.POSTURE, names_of.ROLLOUT, names_of.SERVER,
    names_of.ISP, *names_of.GO_WITH_SCHOOL,
}  # fmt: skip
"""What was judged, or which there are."""

FOLDER = Path(schoolwatch_server.grafana.__file__).with_name("json")
FILES = sorted(FOLDER.glob("**/*.json"))

of_each = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))


def shown(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every panel, those below closed rows too; rows themselves are none."""
    for panel in document["panels"]:
        yield from panel.get("panels", ())
        if panel["type"] != "row":
            yield panel


def read(dialect: Dialect, language: Language, uid: str) -> dict[str, Any]:
    """A committed dashboard."""
    text = (FOLDER / dialect / language / f"{uid}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def keys(value: object, path: str = "") -> set[str]:
    """The path of every key that says something."""
    if isinstance(value, dict):
        return {f"{path}.{key}" for key in value}.union(*(keys(v, f"{path}.{k}") for k, v in value.items()))
    if isinstance(value, list):
        return set().union(*(keys(v, f"{path}[{n}]") for n, v in enumerate(value)))
    return set()


def test_there_is_a_file_of_each_in_both_languages() -> None:
    names = {path.relative_to(FOLDER).parts for path in FILES}
    assert names == {
        (dialect, language, f"{one.uid}.json")
        for dialect in SOURCE_TYPES
        for one in DASHBOARDS
        for language in LANGUAGES
    }


@of_each
def test_every_panel_is_whole(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    assert 0 < len(document["uid"]) <= 40
    variables = [one["name"] for one in document["templating"]["list"]]
    assert variables[0] == "source"
    chosen = document["templating"]["list"][0]["current"]
    assert (chosen["text"], chosen["value"]) == (sources.NAME, sources.UID), "a Grafana may have others"
    panels = list(shown(document))
    assert panels
    for panel in panels:
        says = panel["title"]
        assert panel["title"].strip()
        assert panel["description"].strip(), says
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS.values(), says
        assert panel["fieldConfig"]["defaults"]["noValue"].strip(), says
        assert panel["datasource"]["uid"] == "${source}", says
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${source}"}, says
        assert len(says) <= min(60, 7 * panel["gridPos"]["w"]), f"{says}: cut off above its panel"
    for row in (one for one in document["panels"] if one["type"] == "row"):
        assert len(row["title"]) <= 60, row["title"]
    ids = [panel["id"] for panel in panels] + [p["id"] for p in document["panels"] if p["type"] == "row"]
    assert len(ids) == len(set(ids))


@of_each
def test_each_panel_has_a_place_of_its_own(path: Path) -> None:
    """One that sticks out of the grid Grafana shifts over its neighbour, which then moves down."""
    document = json.loads(path.read_text(encoding="utf-8"))
    taken: set[tuple[int, int]] = set()
    for one in (*shown(document), *(panel for panel in document["panels"] if panel["type"] == "row")):
        place = one["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24, one["title"]
        columns, lines = (
            range(place["x"], place["x"] + place["w"]),
            range(place["y"], place["y"] + place["h"]),
        )
        its = {(x, y) for x in columns for y in lines}
        assert not its & taken, one["title"]
        taken |= its


@of_each
def test_colours_mean_what_they_say(path: Path) -> None:
    """Without a word Grafana paints a number green, also one that is not known, and red from 80 on."""
    document = json.loads(path.read_text(encoding="utf-8"))
    for panel in shown(document):
        says, plain = panel["title"], {"mode": "fixed", "fixedColor": "text"}
        defaults = panel["fieldConfig"]["defaults"]
        if panel["type"] in ("stat", "bargauge") and defaults["color"] != plain:
            assert defaults["color"] == {"mode": "thresholds"}, says
            first, *_ = defaults["thresholds"]["steps"]
            assert first == {"color": "text", "value": None}, says
        asked = "\n".join(str(one.get("query") or one.get("expr")) for one in panel["targets"])
        scales = {
            said["value"]["mode"]
            for one in panel["fieldConfig"]["overrides"]
            for said in one["properties"]
            if panel["type"] in ("table", "geomap") and said["id"] == "color"
        }
        if any(f"'{one}'" in asked or f'"{one}"' in asked for one in LOWER_IS_BETTER):
            assert scales <= {"continuous-GrYlRd"}, says
        if names_of.TARGET in asked:
            assert scales <= {"fixed"}, f"{says}: of some targets more is better, of others less"


@of_each
def test_grafanas_schema_knows_every_key(path: Path) -> None:
    """What its own model reads and writes again has lost nothing: a key written wrong would be gone."""
    register_default_plugins()
    document = json.loads(path.read_text(encoding="utf-8"))
    again = json.loads(JSONEncoder().encode(Model.from_json(document)))
    assert keys(document) - keys(again) == set()


@of_each
def test_tables_and_maps_have_one_row_for_each_place(path: Path) -> None:
    """The instant is left out and, where there are several numbers, they are put beside each other."""
    for panel in shown(json.loads(path.read_text(encoding="utf-8"))):
        steps = panel.get("transformations", [])
        assert [step for step in steps if step.get("disabled") or step["options"] is None] == []
        if panel["type"] in ("table", "geomap"):
            assert steps[0]["id"] == "organize", panel["title"]
            assert steps[0]["options"]["excludeByName"]["Time"] is True
            joined = ["merge"] if len(panel["targets"]) > 1 else []
            if steps[-1]["id"] == "filterByValue":
                of_now = steps.pop()["options"]
                assert (of_now["type"], of_now["match"]) == ("exclude", "all")
                assert {one["config"]["id"] for one in of_now["filters"]} == {"isNull"}
                assert len(of_now["filters"]) == len(panel["targets"])
                left_out = steps[0]["options"]["excludeByName"].keys() - {"Time"}
                for query in (one["query"] for one in panel["targets"] if "query" in one):
                    beside = re.findall(r'"(\w+)"', query.partition(" FROM ")[0].partition(" AS ")[2])[1:]
                    assert beside
                    assert left_out >= set(beside), "what says of which row a number is"
            assert [step["id"] for step in steps[1:]] == joined, panel["title"]


@of_each
def test_every_link_leads_to_a_dashboard_and_sets_what_is_there(path: Path) -> None:
    """And takes along source and time; what a link takes from a row stands in the row."""
    document = json.loads(path.read_text(encoding="utf-8"))
    own = {one["name"] for one in document["templating"]["list"]}
    for link in document["links"]:
        if link["url"].startswith("${console}/"):
            assert any(page.fullmatch(link["url"].removeprefix("${console}")) for page in PAGES), link
        else:
            assert link["type"] == "dashboards" or link["url"].startswith("/d/"), link
        if link["type"] == "link" and link["url"].startswith("/d/"):
            assert link["url"].removeprefix("/d/") in names(path.parent), link["url"]
            assert link["keepTime"]
            assert link["includeVars"]
    for panel in shown(document):
        for url in urls(panel):
            assert set(re.findall(r"\$\{(\w+)[:}]", url)) <= {*own, "__url_time_range"}, url
            tags = {tag for target in panel["targets"] for tag in grouped(target)}
            assert set(re.findall(r"\$\{__(?:data\.fields|field\.labels)\.(\w+):", url)) <= tags, url
            if url.startswith("${console}/"):
                assert any(page.fullmatch(url.removeprefix("${console}").partition("?")[0]) for page in PAGES)
            else:
                uid, _, query = url.removeprefix("/d/").partition("?")
                there = names(path.parent)[uid]
                assert set(re.findall(r"var-(\w+)=", query)) <= there, url
                assert set(re.findall(r"\$\{(\w+):queryparam\}", query)) <= there & own, url
                assert {"${source:queryparam}", "${__url_time_range}"} <= set(query.split("&")), url


PAGES = [re.compile(re.sub(r"\{\w+\}", "[^/]+", route.path)) for route in ROUTES if route.method == "GET"]
"""Addresses of the console."""


@cache
def names(folder: Path) -> dict[str, set[str]]:
    """uid → variables, of the dashboards of a folder."""
    every = (json.loads(one.read_text(encoding="utf-8")) for one in folder.glob("*.json"))
    return {one["uid"]: {variable["name"] for variable in one["templating"]["list"]} for one in every}


def grouped(target: dict[str, str]) -> list[str]:
    """The tags that a query tells apart."""
    if "query" in target:
        return re.findall(r'"(\w+)"', target["query"].partition(" GROUP BY ")[2])
    return [tag for by in re.findall(r" by \(([^)]*)\)", target["expr"]) for tag in by.split(", ")]


def urls(panel: dict[str, Any]) -> Iterator[str]:
    """All that a panel leads to."""
    links = [*panel.get("links", ()), *panel["fieldConfig"]["defaults"].get("links", ())]
    for override in panel["fieldConfig"]["overrides"]:
        links += [one for p in override["properties"] if p["id"] == "links" for one in p["value"]]
    yield from (link["url"] for link in links)


def test_one_goes_from_the_province_to_a_device_and_back() -> None:
    leads = {
        path.stem: {
            url.removeprefix("/d/").partition("?")[0]
            for url in [
                *(url for panel in shown(document) for url in urls(panel)),
                *(link["url"] for link in document["links"] if link["type"] == "link"),
            ]
        }
        for path in FILES
        if path.relative_to(FOLDER).parts[:2] == ("influxql", "vi")
        for document in [json.loads(path.read_text(encoding="utf-8"))]
    }
    way = [f"schoolwatch-{place}" for place in ("province", "commune", "school", "device")]
    for above, below in pairwise(way):
        assert below in leads[above]
        assert above in leads[below]
    for place in way:
        assert any(url.startswith("${console}/") for url in leads[place]), place


def test_both_languages_differ_and_say_the_same_of_queries() -> None:
    for one in DASHBOARDS:
        vi, en = (read("influxql", language, one.uid) for language in LANGUAGES)
        assert vi["title"] != en["title"]
        assert vi["uid"] != en["uid"]
        queries = ([[t["query"] for t in p["targets"]] for p in shown(each)] for each in (vi, en))
        assert next(queries) == next(queries)


@pytest.mark.parametrize("language", LANGUAGES)
def test_dialects_differ_in_nothing_but_what_is_asked(language: Language) -> None:
    def rest(document: dict[str, Any]) -> dict[str, Any]:
        for panel in shown(document):
            del panel["targets"], panel["datasource"]
        for variable in document["templating"]["list"]:
            del variable["query"]
            variable.pop("regex", None)  # lists are taken apart otherwise
            variable.pop("datasource", None)
        document["annotations"] = [one["name"] for one in document["annotations"]["list"]]
        return document

    for one in DASHBOARDS:
        influxql, promql = (read(dialect, language, one.uid) for dialect in SOURCE_TYPES)
        assert rest(influxql) == rest(promql)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_graph_has_the_incidents_of_its_place(language: Language) -> None:
    """Drawn until somebody switches them off, each dashboard those of a place that it chooses."""
    title = marks.TITLE.of(language)
    for one in DASHBOARDS:
        (mine,) = read("influxql", language, one.uid)["annotations"]["list"]
        (theirs,) = read("promql", language, one.uid)["annotations"]["list"]
        assert mine["enable"]
        assert not mine["hide"]
        assert mine["target"]["textColumn"] == title
        assert theirs["textFormat"] == f"{{{{{title}}}}}"
        chosen = {name for name in ("province", "commune", "school") if f"${{{name}:" in theirs["expr"]}
        assert chosen <= {variable.name for variable in one.variables}, one.uid
        assert chosen or 'level="server"' in theirs["expr"], one.uid


def test_every_metric_indicator_and_kind_of_incident_is_on_a_panel_or_has_a_reason() -> None:
    queries = [query for one in DASHBOARDS for panel in one.panels for query in panel.queries]
    asked = {query.measurement for query in queries}
    missing = {metric for metric in METRICS if measurement_of(metric) not in asked}
    missing |= {one.id for one in INDICATORS} - {query.where.get("indicator") for query in queries}
    missing |= {rule.id for rule in rules.load() if not any(shows(query, rule) for query in queries)}
    assert missing == set(LEFT_OUT)
    assert all(len(reason) > 20 for reason in LEFT_OUT.values())


def shows(query: Query, rule: Rule) -> bool:
    """Whether incidents of a rule are told apart from others, where incidents of its scope are counted."""
    level = "server" if rule.scope == "server" else "province"
    by_rule = query.measurement == names_of.INCIDENTS_BY_RULE and "rule" in query.by
    return by_rule and query.where.get("rule", rule.id) == rule.id and query.where.get("level") == level


def test_above_a_device_nothing_but_what_was_judged_is_read() -> None:
    for one in DASHBOARDS:
        for panel in one.panels:
            if "device" not in panel.query.where:
                asked = {query.measurement for query in panel.queries}
                assert asked <= ABOVE, (one.uid, panel.title)


def test_measurements_of_metrics_are_told_apart() -> None:
    names = [measurement_of(metric) for metric in METRICS]
    assert len(names) == len(set(names))
