"""`grafana push`: a Grafana gets everything once, nothing twice, and keeps what is not ours."""

import copy
import functools
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from documented_grafana import TOKEN, DocumentedGrafana, answering
from schoolwatch_server.cli import main
from schoolwatch_server.grafana import DASHBOARDS
from schoolwatch_server.grafana.client import Grafana
from schoolwatch_server.grafana.difference import changes
from schoolwatch_server.grafana.kinds import KINDS
from schoolwatch_server.grafana.pieces import KindName


@pytest.fixture
def grafana() -> Iterator[DocumentedGrafana]:
    with answering(DocumentedGrafana()) as running:
        yield running


def secret(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def push(tmp_path: Path, grafana: DocumentedGrafana, capsys: pytest.CaptureFixture[str]):
    def run(*words: str, code: int = 0) -> str:
        token = secret(tmp_path, "token", TOKEN)
        data = ["--data", str(tmp_path / "data")]
        asked = ["grafana", "push", "--url", grafana.url, "--token-file", token, *data, *words]
        assert main(asked) == code, capsys.readouterr()
        said = capsys.readouterr()
        return said.out + said.err

    return run


def everything(grafana: DocumentedGrafana) -> str:
    held = {name: value for name, value in vars(grafana).items() if name not in ("changed", "fails_at")}
    return json.dumps(held, sort_keys=True, default=str)


def test_once_and_not_twice(push, grafana: DocumentedGrafana, tmp_path: Path) -> None:
    reads = secret(tmp_path, "reads", "sw_reads\n")
    said = push("--source-token-file", reads, "--source-url", "https://giamsat.example/influx")
    assert set(grafana.dashboards) == {one.uid for one in DASHBOARDS}
    assert grafana.folders["schoolwatch"]["title"] == "SchoolWatch"
    source = grafana.sources["schoolwatch"]
    assert (source["type"], source["url"]) == ("influxdb", "https://giamsat.example/influx")
    assert grafana.secrets["schoolwatch"] == {"httpHeaderValue1": "Token sw_reads"}
    assert "create dashboard schoolwatch-province" in said
    assert "sw_reads" not in said
    assert TOKEN not in said

    before, count = everything(grafana), grafana.changed
    said = push("--source-token-file", reads, "--source-url", "https://giamsat.example/influx")
    assert (everything(grafana), grafana.changed) == (before, count)
    assert said.startswith("0 changed")


def test_without_a_token_the_one_that_is_there_stays(push, grafana: DocumentedGrafana, tmp_path) -> None:
    push("--source-token-file", secret(tmp_path, "reads", "sw_reads"))
    said = push()
    assert said.startswith("0 changed")
    said = push("--source-token-file", secret(tmp_path, "reads", "sw_other"))
    assert "change data source schoolwatch" in said
    assert grafana.secrets["schoolwatch"] == {"httpHeaderValue1": "Token sw_other"}


def test_a_trial_says_it_field_by_field_and_changes_nothing(push, grafana: DocumentedGrafana) -> None:
    assert "create folder schoolwatch (SchoolWatch)" in push("--dry-run")
    assert (grafana.changed, grafana.dashboards) == (0, {})
    push()
    model = grafana.dashboards["schoolwatch-ipv6"]["dashboard"]
    model["panels"][1]["fieldConfig"]["defaults"]["unit"] = "bytes"
    model["title"] = "IPv6 của chúng tôi"
    before = everything(grafana)
    said = push("--dry-run")
    assert everything(grafana) == before
    assert "change dashboard schoolwatch-ipv6" in said
    assert 'dashboard.title: "IPv6 của chúng tôi" → "SchoolWatch: chuyển đổi IPv6"' in said
    assert '.fieldConfig.defaults.unit: "bytes" → "short"' in said
    assert "1 would change" in said
    push()
    assert grafana.dashboards["schoolwatch-ipv6"]["dashboard"]["version"] == 2
    assert push().startswith("0 changed")


def test_what_people_moved_to_another_folder_comes_back(push, grafana: DocumentedGrafana) -> None:
    push()
    grafana.dashboards["schoolwatch-lines"]["folderUid"] = "theirs"
    assert 'folderUid: "theirs" → "schoolwatch"' in push()
    assert grafana.dashboards["schoolwatch-lines"]["folderUid"] == "schoolwatch"


def test_what_an_earlier_push_made_goes_and_nothing_else(push, grafana: DocumentedGrafana) -> None:
    push()
    ours = grafana.dashboards["schoolwatch-lines"]
    for uid, tags in (
        ("schoolwatch-old", ["schoolwatch"]),
        ("schoolwatch-theirs", []),
        ("theirs", ["schoolwatch"]),
        ("schoolwatch-filed", ["schoolwatch"]),
    ):
        one = copy.deepcopy(ours)
        one["dashboard"] |= {"uid": uid, "tags": tags}
        grafana.dashboards[uid] = one
    grafana.dashboards["schoolwatch-filed"]["provisioned"] = True
    push()
    assert "schoolwatch-old" in grafana.dashboards
    assert "remove dashboard schoolwatch-old" in push("--prune")
    kept = {one.uid for one in DASHBOARDS} | {"schoolwatch-theirs", "theirs", "schoolwatch-filed"}
    assert set(grafana.dashboards) == kept


def test_what_came_from_a_file_is_told_before_anything_changes(push, grafana: DocumentedGrafana) -> None:
    push()
    held = grafana.dashboards["schoolwatch-lines"]
    held["provisioned"] = True
    assert push().startswith("0 changed")
    held["dashboard"]["title"] = "Khác"
    grafana.folders["schoolwatch"]["title"] = "Khác"
    said = push(code=2)
    assert "dashboard schoolwatch-lines can't be changed: it comes from a file" in said
    assert "grafana withdraw --out /etc/grafana/provisioning" in said
    assert grafana.folders["schoolwatch"]["title"] == "Khác"


def test_what_somebody_else_made_under_our_uid_is_theirs(push, grafana: DocumentedGrafana) -> None:
    """Told with what it is seen by, before anything changes; replaced only when that is said."""
    push()
    held = grafana.dashboards["schoolwatch-lines"]
    held["dashboard"]["tags"], held["createdBy"] = ["theirs"], "anna"
    grafana.folders["schoolwatch"]["title"] = "Khác"
    before = everything(grafana)
    said = push(code=2)
    assert "dashboard schoolwatch-lines is somebody else's: it has no tag schoolwatch (anna made it)" in said
    assert "nothing was changed" in said
    assert "--take-over" in said
    assert push("--dry-run", code=2) == said
    assert everything(grafana) == before
    assert "2 changed" in push("--take-over")
    assert "schoolwatch" in grafana.dashboards["schoolwatch-lines"]["dashboard"]["tags"]
    assert push().startswith("0 changed")


def test_by_what_it_is_seen_that_it_is_somebody_elses(
    push, grafana: DocumentedGrafana, tmp_path: Path
) -> None:
    push("--alert-token-file", secret(tmp_path, "alerts", "sw_alerts"))

    def seen(kind: KindName, uid: str = "schoolwatch") -> str:
        with Grafana(grafana.url, TOKEN) as asked:
            held = KINDS[kind].read(asked, uid)
        assert held is not None
        return held.foreign

    rule = "schoolwatch-digital_records"
    kinds: tuple[KindName, ...] = ("data source", "contact point", "notification policy")
    assert {seen(kind) for kind in kinds} | {seen("alert rule", rule)} == {""}
    source = grafana.sources["schoolwatch"]
    source["name"] = "InfluxDB"
    assert seen("data source") == "it is called InfluxDB and no push gave it a token"
    source["jsonData"]["schoolwatchToken"] = "12345678"
    assert seen("data source") == "", "people may rename ours"
    source["type"] = "loki"
    assert seen("data source") == "it is of the type loki"
    grafana.rules[rule]["labels"] = {"team": "db"}
    assert seen("alert rule", rule) == "it has no label schoolwatch"
    grafana.contacts["schoolwatch"] |= {"type": "email", "settings": {"addresses": "a@b.example"}}
    assert seen("contact point") == "it tells somebody else (email)"
    grafana.policies["routes"][0]["receiver"] = "theirs"
    assert seen("notification policy") == "what bears the label schoolwatch goes to theirs there"


def test_a_folder_under_a_dashboards_uid_is_never_replaced(push, grafana: DocumentedGrafana) -> None:
    push()
    held = grafana.dashboards["schoolwatch-lines"]
    held |= {"isFolder": True, "dashboard": {"title": "Đường truyền", "version": 1}}
    assert "a folder bears this uid" in push("--take-over", code=2)


@pytest.mark.parametrize(("version", "refuses"), [("9.4.7", True), ("11.6.0", True), ("12.0.0", False)])
def test_a_folder_that_an_earlier_setup_left(
    push, grafana: DocumentedGrafana, version: str, refuses: bool
) -> None:
    """Up to 11 Grafana takes no second folder of a title: with it all dashboards would be refused."""
    grafana.version = version
    grafana.folders["a1b2"] = {"uid": "a1b2", "title": "SchoolWatch", "version": 1}
    if refuses:
        said = push(code=2)
        assert "folder a1b2 is somebody else's: it has the title of ours" in said
        assert grafana.changed == 0
        assert "change folder a1b2" in push("--take-over", "--dry-run")
        push("--take-over")
        assert grafana.folders["a1b2"]["title"] == "SchoolWatch (a1b2)"
    else:
        push()
        assert grafana.folders["a1b2"]["title"] == "SchoolWatch"
    assert grafana.folders["schoolwatch"]["title"] == "SchoolWatch"
    assert push().startswith("0 changed")


def test_it_breaks_in_the_middle_and_is_run_again(push, grafana: DocumentedGrafana) -> None:
    grafana.fails_at = 5
    said = push(code=2)
    assert "database is locked" in said
    assert "4 of " in said
    assert "run this again" in said
    assert len(grafana.dashboards) == 2
    grafana.fails_at = None
    push()
    assert set(grafana.dashboards) == {one.uid for one in DASHBOARDS}


def test_a_change_by_a_person_meanwhile_is_not_run_over(push, grafana: DocumentedGrafana) -> None:
    push()
    model = grafana.dashboards["schoolwatch-lines"]["dashboard"]
    model["title"] = "Khác"

    def somebody() -> None:
        model["version"] += 1

    grafana.before_write = somebody
    said = push(code=2)
    assert "412: The dashboard has been changed by someone else" in said
    assert model["title"] == "Khác"
    push()
    assert grafana.dashboards["schoolwatch-lines"]["dashboard"]["title"] != "Khác"


def test_both_languages_in_one(push, grafana: DocumentedGrafana) -> None:
    push("--language", "both")
    assert len(grafana.dashboards) == 2 * len(DASHBOARDS)
    assert grafana.dashboards["schoolwatch-lines-en"]["folderUid"] == "schoolwatch-en"
    folders = {one["folderUID"] for one in grafana.rules.values()}
    assert folders == {"schoolwatch"}, (
        "in both languages each fall would be told of, and be an incident, twice"
    )
    assert push("--language", "both").startswith("0 changed")


@pytest.mark.parametrize(
    ("version", "code", "said"),
    [
        ("9.3.16", 2, "this is Grafana 9.3.16: it needs 9.4 at least"),
        ("9.4.0", 0, "create dashboard"),
        ("13.1.0+security-01", 0, "create dashboard"),
        ("14.0.0", 0, "written for Grafana 9.4 to 13"),
        ("", 0, "written for Grafana 9.4 to 13"),
    ],
)
def test_versions(push, grafana: DocumentedGrafana, version: str, code: int, said: str) -> None:
    grafana.version = version
    assert said in push(code=code)


def test_wrong_tokens(push, grafana: DocumentedGrafana, tmp_path: Path) -> None:
    other = secret(tmp_path, "other", "glsa_wrong")
    said = push("--token-file", other, code=2)
    assert "401: Invalid API key" in said
    assert "Service accounts" in said
    assert "glsa_wrong" not in said
    grafana.role = "Viewer"
    assert "needs the role Admin" in push(code=2)
    assert "must hold one line" in push("--token-file", secret(tmp_path, "other", "\n"), code=2)
    assert "can't be read" in push("--token-file", str(tmp_path / "none"), code=2)


def test_tokens_of_the_wrong_file_are_told_before_anything_changes(
    push, grafana: DocumentedGrafana, tmp_path: Path
) -> None:
    """Three files of tokens are easily taken for each other; with a wrong one every panel would be empty."""
    ours, theirs = secret(tmp_path, "ours", "sw_reads"), secret(tmp_path, "theirs", TOKEN)
    assert "holds a token of SchoolWatch's" in push("--token-file", ours, code=2)
    for word in ("--source-token-file", "--alert-token-file"):
        assert "holds no token of SchoolWatch's" in push(word, theirs, code=2)
    assert grafana.changed == 0
    push("--source-token-file", secret(tmp_path, "notepad", "\ufeffsw_reads\r\n"))
    assert grafana.secrets["schoolwatch"] == {"httpHeaderValue1": "Token sw_reads"}


def test_wrong_addresses(push, grafana: DocumentedGrafana, free_port) -> None:
    assert "can't be reached" in push("--url", f"http://127.0.0.1:{free_port()}", code=2)
    assert "is no Grafana" in push("--url", f"{grafana.url}/grafana", code=2)
    assert "is no address of a Grafana" in push("--url", "giamsat", code=2)
    assert "is no address of a Grafana" in push("--url", "http://user:secret@localhost", code=2)


@pytest.mark.parametrize("rubbish", [[], "x", 5, [5], [["x"]], True])
@pytest.mark.parametrize("path", ["/api/datasources", "/api/v1/provisioning/alert-rules", "/api/search"])
def test_an_answer_of_something_else_is_said(
    push, grafana: DocumentedGrafana, monkeypatch: pytest.MonkeyPatch, path: str, rubbish: object
) -> None:
    """As a proxy gives that answers for some paths itself."""
    told = grafana.answer

    def answer(method: str, target: str, body: object, headers: object) -> tuple[int, object]:
        return (200, rubbish) if target.startswith(path) else told(method, target, body, headers)

    monkeypatch.setattr(grafana, "answer", answer)
    before = everything(grafana)
    is_a_list = rubbish == [] and path.endswith("search")
    said = push("--prune", "--dry-run", code=0 if is_a_list else 2)
    assert is_a_list or "answers with something else than it should" in said
    assert everything(grafana) == before


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(302, headers={"Location": "https://sso.example/login?next=/"}), "to log in"),
        (httpx.Response(301, headers={"Location": "https://grafana.example/"}), "give --url as it stands"),
        (httpx.Response(502, html="<h1>Bad Gateway</h1>"), "(502): it, or what stands before it"),
        (httpx.Response(429, html="slow down"), "(429): it had too many requests"),
        (httpx.Response(200, html="<h1>Welcome</h1>"), "is --url the address of a Grafana"),
    ],
)
def test_what_stands_before_it_answers_instead(
    push, monkeypatch: pytest.MonkeyPatch, answer: httpx.Response, said: str
) -> None:
    wire = httpx.MockTransport(lambda _: answer)
    monkeypatch.setattr(httpx, "Client", functools.partial(httpx.Client, transport=wire))
    assert said in push(code=2)


