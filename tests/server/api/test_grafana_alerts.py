"""POST /api/v1/grafana/alerts: from Grafana's message to an incident, and what a bad message does."""

import html
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from databases import settings_of
from schoolwatch_server import incidents, rules, watches
from schoolwatch_server.api import grafana_alerts as route
from schoolwatch_server.database import grafana_alerts, incident_rows, tables
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.rules import kept
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.watches.sight import Sight
from tree import School, Tree
from website import RunningSite

Ask = Callable[..., httpx.Client]

PATH = "/api/v1/grafana/alerts"
RULE = next(rule for rule in rules.load() if rule.id == "grafana_alert")


def message(*alerts: dict[str, Any]) -> dict[str, Any]:
    """As webhook-notifier/ of Grafana's documents has it."""
    return {
        "receiver": "SchoolWatch",
        "status": "firing",
        "orgId": 1,
        "alerts": list(alerts),
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "https://grafana.example/",
        "version": "1",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        "title": "[FIRING:1]",
        "state": "alerting",
        "message": "**Firing**",
    }


def alert(status: str = "firing", summary: str = "Xã A: 45 %", name: str = "Chỉ tiêu tụt", **labels: str):
    return {
        "status": status,
        "labels": {"alertname": name, "grafana_folder": "SchoolWatch", "schoolwatch": "indicator", **labels},
        "annotations": {"summary": summary},
        "startsAt": "2026-11-29T10:00:00.123456789+07:00",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "https://grafana.example/alerting/x/view",
        "fingerprint": "c6eadffa33fcdf37",
        "silenceURL": "https://grafana.example/alerting/silence/new",
        "dashboardURL": "",
        "panelURL": "",
        "values": {"C": 0.45},
        "valueString": "[ var='C' value=0.45 ]",
    }


@pytest.fixture(autouse=True)
def nothing_held(tree: Tree) -> Iterator[None]:
    yield
    with begin_write(tree.engine) as conn:
        grafana_alerts.end(conn, [one.key for one in grafana_alerts.current(conn)])
    look(tree)


def look(tree: Tree, later: float = 0.0) -> list[incident_rows.IncidentRow]:
    """One look of the watch; the incidents of the rule that are open afterwards, and the newest first."""
    now = time.time() + later
    with begin_read(tree.engine) as conn:
        found = watches.look(Sight(conn, settings_of(tree.folder), now), [RULE])
    incidents.judge_found(tree.engine, [RULE], found, (), now)
    with begin_read(tree.engine) as conn:
        listed = incident_rows.incidents(conn, EVERYTHING, limit=100)
    return [one for one in listed if one.rule == "grafana_alert" and one.closed_at is None]


def tell(client: httpx.Client, *alerts: dict[str, Any]) -> dict[str, int]:
    answer = client.post(PATH, json=message(*alerts), params={"token": "12345678"})
    assert answer.status_code == 200, answer.text
    found: dict[str, int] = answer.json()
    return found


@pytest.fixture
def ask(site: RunningSite) -> Ask:
    return site.ask


@pytest.fixture
def school(tree: Tree) -> School:
    return tree.schools[0]


