"""School time and planned work entered by programs, with the console's rules and in its words."""

from datetime import datetime, timedelta

import httpx
import pytest

from schoolwatch_server import packs
from schoolwatch_server.console.words import ZONE
from schoolwatch_server.database import audit, calendars
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.school_time import day_number, sessions
from schoolwatch_server.scope import EVERYTHING, Scope
from shared import own_site, own_tree
from tree import Tree
from website import RunningSite, csrf

AT = "/api/v1/calendar"
WORK_AT = f"{AT}/work"
NOW = datetime.now(ZONE)
DAYS = {"level": "school", "first": NOW.date().isoformat(), "reason": "  mưa   lũ "}
WORK = {
    "level": "school", "reason": "thay cáp quang",
    "starts": (NOW - timedelta(hours=1)).isoformat(), "ends": (NOW + timedelta(days=1)).isoformat(),
}  # fmt: skip
EVERY_DAY = {"morning": "07:30-11:00", "days": "2345678"}


tree, site = own_tree, own_site


def program(site: RunningSite, scope: Scope = EVERYTHING) -> httpx.Client:
    return site.ask(scope, "calendar")


def test_a_timetable_enters_days_and_takes_them_back(tree: Tree, site: RunningSite) -> None:
    school, beside = tree.schools[:2]
    client = program(site, Scope("school", school.id))
    made = client.post(f"{AT}/days", json={**DAYS, "code": school.code})
    assert made.status_code == 201
    row = made.json()
    assert (row["place"]["code"], row["first"], row["last"]) == (school.code, DAYS["first"], DAYS["first"])
    assert (row["reason"], row["made_by"], row["ended_at"]) == ("mưa lũ", "API token test", None)
    assert client.get(f"{AT}/days").json() == {"days": [row], "next": None}
    client.post(f"{AT}/hours", json={"school": school.code, **EVERY_DAY})
    of_that_day = f"{AT}/hours?school={school.code}&day={row['first']}"
    assert client.get(of_that_day).json()["sessions"] == []
    assert client.post(f"{AT}/days", json={**DAYS, "code": beside.code}).status_code == 404
    ended = client.post(f"{AT}/days/{row['id']}/end").json()
    assert len(client.get(of_that_day).json()["sessions"]) == 1
    assert ended["ended_at"] is not None
    assert client.post(f"{AT}/days/{row['id']}/end").json() == ended, "once"
    assert client.get(f"{AT}/days").json()["days"] == []
    with begin_read(tree.engine) as conn:
        told = [(e.action, e.actor, e.detail["by"]) for e in audit.newest(conn, 9) if "calendar" in e.action]
    assert told == [
        (f"calendar.{what}", "test", "token") for what in ("days_end", "hours", "days")
    ]  # fmt: skip


def test_pages_of_a_list_hold_each_entry_once(tree: Tree, site: RunningSite) -> None:
    client = program(site)
    numbers = [
        client.post(f"{AT}/days", json={**DAYS, "code": school.code}).json()["id"]
        for school in tree.schools[:3]
    ]
    found, cursor = [], 0
    while cursor is not None:
        page = client.get(f"{AT}/days", params={"limit": 2, "cursor": cursor}).json()
        found += [one["id"] for one in page["days"]]
        cursor = page["next"]
    assert found == sorted(numbers, reverse=True)
    of_one = client.get(f"{AT}/days", params={"level": "school", "code": tree.schools[1].code}).json()
    assert [one["id"] for one in of_one["days"]] == [numbers[1]]


def test_planned_work_names_the_incidents_that_it_may_explain(tree: Tree, site: RunningSite) -> None:
    school = tree.schools[0]
    code = next(mark for mark in school.above if "C" in mark)
    client = program(site)
    work = client.post(f"{AT}/work", json={**WORK, "level": "commune", "code": code}).json()
    assert (work["place"]["level"], work["rule"]) == ("commune", None)
    quiet = {rule.id for rule in site.app.state.context.rules.values() if rule.quiet_when_planned}
    assert {one["rule"] for one in work["incidents"]} <= quiet
    assert client.get(f"{WORK_AT}/{work['id']}").json() == work
    listed = program(site, Scope("school", school.id)).get(f"{AT}/work").json()["work"]
    assert [one["id"] for one in listed] == [work["id"]], "a school sees what its commune plans"
    ended = client.post(f"{WORK_AT}/{work['id']}/end").json()
    assert ended["ends"] < work["ends"]
    assert client.post(f"{WORK_AT}/{work['id']}/end").json() == ended