def test_a_file_that_others_may_read_is_told(push, tmp_path: Path) -> None:
    open_to_all = tmp_path / "open"
    open_to_all.write_text(TOKEN)
    open_to_all.chmod(0o644)
    assert "chmod 600" in push("--token-file", str(open_to_all), "--dry-run")


def test_differences() -> None:
    wanted = {"a": 1, "list": [{"title": "x", "unit": "s"}], "empty": [], "no": False}
    assert list(changes(wanted, {**wanted, "id": 7, "list": [{"title": "x", "unit": "s", "id": 1}]})) == []
    assert list(changes(wanted, {"a": 1, "list": [{"title": "x", "unit": "s"}]})) == []
    found = [str(one) for one in changes(wanted, {"a": 2, "list": [{"title": "x", "unit": None}]})]
    assert found == ["a: 2 → 1", 'list[x].unit: null → "s"']
    assert [str(one) for one in changes({"l": [1, 2]}, {"l": [1, 2, 3]})] == ["l: [3] → [2]"]


def test_alert_rules_with_their_groups(push, grafana: DocumentedGrafana) -> None:
    push()
    rule = grafana.rules["schoolwatch-digital_records"]
    assert (rule["folderUID"], rule["for"], rule["provenance"]) == ("schoolwatch", "6h", "")
    assert set(grafana.intervals.values()) == {600}
    rule["for"] = "5m"
    grafana.intervals["schoolwatch/schoolwatch-indicators"] = 60
    said = push()
    assert 'for: "5m" → "6h"' in said
    assert "interval: 60 → 600" in said
    assert len(grafana.rules) > 20
    assert push().startswith("0 changed")


