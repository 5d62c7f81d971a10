"""`grafana provision` writes what Grafana reads at its start."""

import json
from pathlib import Path

import pytest
import yaml

from schoolwatch_server.cli import main
from schoolwatch_server.grafana import DASHBOARDS


def provisioned(folder: Path, *words: str) -> Path:
    out = folder / "out"
    assert main(["grafana", "provision", "--data", str(folder), "--out", str(out), *words]) == 0
    return out


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
    assert "SCHOOLWATCH_GRAFANA_TOKEN" in capsys.readouterr().out
    assert {path.stat().st_mode & 0o777 for path in out.rglob("*") if path.is_file()} == {0o644}


def test_of_an_influxdb_in_english(tmp_path: Path) -> None:
    words = (
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


def test_twice_is_once(tmp_path: Path) -> None:
    def held(out: Path) -> dict[Path, str]:
        return {path: path.read_text() for path in out.rglob("*") if path.is_file()}

    assert held(provisioned(tmp_path)) == held(provisioned(tmp_path))
