"""`grafana provision` writes what Grafana reads at its start."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from schoolwatch_server.cli import main
from schoolwatch_server.config import of_data
from schoolwatch_server.grafana import DASHBOARDS, alert, alerts, policy
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.sheets import packs_in_force, today


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
    told = capsys.readouterr()
    assert "SCHOOLWATCH_GRAFANA_TOKEN" in told.out
    assert "set http.public_url" in told.err
    assert {path.stat().st_mode & 0o777 for path in out.rglob("*") if path.is_file()} == {0o644}


@pytest.mark.parametrize(
    "words",
    [
        ("--url", "https://giamsat.example/sw/influx/"),
        ("--engine", "influxdb", "--url", "http://t.example", "--alert-url", "https://giamsat.example/sw/"),
    ],
)
def test_on_a_machine_that_does_not_know_our_address(
    tmp_path: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Links and alerts lead to where Grafana reaches this server."""
    out = provisioned(tmp_path, *words)
    for path in (out / "schoolwatch").iterdir():
        (console,) = (one for one in variables(path) if one["name"] == "console")
        assert console["query"] == "https://giamsat.example/sw"
    contact = (out / "alerting/schoolwatch-contact.yaml").read_text()
    assert "url: https://giamsat.example/sw/api/v1/grafana/alerts\n" in contact
    assert "127.0.0.1" not in capsys.readouterr().err


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