def test_rules_bound_to_the_api_stay_so(push, grafana: DocumentedGrafana) -> None:
    """A provenance is not given up: who took the header away would be refused for ever."""
    push()
    grafana.rules["schoolwatch-digital_records"] |= {"provenance": "api", "for": "5m"}
    push()
    assert grafana.rules["schoolwatch-digital_records"]["provenance"] == "api"
    grafana.rules["schoolwatch-digital_records"] |= {"provenance": "file", "for": "5m"}
    assert "it comes from a file" in push(code=2)


def test_rules_of_an_earlier_push_go_and_others_rules_stay(push, grafana: DocumentedGrafana) -> None:
    push()
    ours = grafana.rules["schoolwatch-digital_records"]
    for uid, labels in (
        ("schoolwatch-gone", {"schoolwatch": "x"}),
        ("schoolwatch-theirs", {}),
        ("t", ours["labels"]),
    ):
        grafana.rules[uid] = {**ours, "uid": uid, "labels": labels}
    grafana.rules["schoolwatch-gone"]["provenance"] = "api"
    push("--prune")
    assert not {"schoolwatch-gone"} & set(grafana.rules)
    assert {"schoolwatch-theirs", "t"} <= set(grafana.rules)
    assert "remove alert rule" in push("--no-alerts", "--prune")
    assert set(grafana.rules) == {"schoolwatch-theirs", "t"}