def test_a_school_has_its_own_hours_until_it_takes_them_back(tree: Tree, site: RunningSite) -> None:
    school = tree.schools[0]
    client = program(site)
    own = {"school": school.code, **EVERY_DAY}
    held = client.post(f"{AT}/hours", json=own).json()
    assert (held["own"]["morning"], held["own"]["changed_by"]) == ("07:30-11:00", "API token test")
    with begin_read(tree.engine) as conn:
        now = datetime.now(ZONE).timestamp()
        calendar = calendars.of_schools(conn, packs.load().calendar, now)[school.id]
    told = client.get(f"{AT}/hours?school={school.code}").json()
    assert len(told["sessions"]) == len(sessions(calendar, day_number(now)))
    assert told["levels"]
    assert told["breaks"]
    assert client.post(f"{AT}/hours/reset", json={"school": school.code}).json()["own"] is None
    assert client.get(f"{AT}/hours").json()["sessions"] is None, "of no school"


def test_what_makes_no_sense_is_refused_with_the_field_and_changes_nothing(
    tree: Tree, site: RunningSite
) -> None:
    school, client = tree.schools[0], program(site)
    days, work = {**DAYS, "code": school.code}, {**WORK, "code": school.code}
    hours = {"school": school.code, "morning": "07:00-11:30", "days": "23456"}
    for path, body, field in (
        ("days", {**days, "first": "2026-02-30"}, "first"),
        ("days", {**days, "first": "2019-12-31"}, "first"),
        ("days", {**days, "last": "2020-01-01"}, "last"),
        ("days", {**days, "reason": " "}, "reason"),
        ("days", {**days, "level": "country"}, "level"),
        ("days", {**days, "is_held": 1}, "is_held"),
        ("work", {**work, "starts": "2026-12-01T08:00:00"}, "starts"),
        ("work", {**work, "starts": "2010-12-01T08:00:00Z"}, "starts"),
        ("work", {**work, "ends": work["starts"]}, "ends"),
        ("work", {**work, "rule": "malware_found"}, "rule"),
        ("hours", {**hours, "morning": "7h-11h"}, "hours"),
    ):
        said = client.post(f"{AT}/{path}", json=body)
        assert said.status_code == 422, (path, body, said.text)
        assert [one["field"] for one in said.json()["errors"]] == [field]
    assert "write why" in client.post(f"{AT}/days", json={**days, "reason": "x"}).json()["detail"]
    assert client.get(f"{AT}/days").json()["days"] == []
    assert client.get(f"{AT}/work").json()["work"] == []
    for day in ("2026-13-01", "0001-01-01", "9999-12-31"):
        wrong = client.get(f"{AT}/hours?school={school.code}&day={day}")
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "day")


@pytest.mark.parametrize("what", ["days", "work"])
def test_half_a_place_is_not_taken_for_all_places(tree: Tree, site: RunningSite, what: str) -> None:
    client, code = program(site), tree.schools[0].code
    for asked, lacks in (({"code": code}, "level"), ({"level": "school"}, "code")):
        said = client.get(f"{AT}/{what}", params=asked)
        assert said.status_code == 422
        assert [one["field"] for one in said.json()["errors"]] == [lacks]


def test_who_may_not_and_a_session_without_its_secret_change_nothing(tree: Tree, site: RunningSite) -> None:
    school = tree.schools[0]
    days = {**DAYS, "code": school.code}
    for permission in ("read", "handle", "alert"):
        assert site.ask(EVERYTHING, permission).post(f"{AT}/days", json=days).status_code == 403
    head = site.somebody("school_head", Scope("school", school.id))
    assert head.post(f"{AT}/days", json=days).status_code == 403, "another site's page knows no such secret"
    mine = head.post(f"{AT}/days", json=days, headers={"X-CSRF-Token": csrf(head)})
    assert mine.status_code == 201
    assert mine.json()["made_by"].startswith("school_head-")
