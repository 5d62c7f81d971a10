"""The audit log's page: whom it shows what, filtered, and the file of it."""

import csv
import io
import json
import re
from collections.abc import Iterator

import httpx
import pytest

from schoolwatch_server.console.audit import PAGE, day_start
from schoolwatch_server.database import people
from schoolwatch_server.database.engine import begin_write
from shared import shared_tree
from tree import Tree
from website import RunningSite, csrf

NOON = (day_start("from", "2026-03-02") or 0) + 12 * 3600
DAY = 86400


tree = shared_tree


@pytest.fixture(scope="module")
def auditor(tree: Tree) -> Iterator[httpx.Client]:
    with begin_write(tree.engine) as conn:
        for n, (actor, action) in enumerate(
            [("lan", "declare"), ("hà & con", "room"), ("lan", "device"), ("lan", "declare")]
        ):
            people.record(
                conn, actor=actor, action=action, subject=f"S{n}", detail={"students": n}, now=NOON + n * DAY
            )
    with RunningSite(tree.config) as site:
        client = site.somebody("auditor")
        client.cookies.set("schoolwatch_language", "en")
        yield client


def subjects(client: httpx.Client, **query: str) -> list[str]:
    answer = client.get("/audit", params=query)
    assert answer.status_code == 200, answer.text
    return re.findall(r'data-label="On" class="long"><span>(S\d)</span>', answer.text)


def test_lines_are_found_by_day_actor_and_action_newest_first(auditor: httpx.Client) -> None:
    assert subjects(auditor, to="2026-04-01") == ["S3", "S2", "S1", "S0"]
    assert subjects(auditor, **{"from": "2026-03-03", "to": "2026-03-04"}) == ["S2", "S1"]
    assert subjects(auditor, to="2026-03-02") == ["S0"], "the last day is whole"
    assert subjects(auditor, to="2026-04-01", actor="hà & con") == ["S1"]
    assert subjects(auditor, action="declare") == ["S3", "S0"]
    assert subjects(auditor, actor="nobody") == []


@pytest.mark.parametrize("day", ["2026-02-30", "30/11/2026", "x", "2026-1-1", "0000-00-00"])
def test_what_is_no_day_is_refused_in_words(auditor: httpx.Client, day: str) -> None:
    for path in ("/audit", "/audit.csv"):
        assert auditor.get(path, params={"from": day}).status_code == 422
    answer = auditor.get("/audit", params={"to": day}, headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert "a day of the calendar" in answer.text


def test_a_long_log_is_read_page_by_page(tree: Tree, auditor: httpx.Client) -> None:
    with begin_write(tree.engine) as conn:
        for n in range(PAGE + 5):
            people.record(conn, actor="many", action="room", subject=f"T{n}", detail={}, now=NOON)
    answer = auditor.get("/audit", params={"actor": "many"})
    assert answer.text.count("<span>T") == PAGE
    (more,) = re.findall(r'href="(/audit\?[^"]*before=\d+)"', answer.text)
    answer = auditor.get(more.replace("&amp;", "&"))
    assert re.findall(r"<span>(T\d+)</span>", answer.text) == [f"T{n}" for n in reversed(range(5))]
    assert "before=" not in answer.text


def test_the_file_holds_every_line_of_its_time_and_that_it_was_taken_is_one(auditor: httpx.Client) -> None:
    answer = auditor.get("/audit.csv", params={"from": "2026-03-03", "to": "2026-03-05"})
    assert answer.headers["content-disposition"] == 'attachment; filename="schoolwatch-audit.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["actor"], row["subject"]) for row in rows] == [
        ("hà & con", "S1"),
        ("lan", "S2"),
        ("lan", "S3"),
    ]
    assert json.loads(rows[0]["detail"]) == {"students": 1}
    assert "Audit log" in auditor.get("/audit", params={"action": "audit.export"}).text
    assert auditor.get("/audit", params={"action": "audit.export"}).text.count('<th scope="row">') == 1


def test_who_may_not_read_it_sees_nothing_of_it(tree: Tree, auditor: httpx.Client) -> None:
    with RunningSite(tree.config) as site:
        viewer = site.somebody("so_viewer")
        assert viewer.get("/audit").status_code == 403
        page = viewer.get("/system").text
        assert "/audit" not in page
        assert "S3" not in page.replace(csrf(viewer), "")  # which is random, and may hold these two signs
        assert "/audit" in site.somebody("so_admin").get("/system").text


def test_details_are_said_in_the_readers_language(tree: Tree, auditor: httpx.Client) -> None:
    detail = {
        "role": "school_head",
        "scope": "school",
        "days": 30.0,
        "broken": True,
        "uses": 1,
        "admits": "at_once",
        "from": "",
        "odd": "as it is",
    }
    with begin_write(tree.engine) as conn:
        people.record(conn, actor="chị Lan", action="account.create", subject="x", detail=detail, now=NOON)
    auditor.cookies.set("schoolwatch_language", "vi")
    try:
        page = auditor.get("/audit", params={"actor": "chị Lan"}).text
    finally:
        auditor.cookies.set("schoolwatch_language", "en")
    of_account = "vai trò: Hiệu trưởng; phạm vi: trường; số ngày: 30; hỏng: có"
    assert f"{of_account}; số lần dùng: 1; nhận máy: nhận ngay; odd: as it is<" in page