def test_of_a_victoriametrics(push, grafana: DocumentedGrafana, tmp_path: Path) -> None:
    assert "say where victoriametrics answers" in push("--engine", "victoriametrics", code=2)
    assert "not by a user" in push("--source-user", "grafana", code=2)
    words = ("--engine", "victoriametrics", "--source-url", "http://tsdb.example:8428")
    push(*words, "--source-user", "grafana", "--source-token-file", secret(tmp_path, "password", "sw_reads"))
    source = grafana.sources["schoolwatch"]
    assert (source["type"], source["jsonData"]["customQueryParameters"]) == ("prometheus", "nocache=1")
    assert source["basicAuthUser"] == "grafana"
    assert grafana.secrets["schoolwatch"] == {"basicAuthPassword": "sw_reads"}
    assert "expr" in grafana.rules["schoolwatch-digital_records"]["data"][0]["model"]
    assert "prometheus" in json.dumps(grafana.dashboards["schoolwatch-lines"])


def test_a_data_source_that_changes_stays_the_default_and_sends_one_authorization(
    push, grafana: DocumentedGrafana, tmp_path: Path
) -> None:
    words = ("--engine", "influxdb", "--source-url", "http://tsdb.example:8086")
    push(*words, "--source-token-file", secret(tmp_path, "token", "sw_token"))
    grafana.sources["schoolwatch"]["isDefault"] = True
    grafana.sources["schoolwatch"]["jsonData"]["maxSeries"] = 5000
    password = secret(tmp_path, "password", "sw_reads")
    push(*words, "--source-user", "grafana", "--source-token-file", password)
    source = grafana.sources["schoolwatch"]
    assert (source["user"], source["isDefault"], source["jsonData"]["maxSeries"]) == ("grafana", True, 5000)
    assert "httpHeaderName1" not in source["jsonData"], "it would go before the password"
    assert grafana.secrets["schoolwatch"]["password"] == "sw_reads"