@pytest.mark.parametrize("language", ["vi", "en"])
def test_rules_are_in_a_folder_of_their_own(tmp_path: Path, language: str) -> None:
    """Grafana reads the file of rules first; a second folder of one title it refuses, dashboards and all."""
    out = provisioned(tmp_path, "--language", language)
    (provider,) = yaml.safe_load((out / "dashboards/schoolwatch.yaml").read_text())["providers"]
    groups = yaml.safe_load((out / "alerting/schoolwatch.yaml").read_text())["groups"]
    (title,) = {one["folder"] for one in groups}
    assert title != provider["folder"]
    assert "/" not in title, "Grafana would make folders in folders of it"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--url", "giamsat.example/influx"), "is no address of what Grafana reads"),
        (("--url", "https://host/influx?db=x"), "is no address of what Grafana reads"),
        (("--engine", "victoriametrics", "--url", "http://u:secret@h:8428"), "is no address"),
        (("--engine", "influxdb", "--url", "http://h:99999"), "is no address of what Grafana reads"),
        (("--engine", "influxdb", "--url", "http://h:8086", "--database", ""), "name of the database"),
        (("--engine", "influxdb", "--url", "http://h:8086", "--user", "a\nb"), "name of the user"),
        (("--alert-url", "ftp://x"), "is no address"),
        (("--policies", "--no-alerts"), "nothing to be told"),
    ],
)
def test_what_grafana_could_not_use_is_refused_before_a_file_is_there(
    tmp_path: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["grafana", "provision", "--data", str(tmp_path), "--out", str(out), *words]) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_that_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("a file")
    assert main(["grafana", "provision", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    (said,) = (line for line in capsys.readouterr().err.splitlines() if "--out" in line)
    assert "can't be written" in said


def test_of_a_server_that_listens_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0.0.0.0 is nothing that a person's browser could open; there it speaks TLS as well."""
    (tmp_path / "server.toml").write_text('data = "d"\n[http]\nhost = "0.0.0.0"\n')
    out, config = tmp_path / "out", str(tmp_path / "server.toml")
    assert main(["grafana", "provision", "--config", config, "--out", str(out)]) == 0
    assert "0.0.0.0" not in (out / "datasources/schoolwatch.yaml").read_text()
    assert "set http.public_url" in capsys.readouterr().err


def test_an_address_without_our_path_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    provisioned(tmp_path, "--url", "https://giamsat.example")
    assert "…/influx" in capsys.readouterr().err


def test_twice_is_once(tmp_path: Path) -> None:
    def held(out: Path) -> dict[Path, str]:
        return {path: path.read_text() for path in out.rglob("*") if path.is_file()}

    assert held(provisioned(tmp_path)) == held(provisioned(tmp_path))


def interpolated(value: Any) -> Any:
    """What Grafana makes of a text of its files with nothing in its environment (provisioning/values)."""
    if isinstance(value, dict):
        return {key: interpolated(one) for key, one in value.items()}
    if isinstance(value, list):
        return [interpolated(one) for one in value]
    if isinstance(value, str):
        return "$".join(re.sub(r"\$(\w+|\{\w*\})", "", part) for part in value.split("$$"))
    return value


def as_read(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule as Grafana has it afterwards: queries and annotations are read as they stand there."""
    read = interpolated(rule)
    read["data"] = [{**interpolated(one), "model": one["model"]} for one in rule["data"]]
    return {**read, "annotations": rule["annotations"]}


@pytest.mark.parametrize("engine", [(), ("--engine", "victoriametrics", "--url", "http://tsdb.example:8428")])
def test_a_rule_of_a_file_is_the_rule_that_is_pushed(tmp_path: Path, engine: tuple[str, ...]) -> None:
    """Grafana puts its environment into some texts of a file alone: in no other a `$` may stand twice."""
    groups = yaml.safe_load((provisioned(tmp_path, *engine) / "alerting/schoolwatch.yaml").read_text())[
        "groups"
    ]
    assert [(one["name"], one["interval"]) for one in groups] == [
        ("schoolwatch-indicators", "600s"),
        ("schoolwatch-server", "600s"),
    ]
    held = {one["uid"]: as_read(one) for group in groups for one in group["rules"]}
    known = alerts.rules(packs_in_force(of_data(tmp_path)).now(), today())
    dialect = "promql" if engine else "influxql"
    assert held == {
        one.uid_in("vi"): {"uid": one.uid_in("vi"), **alert.body(one, dialect, "vi", "schoolwatch")}
        for one in known
    }
    assert not [one for one in held.values() if "${" in str(one["annotations"])], "newer ones fill these in"


def test_rules_without_a_target_any_more_go(tmp_path: Path) -> None:
    document = yaml.safe_load((provisioned(tmp_path) / "alerting/schoolwatch.yaml").read_text())
    here = {rule["uid"] for group in document["groups"] for rule in group["rules"]}
    gone = {one["uid"] for one in document["deleteRules"]}
    assert not here & gone
    assert here | gone >= {alert.uid_of(one.id) for one in INDICATORS}
    assert {f"{uid}-en" for uid in here} <= gone, "in both languages each fall would be told of twice"
    assert not (provisioned(tmp_path / "other", "--no-alerts") / "alerting").exists()


def test_rules_go_when_none_are_wanted_any_more(tmp_path: Path) -> None:
    """Grafana keeps a rule whose file is gone, and lets nobody change it then: the file has to say it."""
    before = yaml.safe_load((provisioned(tmp_path) / "alerting/schoolwatch.yaml").read_text())
    here = {rule["uid"] for group in before["groups"] for rule in group["rules"]}
    for _ in range(2):
        out = provisioned(tmp_path, "--no-alerts")
        after = yaml.safe_load((out / "alerting/schoolwatch.yaml").read_text())
        assert "groups" not in after
        assert {one["uid"] for one in after["deleteRules"]} >= here


def test_files_are_taken_back_so_that_all_can_be_pushed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Grafana is told to delete what it has of them; a file that stayed would delete what is pushed later."""
    out = provisioned(tmp_path)
    others = {"dashboards/theirs.yaml": "apiVersion: 1\n", "schoolwatch/theirs.json": "{}"}
    for name, text in others.items():
        (out / name).write_text(text)
    before = yaml.safe_load((out / "alerting/schoolwatch.yaml").read_text())
    here = {rule["uid"] for group in before["groups"] for rule in group["rules"]}
    capsys.readouterr()
    assert main(["grafana", "withdraw", "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert "Start Grafana again, then run this once more" in told.out
    assert "push without --alert-token-file" in told.err
    source = yaml.safe_load((out / "datasources/schoolwatch.yaml").read_text())
    assert source == {"apiVersion": 1, "deleteDatasources": [{"name": "SchoolWatch", "orgId": 1}]}
    after = yaml.safe_load((out / "alerting/schoolwatch.yaml").read_text())
    assert {one["uid"] for one in after["deleteRules"]} >= here
    assert (out / "dashboards/schoolwatch.yaml").exists(), "its dashboards go as their files are gone"
    assert [path.name for path in (out / "schoolwatch").iterdir()] == ["theirs.json"]
    assert main(["grafana", "withdraw", "--out", str(out)]) == 0
    assert "now `schoolwatch-server grafana push`" in capsys.readouterr().out
    left = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert left == {*others, "alerting/schoolwatch-contact.yaml"}
    assert main(["grafana", "withdraw", "--out", str(out)]) == 2
    assert "is no file of an earlier" in capsys.readouterr().err
    assert main(["grafana", "withdraw", "--out", str(tmp_path / "none")]) == 2


def test_the_way_of_an_alert_to_us_is_in_files_without_a_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--alert-url", "https://giamsat.example/a$b/")
    out = provisioned(tmp_path, *words)
    (point,) = yaml.safe_load((out / "alerting/schoolwatch-contact.yaml").read_text())["contactPoints"]
    (receiver,) = point["receivers"]
    assert (point["name"], receiver["uid"], receiver["type"]) == ("SchoolWatch", "schoolwatch", "webhook")
    assert interpolated(receiver["settings"])["url"] == "https://giamsat.example/a$b/api/v1/grafana/alerts"
    assert receiver["settings"]["authorization_credentials"] == "$SCHOOLWATCH_ALERT_TOKEN"
    assert not (out / "alerting/schoolwatch-policy.yaml").exists(), "it would end all that others made"
    said = capsys.readouterr()
    assert "SCHOOLWATCH_ALERT_TOKEN" in said.out
    assert "--policies" in said.err

    out = provisioned(tmp_path, *words, "--policies")
    (tree,) = yaml.safe_load((out / "alerting/schoolwatch-policy.yaml").read_text())["policies"]
    assert tree["receiver"] == "grafana-default-email"
    (branch,) = tree["routes"]
    assert branch == policy.branch()
    assert branch["receiver"] == point["name"]
    assert "--policies" not in capsys.readouterr().err
