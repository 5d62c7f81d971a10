"""What each endpoint answers, on reports that went the real way from frame to database."""

import csv
import io
import re

import httpx
import pytest

from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.reports.punctuality import INDICATOR as ON_TIME
from schoolwatch_server.scope import Scope
from tree import Tree


def test_schools_are_listed_with_their_place_and_declared_numbers(tree: Tree, ask) -> None:
    answer = ask().get("/api/v1/schools").json()
    assert answer["next"] is None
    assert [school["code"] for school in answer["schools"]] == [school.code for school in tree.schools]
    first = tree.schools[0]
    assert answer["schools"][0] == {
        "code": first.code,
        "name": f"Trường {first.mark}",
        "level": "THCS",
        "commune": "Xã MarkC00X",
        "province": "Tỉnh MarkP0X",
        "managed_by": "xa",
        "is_public": True,
        "declared": {"students": 100 + first.id, "devices": 2},
    }


@pytest.mark.parametrize(
    ("path", "rows", "every"),
    [
        ("schools", "schools", 8),
        ("devices", "devices", 16),
        ("facts", "facts", 32),
        ("incidents", "incidents", 16),
    ],
)
@pytest.mark.parametrize("limit", [1, 3, 8, 500])
def test_pages_hold_each_row_once_whatever_their_size(
    ask, path: str, rows: str, every: int, limit: int
) -> None:
    client, cursor, seen = ask(), 0, []
    while cursor is not None:
        answer = client.get(f"/api/v1/{path}", params={"limit": limit, "cursor": cursor}).json()
        assert len(answer[rows]) <= limit
        seen += answer[rows]
        cursor = answer["next"]
    assert len(seen) == every
    assert len({repr(row) for row in seen}) == every


def test_a_device_is_listed_with_facts_readings_and_posture(tree: Tree, ask) -> None:
    school = tree.schools[3]
    answer = ask().get("/api/v1/devices", params={"school": school.code}).json()
    assert [device["device"] for device in answer["devices"]] == [d.device for d in school.devices]
    one = answer["devices"][0]
    assert (one["label"], one["role"], one["room"]) == (
        f"Máy 0 {school.mark}",
        "student_lab",
        f"Phòng {school.mark}",
    )
    assert one["posture"]["protected"] is False
    assert answer["devices"][1]["posture"]["protected"] is True
    assert one["posture"]["ipv6_rung"] is None  # never told: unknown
    facts = {fact["name"]: fact["value"] for fact in one["facts"]}
    assert facts == {"os.name": f"Linux {school.mark} 3", "hardware.model": f"Model {school.mark}"}
    readings = {(r["metric"], tuple(r["labels"].values())): (r["value"], r["unit"]) for r in one["readings"]}
    assert readings["link.speed", (school.mark,)] == (1e9, "bit/s")
    assert readings["processor.busy", ()] == (0.3, "ratio")


def test_facts_have_a_history_on_demand(tree: Tree, ask) -> None:
    device = tree.schools[0].devices[0].device
    client, about = ask(), {"device": device, "name": "os.name"}
    (now,) = client.get("/api/v1/facts", params=about).json()["facts"]
    assert (now["value"], now["valid_to"]) == ("Linux Mark000X 3", None)
    history = client.get("/api/v1/facts", params={**about, "history": "true"}).json()["facts"]
    assert [fact["value"] for fact in history] == [f"Linux Mark000X {n}" for n in (1, 2, 3)]
    assert [fact["valid_to"] for fact in history[:2]] == [fact["valid_from"] for fact in history[1:]]


def test_a_series_has_a_point_for_each_report(tree: Tree, ask) -> None:
    device = tree.schools[0].devices[1].device
    answer = ask().get("/api/v1/series", params={"device": device, "metric": "processor.busy"}).json()
    assert answer["unit"] == "ratio"
    (one,) = answer["series"]
    assert [point["mean"] for point in one["points"]] == [0.1, 0.2, 0.3]
    later = one["points"][1]["at"]
    part = (
        ask()
        .get("/api/v1/series", params={"device": device, "metric": "processor.busy", "from": later})
        .json()
    )
    assert [point["mean"] for point in part["series"][0]["points"]] == [0.2, 0.3]


