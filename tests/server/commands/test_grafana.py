"""`grafana provision` writes what Grafana reads at its start."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from schoolwatch_server.cli import main
from schoolwatch_server.grafana import DASHBOARDS


def provisioned(folder: Path, *words: str) -> Path:
    out = folder / "out"
    assert main(["grafana", "provision", "--data", str(folder), "--out", str(out), *words]) == 0
    return out


def variables(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["templating"]["list"]
    return found


def test_of_our_own_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = provisioned(tmp_path)
    (source,) = yaml.safe_load((out / "datasources/schoolwatch.yaml").read_text())["datasources"]
    assert source["type"] == "influxdb"
    assert source["url"] == "http://127.0.0.1:18080/influx"
    assert source["jsonData"]["dbName"] == "schoolwatch"
    assert source["secureJsonData"] == {"httpHeaderValue1": "Token $SCHOOLWATCH_GRAFANA_TOKEN"}
    (provider,) = yaml.safe_load((out / "dashboards/schoolwatch.yaml").read_text())["providers"]
    assert provider["options"]["path"] == "/etc/grafana/provisioning/schoolwatch"
    files = sorted(path.stem for path in (out / "schoolwatch").iterdir())
    assert files == sorted(one.uid for one in DASHBOARDS)
    for path in (out / "schoolwatch").iterdir():
        (console,) = (one for one in variables(path) if one["name"] == "console")
        assert console["query"] == console["current"]["value"] == "http://127.0.0.1:18080"
    assert "SCHOOLWATCH_GRAFANA_TOKEN" in capsys.readouterr().out
    assert {path.stat().st_mode & 0o777 for path in out.rglob("*") if path.is_file()} == {0o644}


def test_of_an_influxdb_in_english(tmp_path: Path) -> None:
    words = (
        "--engine",
        "influxdb",
        "--url",
        "http://tsdb.example:8086",
        "--database",
        "edu",
        "--folder",
        "/srv/p/",
        "--language",
        "en",
    )
    out = provisioned(tmp_path, *words)
    (source,) = yaml.safe_load((out / "datasources/schoolwatch.yaml").read_text())["datasources"]
    assert (source["url"], source["database"]) == ("http://tsdb.example:8086", "edu")
    (provider,) = yaml.safe_load((out / "dashboards/schoolwatch.yaml").read_text())["providers"]
    assert provider["options"]["path"] == "/srv/p/schoolwatch"
    document = json.loads((out / "schoolwatch/schoolwatch-school.json").read_text())
    assert document["title"] == "SchoolWatch: school"


def test_of_an_influxdb_with_users(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = provisioned(tmp_path, "--engine", "influxdb", "--url", "http://tsdb.example:8086", "--user", "sở$1")
    (source,) = yaml.safe_load((out / "datasources/schoolwatch.yaml").read_text())["datasources"]
    assert (source["user"], source["secureJsonData"]) == ("sở$$1", {"password": "$SCHOOLWATCH_GRAFANA_TOKEN"})
    assert "httpHeaderName1" not in source["jsonData"]
    assert "the password of sở$1 in SCHOOLWATCH_GRAFANA_TOKEN" in capsys.readouterr().out


def test_of_a_victoriametrics(tmp_path: Path) -> None:
    out = provisioned(tmp_path, "--engine", "victoriametrics", "--url", "http://tsdb.example:8428")
    (source,) = yaml.safe_load((out / "datasources/schoolwatch.yaml").read_text())["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://tsdb.example:8428")
    assert source["jsonData"]["httpMethod"] == "POST"
    assert source["jsonData"]["customQueryParameters"] == "nocache=1"
    assert source["secureJsonData"] == {"httpHeaderValue1": "Bearer $SCHOOLWATCH_GRAFANA_TOKEN"}
    assert "database" not in source
    document = json.loads((out / "schoolwatch/schoolwatch-school.json").read_text())
    assert document["templating"]["list"][0]["query"] == "prometheus"


def test_an_engine_without_its_address_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--data", str(tmp_path), "--out", str(tmp_path / "out"), "--engine", "influxdb"]
    assert main(["grafana", "provision", *words]) == 2
    assert "say where influxdb answers" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_twice_is_once(tmp_path: Path) -> None:
    def held(out: Path) -> dict[Path, str]:
        return {path: path.read_text() for path in out.rglob("*") if path.is_file()}

    assert held(provisioned(tmp_path)) == held(provisioned(tmp_path))


def test_alert_rules_are_in_files_too(tmp_path: Path) -> None:
    """Grafana reads `$$` as a `$`, and one alone as a variable of its environment."""
    text = (provisioned(tmp_path) / "alerting/schoolwatch.yaml").read_text()
    assert "$" not in text.replace("$$", "")
    groups = yaml.safe_load(text.replace("$$", "$"))["groups"]
    assert [(one["name"], one["interval"], one["folder"]) for one in groups] == [
        ("schoolwatch-indicators", "600s", "SchoolWatch"),
        ("schoolwatch-server", "600s", "SchoolWatch"),
    ]
    rules = {one["uid"]: one for group in groups for one in group["rules"]}
    assert rules["schoolwatch-server-deaf"]["data"][1]["relativeTimeRange"] == {"from": 605700, "to": 604800}
    assert "{{ $labels.commune_name }}" in rules["schoolwatch-digital_records"]["annotations"]["summary"]
    assert not (provisioned(tmp_path / "other", "--no-alerts") / "alerting").exists()