def test_grafana_tells_us_of_its_alerts(push, grafana: DocumentedGrafana, tmp_path: Path) -> None:
    """Their branch of the tree of policies stays, and what goes where stays in order when ours goes."""
    token = secret(tmp_path, "alerts", "sw_alerts")
    words = ("--alert-token-file", token, "--alert-url", "https://giamsat.example/")
    said = push(*words)
    assert "sw_alerts" not in said
    contact = grafana.contacts["schoolwatch"]["settings"]
    assert contact["url"].startswith("https://giamsat.example/api/v1/grafana/alerts?token=")
    assert (contact["authorization_scheme"], contact["authorization_credentials"]) == ("Bearer", "sw_alerts")
    ours, theirs = grafana.policies["routes"]
    assert (ours["receiver"], theirs["receiver"]) == ("SchoolWatch", "theirs")
    assert ours["object_matchers"] == [["schoolwatch", "=~", ".+"]]
    assert all(rule["labels"]["schoolwatch"] for rule in grafana.rules.values())
    assert push(*words).startswith("0 changed")
    assert push("--prune", *words[2:]).startswith("0 changed"), "without a token it stays as it is"
    said = push("--alert-token-file", secret(tmp_path, "alerts", "sw_other"), *words[2:])
    assert "change contact point schoolwatch" in said
    assert grafana.contacts["schoolwatch"]["settings"]["authorization_credentials"] == "sw_other"
    push("--no-alerts", "--prune")
    assert (grafana.contacts, grafana.policies["routes"]) == ({}, [{"receiver": "theirs"}])


def test_of_the_oldest_release(push, grafana: DocumentedGrafana, tmp_path: Path) -> None:
    """9.4 binds contact points and policies to the API: they can be changed all the same."""
    grafana.version = "9.4.7"
    words = ("--alert-token-file", secret(tmp_path, "alerts", "sw_alerts"))
    push(*words)
    assert grafana.contacts["schoolwatch"]["provenance"] == "api"
    assert push(*words).startswith("0 changed")
    grafana.version = "10.4.0"
    grafana.contacts["schoolwatch"]["settings"]["httpMethod"] = "PUT"
    grafana.policies["routes"][0]["repeat_interval"] = "1d"
    push(*words)
    assert grafana.policies["routes"][0]["repeat_interval"] == "4h"
    assert grafana.policies["provenance"] == "api"