@pytest.mark.parametrize("written", ["", "Z", "+00:00"])
def test_a_time_without_its_offset_is_no_time_of_this_machine(
    tree: Tree, ask: Ask, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    """It is UTC, as Prometheus tells times: else an alert of now began 7 hours ago, or later than now."""
    began = int(time.time()) - 3600
    plain = datetime.fromtimestamp(began, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Ho_Chi_Minh")
        time.tzset()
        tell(ask(EVERYTHING, "alert"), alert(name=f"Giờ {written}") | {"startsAt": plain + written})
    time.tzset()
    (found,) = look(tree)
    assert found.since == began


def test_an_alert_is_one_incident_that_closes_when_it_is_over(tree: Tree, ask: Ask, school: School) -> None:
    grafana = ask(EVERYTHING, "alert")
    labels = {"school": str(school.id), "commune": str(school.commune)}
    for _ in range(3):
        assert tell(grafana, alert(**labels)) == {"firing": 1, "over": 0, "left": 0}
        (found,) = look(tree)
    assert (found.school, found.severity) == (f"Trường {school.mark}", "medium")
    assert tell(grafana, alert("resolved", **labels)) == {"firing": 0, "over": 1, "left": 0}
    assert look(tree) == []
    assert tell(grafana, alert("resolved", **labels)) == {"firing": 0, "over": 0, "left": 0}
    page = ask(EVERYTHING).get(f"/api/v1/incidents/{found.id}").json()
    assert "Xã A: 45 %" in str(page)
    assert kept.alerted(page["evidence"]) == "Chỉ tiêu tụt · Xã A: 45 %"
    assert "Chỉ tiêu tụt" in str(page)


def test_trying_the_contact_point_wakes_nobody(tree: Tree, ask: Ask) -> None:
    """Grafana's button sends one that never ends."""
    trial = alert(name="TestAlert", instance="Grafana")
    assert tell(ask(EVERYTHING, "alert"), trial) == {"firing": 0, "over": 0, "left": 0}
    assert look(tree) == []


def test_lists_name_the_rule_of_grafana_short_and_as_text(tree: Tree, ask: Ask, site: RunningSite) -> None:
    grafana, school = ask(EVERYTHING, "alert"), tree.schools[0]
    name = "<b>Mạng</b>\n \u202echậm " + "x" * 200
    tell(grafana, alert(name=name, school=str(school.id), commune=str(school.commune)))
    (found,) = look(tree)
    told = f"<b>Mạng</b> chậm {'x' * 62}…"
    assert len(told) == 80
    (row,) = (
        ask(EVERYTHING)
        .get("/api/v1/incidents", params={"rule": "grafana_alert", "state": "active"})
        .json()["incidents"]
    )
    assert row["about"] == told
    somebody = site.somebody("so_admin")
    for path in ("/incidents", "/wall", f"/incidents/{found.id}", f"/schools/{school.code}"):
        page = somebody.get(path).text
        assert f"{' · ' if path == '/wall' else 'Grafana báo động: '}{html.escape(told)}" in page, path
        assert "<b>Mạng" not in page
    assert told in somebody.get("/incidents.csv?rule=grafana_alert").content.decode("utf-16")


def test_what_is_not_known_neither_opens_nor_closes(tree: Tree, ask: Ask, school: School) -> None:
    grafana, labels = ask(EVERYTHING, "alert"), {"commune": str(school.commune)}
    unknown = {**labels, "rulename": "Chỉ tiêu tụt", "ref_id": "A", "datasource_uid": "schoolwatch"}
    tell(grafana, alert(name="DatasourceNoData", **unknown))
    assert look(tree) == []
    tell(grafana, alert(severity="critical", **labels))
    (found,) = look(tree)
    assert found.severity == "high"  # the law's 24 hours are for a person to begin
    tell(grafana, alert(name="DatasourceNoData", severity="critical", **unknown))
    tell(grafana, alert("resolved", severity="critical", **labels))
    assert [one.id for one in look(tree)] == [found.id]
    tell(grafana, alert("resolved", name="DatasourceNoData", severity="critical", **unknown))
    assert look(tree) == []


def test_a_grafana_that_is_silent_closes_nothing(tree: Tree, ask: Ask) -> None:
    tell(ask(EVERYTHING, "alert"), alert())
    (found,) = look(tree)
    assert [one.id for one in look(tree, later=3 * 86400)] == [found.id]


@pytest.mark.parametrize(
    "labels", [{}, {"school": "999999"}, {"school": "x"}, {"commune": "-1"}, {"school": "٣"}]
)
def test_an_unknown_place_is_the_departments(tree: Tree, ask: Ask, labels: dict[str, str]) -> None:
    tell(ask(EVERYTHING, "alert"), alert(**labels))
    (found,) = look(tree)
    assert (found.school, found.commune) == (None, None)


def test_a_token_tells_of_its_own_place_and_reads_nothing(tree: Tree, ask: Ask, school: School) -> None:
    other = next(one for one in tree.schools if one.commune != school.commune)
    commune = ask(Scope("commune", school.commune), "alert")
    tell(commune, alert(school=str(other.id)))
    with begin_read(tree.engine) as conn:
        (held,) = grafana_alerts.current(conn)
    assert (held.kind, held.place) == ("commune", school.commune)
    for path in ("/api/v1/incidents", "/api/v1/schools", "/influx/query?q=SHOW%20DATABASES", "/metrics"):
        assert commune.get(path).status_code == 403
    for permission in ("read", "handle"):
        assert ask(EVERYTHING, permission).post(PATH, json=message(alert())).status_code == 403


def test_another_tokens_alert_is_another(tree: Tree, ask: Ask, school: School) -> None:
    labels = {"commune": str(school.commune)}
    tell(ask(EVERYTHING, "alert"), alert(**labels))
    tell(ask(Scope("commune", school.commune), "alert"), alert("resolved", **labels))
    assert len(look(tree)) == 1


def test_a_malicious_message_does_no_harm(tree: Tree, site: RunningSite, ask: Ask) -> None:
    evil = "<script>alert(1)</script>\r\n\x1b[31m{{ 7*7 }}\u202e" + "x" * 5000
    tell(ask(EVERYTHING, "alert"), alert(summary=evil, name=evil[:200], severity="boss"))
    (found,) = look(tree)
    page = site.somebody("so_admin").get(f"/incidents/{found.id}")
    assert page.status_code == 200
    assert "<script>alert(1)" not in page.text
    assert "{{ 7*7 }}" in page.text
    assert not {"\x1b", "\u202e"} & set(page.text)
    assert found.severity == "medium"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"alerts": "x"},
        {"alerts": [{"status": "firing"}]},
        {"alerts": [{"status": "maybe", "labels": {}}]},
        {"alerts": [{"status": "firing", "labels": {"a": 1}}]},
        {"alerts": [{"status": "firing", "labels": {str(n): "" for n in range(61)}}]},
        {"alerts": [], "truncatedAlerts": -1},
        b"",
        b"[",
    ],
)
def test_what_is_no_message_is_refused_whole(tree: Tree, ask: Ask, body: Any) -> None:
    sent = {"content": body} if isinstance(body, bytes) else {"json": body}
    answer = ask(EVERYTHING, "alert").post(PATH, **sent)
    assert (answer.status_code, answer.json()["title"]) == (422, "Not understood")
    with begin_read(tree.engine) as conn:
        assert grafana_alerts.count(conn) == 0