def test_the_indicators_of_a_school_have_value_coverage_and_source(tree: Tree, ask) -> None:
    answer = ask().get("/api/v1/indicators", params={"school": "Mark011X"}).json()
    assert answer["name"] == "Trường Mark011X"
    values = {value["indicator"]: value for value in answer["indicators"]}
    assert list(values) == [*(indicator.id for indicator in INDICATORS), ON_TIME]
    for value in values.values():
        assert value["source"]["document"]
        assert value["pack"]
        assert set(value["title"]) == {"vi", "en"}
        assert (value["value"] is None) == (value["status"] != "ok" and bool(value["reason"]))
    antivirus = values["antivirus_coverage"]
    assert (antivirus["numerator"], antivirus["denominator"], antivirus["value"]) == (1, 2, 0.5)
    assert antivirus["coverage"] == 1
    one = ask().get("/api/v1/indicators", params={"school": "Mark011X", "indicator": "antivirus_coverage"})
    assert [value["value"] for value in one.json()["indicators"]] == [0.5]


def test_the_indicators_are_a_file_with_a_safe_name(tree: Tree, ask) -> None:
    answer = ask().get("/api/v1/schools/Mark011X/indicators.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="schoolwatch-Mark011X.csv"'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert len(lines) == 1 + len(INDICATORS)
    assert lines[1][:4] == ["Tỉnh MarkP0X", "Xã MarkC01X", "Mark011X", "Trường Mark011X"]
    english = ask().get("/api/v1/schools/Mark011X/indicators.csv", params={"lang": "en"})
    assert english.content.decode("utf-8-sig").startswith('"Province [province]"')
    assert ask().get("/api/v1/schools/Mark011X/indicators.exe").status_code == 404
    outside = ask(Scope("school", tree.schools[0].id)).get("/api/v1/schools/Mark011X/indicators.csv")
    assert outside.status_code == 404


def test_incidents_came_from_the_rules_and_some_are_closed(tree: Tree, ask) -> None:
    client = ask()
    opened = client.get("/api/v1/incidents", params={"state": "open"}).json()["incidents"]
    closed = client.get("/api/v1/incidents", params={"state": "closed"}).json()["incidents"]
    assert {row["device"] for row in opened} == {s.devices[0].device for s in tree.schools}
    assert {row["device"] for row in closed} == {s.devices[1].device for s in tree.schools}
    assert all(row["closed_at"] is None and row["evidence"] for row in opened)
    mine = client.get("/api/v1/incidents", params={"school": "Mark101X", "state": "open"}).json()["incidents"]
    assert [row["school"] for row in mine] == ["Mark101X"]
    device = tree.schools[5].devices[1].device
    (one,) = client.get("/api/v1/incidents", params={"device": device}).json()["incidents"]
    assert one["state"] == "evidence"


def test_alive_and_ready_need_no_token_and_tell_nothing(anyone: httpx.Client) -> None:
    assert anyone.get("/healthz").json() == {"status": "ok"}
    assert anyone.get("/readyz").json() == {"status": "ready"}


SAMPLE = re.compile(
    r'^([a-z_]+)(\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? (\S+)$'
)


def test_metrics_are_prometheus_text(ask) -> None:
    answer = ask().get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families, samples = [], {}
    for line in answer.text.splitlines():
        if line.startswith("# TYPE "):
            families.append(line.split()[2])
        elif not line.startswith("# HELP "):
            found = SAMPLE.match(line)
            assert found, line
            assert found[1] == families[-1]
            assert (found[1], found[2]) not in samples
            samples[found[1], found[2]] = float(found[3])
    assert len(families) == len(set(families))
    assert samples["schoolwatch_received_total", None] == 48
    assert samples["schoolwatch_committed_total", None] == 48
    assert samples["schoolwatch_cursor_lag_rows", '{cursor="rules"}'] == 0
    assert samples["schoolwatch_devices", None] == 16


def test_the_description_names_every_api_route_and_the_problem(anyone: httpx.Client, site) -> None:
    schema = anyone.get("/api/v1/openapi.json").json()
    assert schema["openapi"].startswith("3.")
    described = {path for path in schema["paths"] if path.startswith("/api/")}
    routed = {r.path for r in site.app.routes if getattr(r, "methods", None) and r.path.startswith("/api/")}
    assert described == routed - {"/api/v1/openapi.json"}
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]
            if path.endswith(".csv"):
                assert set(operation["responses"]["200"]["content"]) == {"text/csv"}
            public = path in {"/healthz", "/readyz", "/ca.pem", "/api/v1/enrol", "/api/v1/enrol/hint-key"}
            assert ("security" in operation) != public
