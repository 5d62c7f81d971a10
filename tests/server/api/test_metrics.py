"""/metrics and /metrics/indicators: read by the parsers of Prometheus' own library and by VictoriaMetrics."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_metrics

from conftest import Peer
from schoolwatch_server.api import indicator_metrics
from schoolwatch_server.api.exposition import Family, answer, is_open
from schoolwatch_server.database import judged
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.store.series import Judged
from schoolwatch_server.tokens import issue_token
from tree import Tree
from victoriametrics import RunningVictoriaMetrics
from website import RunningSite

Ask = Callable[..., httpx.Client]
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]

PLACES = ("province", "commune", "school")
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
ASKS_OPEN = {"Accept": f"application/openmetrics-text;version=1.0.0;q=0.5,{TEXT}"}
"""As Prometheus asks."""


def row(tree: Tree, school, level: str, indicator: str, back: float, *numbers: float | None) -> Judged:
    ids = {"province": school.province, "commune": school.commune, "school": school.id}
    kinds = PLACES[: PLACES.index(level) + 1]
    tags = {"indicator": indicator, "level": level} | {kind: str(ids[kind]) for kind in kinds}
    return Judged("indicator", tags, tree.now - back, *numbers)


@pytest.fixture(scope="module")
def judged_tree(tree: Tree) -> Tree:
    """Each place has a known indicator, one known no longer, and one that was judged long ago."""
    rows = []
    for school in tree.schools:
        for level in PLACES:
            rows += [
                row(tree, school, level, "antivirus_coverage", 60, 0.5, 3, 6, 0.75),
                row(tree, school, level, "studio", 7200, 1.0, 1, 1, 1.0),
                row(tree, school, level, "studio", 60, None, None, None, 0.25),
                row(tree, school, level, "bandwidth_standard", 60, 0.5, 1, 2, 1.0),
                row(tree, school, level, "fibre", 3 * 86400, 1.0, 1, 1, 1.0),
            ]
    with begin_write(tree.engine) as conn:
        judged.write(conn, rows)
    return tree


def samples(text: str, parse=None) -> Samples:
    found: Samples = {}
    parse = parse or (open_metrics if text.endswith("# EOF\n") else plain_metrics)
    for family in parse(text):
        for one in family.samples:
            key = one.name, frozenset(one.labels.items())
            assert key not in found
            found[key] = one.value
    return found


def labelled(found: Samples, name: str, **labels: str) -> dict[frozenset[tuple[str, str]], float]:
    return {its: value for (n, its), value in found.items() if n == name and labels.items() <= set(its)}


@pytest.mark.parametrize(("accept", "parse"), [("text/plain", plain_metrics), (OPEN, open_metrics)])
def test_every_digit_and_every_letter_is_kept(accept: str, parse) -> None:
    labels = {"name": 'Trường "A"\n\\ B'}
    families = [
        Family("x", "counter", "of \\ many\nlines", [({}, 123_456_789.0)]),
        Family("y_bytes", "gauge", "y", [(labels, 0.1), ({"name": ""}, float("nan"))], "bytes"),
    ]
    found = samples(bytes(answer(families, accept).body).decode(), parse)
    assert found["x_total", frozenset()] == 123_456_789
    assert found["y_bytes", frozenset(labels.items())] == 0.1


@pytest.mark.parametrize(
    ("accept", "opened"),
    [
        ("", False),
        ("*/*", False),  # curl, wget
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),  # a browser
        # Prometheus 2.30; 2.49; 3 and Grafana Alloy, by what is preferred
        ("application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", False),
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
            + TEXT,
            True,
        ),
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
            "application/openmetrics-text;version=0.0.1;q=0.5,"
            "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4," + TEXT,
            True,
        ),
        (
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
            "application/openmetrics-text;version=1.0.0;q=0.5," + TEXT,
            True,
        ),
        ("text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,*/*;q=0.2", False),
        ("text/plain;version=0.0.4;q=1,*/*;q=0.1", False),  # vmagent, VictoriaMetrics
        ("application/openmetrics-text;q=0,*/*", False),
        ("APPLICATION/OpenMetrics-Text ; Version=1.0.0", True),
        ("application/openmetrics-text;q=x", False),
    ],
)
def test_who_asks_for_openmetrics_gets_it(accept: str, opened: bool) -> None:
    assert is_open(accept) == opened


def test_the_server_in_both_formats(ask: Ask, tree: Tree) -> None:
    plain = ask().get("/metrics")
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    opened = ask().get("/metrics", headers=ASKS_OPEN)
    assert opened.headers["content-type"] == OPEN
    assert opened.text.endswith("# EOF\n")
    assert "# UNIT schoolwatch_database_size_bytes bytes\n" in opened.text
    one, other = samples(plain.text, plain_metrics), samples(opened.text)
    assert one.keys() == other.keys()
    for key in [("schoolwatch_committed_total", frozenset()), ("schoolwatch_devices", frozenset())]:
        assert one[key] == other[key] > 0
    assert one["schoolwatch_database_size_bytes", frozenset()] > 100_000
    assert one["schoolwatch_messages_waiting", frozenset()] >= 0
    assert labelled(one, "schoolwatch_cursor_lag_seconds", cursor="rules")
    assert sum(labelled(one, "schoolwatch_agents").values()) == 16
    assert labelled(one, "schoolwatch_build_info")
    (newest,) = labelled(one, "schoolwatch_newest_report_timestamp_seconds").values()
    assert newest <= time.time() + 60


def test_indicators_with_places_and_what_is_not_known(ask: Ask, judged_tree: Tree) -> None:
    said = ask().get("/metrics/indicators", params={"level": "school"}, headers=ASKS_OPEN)
    assert said.headers["content-type"] == OPEN
    assert said.headers["vary"] == "Accept, Accept-Encoding"
    assert said.text.endswith("# EOF\n")
    assert "# UNIT schoolwatch_indicator_coverage_ratio ratio\n" in said.text
    found = samples(said.text)
    school = judged_tree.schools[0]
    place = {"level": "school", "school": str(school.id), "school_name": f"Trường {school.mark}"}
    for name, value in (("value", 0.5), ("numerator", 3), ("denominator", 6), ("coverage_ratio", 0.75)):
        known = labelled(found, f"schoolwatch_indicator_{name}", indicator="antivirus_coverage", **place)
        assert list(known.values()) == [value]
        (labels,) = map(dict, known)
        assert {"commune", "commune_name", "province", "province_name"} <= labels.keys()
        assert labels["unit"] == "ratio"
    # it was 1 two hours ago, and is not known now: neither 1 nor 0
    for name in ("value", "numerator", "denominator"):
        assert not labelled(found, f"schoolwatch_indicator_{name}", indicator="studio", **place)
    known = labelled(found, "schoolwatch_indicator_coverage_ratio", indicator="studio", **place)
    assert list(known.values()) == [0.25]
    assert not labelled(found, "schoolwatch_indicator_value", indicator="fibre"), "of three days ago"
    assert labelled(found, "schoolwatch_incidents_open")
    speed = {"indicator": "bandwidth_standard"}
    assert labelled(found, "schoolwatch_indicator_value", unit="Mbit/s", **speed)
    usual = ask().get("/metrics/indicators")
    assert usual.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    communes = samples(usual.text)
    assert not labelled(communes, "schoolwatch_indicator_value", unit="Mbit/s"), "there it is a share"
    assert labelled(communes, "schoolwatch_indicator_value", unit="ratio", **speed)


def test_schools_of_a_province_only_when_asked_for(ask: Ask, judged_tree: Tree) -> None:
    def levels(client: httpx.Client, **params: str) -> set[str]:
        found = samples(client.get("/metrics/indicators", params=params).text)
        return {dict(labels)["level"] for labels in labelled(found, "schoolwatch_indicator_value")}

    school = judged_tree.schools[0]
    assert levels(ask()) == {"province", "commune"}
    assert levels(ask(Scope("province", school.province))) == {"province", "commune"}
    assert levels(ask(Scope("commune", school.commune))) == {"commune", "school"}
    assert levels(ask(Scope("school", school.id))) == {"school"}
    assert levels(ask(), level="school", indicator="antivirus_coverage") == {"school"}


@pytest.mark.parametrize("number", [1, 4, 14])
def test_a_token_sees_its_own_part(ask: Ask, judged_tree: Tree, number: int) -> None:
    scope = judged_tree.scopes[number]
    params = {"level": PLACES}
    found = samples(ask(scope).get("/metrics/indicators", params=params).text)
    inside = [one for one in judged_tree.schools if one.inside(scope)]
    schools = {dict(labels).get("school") for (_, labels) in found} - {None}
    assert schools == {str(one.id) for one in inside}
    if scope.level == "commune":
        communes = {dict(labels).get("commune") for (_, labels) in found} - {None}
        assert communes == {str(scope.id)}
    here = labelled(found, "schoolwatch_incidents_open")
    everywhere = labelled(samples(ask().get("/metrics/indicators").text), "schoolwatch_incidents_open")
    assert sum(here.values()) == len(inside)
    assert sum(everywhere.values()) == len(judged_tree.schools)


def test_too_many_at_once_and_what_there_is_not(
    ask: Ask, judged_tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask().get("/metrics/indicators", params={"indicator": "nonsense"}).status_code == 404
    assert ask().get("/metrics/indicators", params={"level": "planet"}).status_code == 422
    monkeypatch.setattr(indicator_metrics, "MOST", 3)
    refused = ask().get("/metrics/indicators")
    assert refused.status_code == 422
    assert "name `indicator`s" in refused.text


def test_a_real_victoriametrics_scrapes_both(
    peer: Peer,
    tmp_path: Path,
    free_port: Callable[[], int],
    site: RunningSite,
    judged_tree: Tree,
) -> None:
    """With the configuration of docs/operating.md: the token in a file, as Prometheus has it."""
    token = tmp_path / "token"
    token.write_text(issue_token(site.engine, "prometheus", "read", EVERYTHING, 1))
    scrapes = "".join(
        f"""  - job_name: {name}
    scrape_interval: 1s
    metrics_path: {path}
    bearer_token_file: {token}
    static_configs: [{{targets: ['127.0.0.1:{site.port}']}}]
"""
        for name, path in (("server", "/metrics"), ("indicators", "/metrics/indicators"))
    )
    config = tmp_path / "scrape.yaml"
    config.write_text(f"scrape_configs:\n{scrapes}")
    program = peer("victoria-metrics")
    running = RunningVictoriaMetrics(program, tmp_path / "vm", free_port(), (f"-promscrape.config={config}",))
    running.start()
    communes = {school.commune for school in judged_tree.schools}
    try:
        wait_for(running, "schoolwatch_devices", 16)
        wait_for(
            running,
            'count(schoolwatch_indicator_value{level="commune",indicator="antivirus_coverage"})',
            len(communes),
        )
    finally:
        running.stop()


def wait_for(running: RunningVictoriaMetrics, query: str, value: float) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        running.flush()
        said = httpx.get(f"{running.url}/api/v1/query", params={"query": query}).json()
        found = [float(one["value"][1]) for one in said["data"]["result"]]
        if found == [value]:
            return
        time.sleep(0.3)
    raise AssertionError((query, said))