def test_a_group_of_a_whole_province_is_one_message(tree: Tree, ask: Ask, school: School) -> None:
    """Alertmanager and Grafana send all of a group, as *Max Alerts* is 0 where nobody set it."""
    text = "Đường truyền của trường chậm hơn hợp đồng đã hai ngày, xem trang của trường. " * 8
    many = [alert(summary=text, commune=str(school.commune), number=str(n)) for n in range(1500)]
    rendered = {"message": "\n".join(f"{one['labels']} {text}" for one in many)}
    body = msgspec.json.encode({**message(*many), **rendered})
    assert len(body) > 2_000_000
    grafana = ask(EVERYTHING, "alert")
    answer = grafana.post(PATH, content=body)
    assert answer.json() == {"firing": 1500, "over": 0, "left": 0}
    assert ask().post(PATH, content=body).status_code == 403
    over = msgspec.json.encode(message(*({**one, "status": "resolved"} for one in many)))
    assert grafana.post(PATH, content=over).json() == {"firing": 0, "over": 1500, "left": 0}


def test_who_may_not_tell_sends_no_large_message(site: RunningSite) -> None:
    """It is turned away by its headers: nobody reads 8 MB of somebody unknown."""
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as line:
        line.sendall(head.encode() + b"{")
        assert line.recv(100).startswith(b"HTTP/1.1 401")


def test_what_was_cut_off_is_an_incident_until_all_is_told(tree: Tree, ask: Ask, school: School) -> None:
    grafana = ask(EVERYTHING, "alert")
    cut = {**message(alert()), "groupKey": "a", "truncatedAlerts": 700}
    assert grafana.post(PATH, json=cut).json() == {"firing": 1, "over": 0, "left": 0}
    of = {kept.alerted(found.evidence): found.id for found in look(tree)}
    (told,) = (text for text in of if text.startswith("Thiếu cảnh báo"))
    assert "700 cảnh báo bị bên gửi bỏ bớt" in told
    tell(grafana, alert())  # of another group
    assert {found.id for found in look(tree)} == set(of.values())
    assert grafana.post(PATH, json={**cut, "truncatedAlerts": 0}).json()["over"] == 0
    assert [kept.alerted(found.evidence) for found in look(tree)] == ["Chỉ tiêu tụt · Xã A: 45 %"]


def test_what_grafana_tells_of_no_more_makes_room(
    tree: Tree, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless an incident about it is open: a place that was renamed leaves alerts that are never over."""
    monkeypatch.setattr(route, "MOST", 3)
    grafana = ask(EVERYTHING, "alert")
    tell(grafana, *(alert(number=str(n)) for n in range(3)))
    assert len(look(tree)) == 3
    monkeypatch.setattr(route, "SILENT", -60.0)
    assert tell(grafana, alert(number="3"))["left"] == 1, "each has its incident"
    with begin_write(tree.engine) as conn:
        conn.execute(tables.incident.update().values(closed_at=time.time()))
    monkeypatch.setattr(route, "SILENT", 60.0)
    assert tell(grafana, alert(number="3"))["left"] == 1, "each was told of just now"
    monkeypatch.setattr(route, "SILENT", -60.0)
    assert tell(grafana, alert(number="3"), alert(number="0"))["firing"] == 2
    with begin_read(tree.engine) as conn:
        assert grafana_alerts.count(conn) == 2


def test_of_more_than_are_held_the_severest_are_taken_and_the_rest_is_counted(
    tree: Tree, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "MOST", 3)
    grafana = ask(EVERYTHING, "alert")
    severe = alert(name="Nặng", number="3", severity="high")
    assert tell(grafana, *(alert(number=str(n)) for n in range(3)), severe)["left"] == 1
    told = [kept.alerted(found.evidence) for found in look(tree)]
    assert len(told) == 4
    assert any(text.startswith("Nặng") for text in told)
    assert any("1 cảnh báo chưa được nhận vì đã đủ 3" in text for text in told)
    for n in range(5, 9):  # one a message, as our own rules are grouped
        assert tell(grafana, alert(number=str(n)))["left"] == 1
    assert len(look(tree)) == 4, "one incident says that some are missing"
    grafana.post(PATH, json=message(*(alert("resolved", number=str(n)) for n in range(3))))
    assert len(look(tree)) == 1, "once there is room, nothing is missing"
