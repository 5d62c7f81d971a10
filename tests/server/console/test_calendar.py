"""Days off, hours and planned work at the console: who sets them, what is refused, what is logged."""

import html
import re
import time
from datetime import date, datetime, timedelta

from reports import NOW
from schoolwatch_server import packs
from schoolwatch_server.console.words import ZONE
from schoolwatch_server.database import audit, calendars, incident_rows, incidents, maintenances
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.rules.subject import Subject
from schoolwatch_server.school_time import (
    SchoolTime,
    is_school_time,
    midnight,
    number_of,
    week,
)
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import Tree
from website import RunningSite, csrf, led


def school_day() -> date:
    """A Tuesday to come, no day of which week is a holiday: the page shows what is not long over."""
    every = SchoolTime(week("07:00-11:30", "", "2345678"), packs.load().calendar.breaks)
    today = datetime.now(ZONE).date()
    day = today + timedelta(days=8 - today.weekday())
    while not all(
        is_school_time(every, midnight(number_of(day + timedelta(days=n))) + 9 * 3600) for n in range(7)
    ):
        day += timedelta(days=7)
    return day


DAY_OFF = school_day()
NINE = midnight(number_of(DAY_OFF)) + 9 * 3600


def times(tree: Tree, now: float = NINE):
    with begin_read(tree.engine) as conn:
        return calendars.of_schools(conn, packs.load().calendar, now)


def test_a_head_sets_a_day_off_with_one_click_and_takes_it_back(tree: Tree) -> None:
    school, other = tree.schools[:2]
    assert is_school_time(times(tree)[school.id], NINE)
    with RunningSite(tree.config) as site:
        head = site.somebody("school_head", Scope("school", school.id))
        form = {"level": "school", "code": school.code, "csrf": csrf(head), "reason": " sửa  trường "}
        said = head.post("/calendar/days", data={**form, "first": f"{DAY_OFF}"})
        assert said.status_code == 303
        assert not is_school_time(times(tree)[school.id], NINE)
        assert is_school_time(times(tree)[other.id], NINE)
        page = head.get("/calendar").text
        assert "sửa trường" in page
        (number,) = [part.partition("/")[0] for part in page.split("/calendar/days/")[1:]]
        assert head.post(f"/calendar/days/{number}/end", data={"csrf": csrf(head)}).status_code == 303
        assert "sửa trường" not in head.get("/calendar").text
    assert is_school_time(times(tree)[school.id], NINE)
    with begin_read(tree.engine) as conn:
        actions = [entry.action for entry in audit.newest(conn, 10)]
    assert {"calendar.days", "calendar.days_end"} <= set(actions)


def test_a_commune_sets_a_day_for_all_of_its_schools_and_a_school_says_otherwise(tree: Tree) -> None:
    school, beside, elsewhere = tree.schools[0], tree.schools[1], tree.schools[2]
    code = next(mark for mark in school.above if "C" in mark)
    with RunningSite(tree.config) as site:
        commune = site.somebody("commune", Scope("commune", school.commune))
        form = {"level": "commune", "code": code, "csrf": csrf(commune), "reason": "bão số 9"}
        assert commune.post("/calendar/days", data={**form, "first": f"{DAY_OFF}"}).status_code == 303
        assert "bão số 9" in site.somebody("school_head", Scope("school", beside.id)).get("/calendar").text
        assert "bão" not in site.somebody("school_head", Scope("school", elsewhere.id)).get("/calendar").text
        head = site.somebody("school_head", Scope("school", school.id))
        assert head.post(
            "/calendar/days",
            data={
                "level": "school", "code": school.code, "csrf": csrf(head), "first": f"{DAY_OFF}",
                "is_held": "true", "reason": "vẫn học",
            },
        ).status_code == 303  # fmt: skip
        mine = {"level": "commune", "code": code, "csrf": csrf(head), "first": f"{DAY_OFF}", "reason": "abc"}
        assert head.post("/calendar/days", data=mine).status_code == 404, "it is not the head's commune"
    held = times(tree)
    assert [is_school_time(held[s.id], NINE) for s in (school, beside, elsewhere)] == [True, False, True]


def test_what_makes_no_sense_is_refused_with_the_field(tree: Tree) -> None:
    school = tree.schools[0]
    with RunningSite(tree.config) as site:
        head = site.somebody("school_head", Scope("school", school.id))
        form = {"level": "school", "code": school.code, "csrf": csrf(head), "reason": "lý do"}
        for path, wrong, field in (
            ("days", {"first": "2026-12-02", "last": "2026-12-01"}, "last"),
            ("days", {"first": "2026-12-02", "last": "2027-12-01"}, "last"),
            ("days", {"first": "2026-12-02", "reason": " "}, "reason"),
            ("days", {}, "first"),
            ("days", {"first": "9999-12-31"}, "first"),
            ("work", {"starts": "2026-12-02T10:00", "ends": "2026-12-02T09:00"}, "ends"),
            (
                "work",
                {"starts": "2099-12-02T10:00", "ends": "2099-12-02T11:00", "rule": "malware_found"},
                "rule",
            ),
            ("work", {"starts": "2020-12-02T10:00", "ends": "2020-12-02T11:00"}, "ends"),
            ("work", {"starts": "0001-01-01T00:00", "ends": "9999-12-31T23:59"}, "starts"),
            ("hours", {"morning": "7h-11h", "days": "23456"}, "hours"),
            ("hours", {"morning": "07:00-11:30", "days": "T2"}, "hours"),
        ):
            said = head.post(f"/calendar/{path}", data={**form, **wrong})
            assert (said.status_code, field in said.text) == (422, True), (path, wrong, said.text)
            (right,) = said.json()["errors"]
            page = head.post(f"/calendar/{path}", data={**form, **wrong}, headers={"Accept": "text/html"})
            assert f"</strong>: {html.escape(right['detail'])}" in page.text, "people read it too"


def test_a_flood_of_set_days_is_a_page_all_the_same(tree: Tree) -> None:
    school = tree.schools[0]
    with begin_write(tree.engine) as conn:
        for n in range(32):
            day = {"level": "school", "place_id": school.id, "first": f"{DAY_OFF}", "last": f"{DAY_OFF}"}
            calendars.put_days(conn, {**day, "is_held": False, "reason": f"lũ {n}"}, NOW, "so")
    with RunningSite(tree.config) as site:
        page = site.somebody("so_admin").get("/calendar").text
    assert page.count("lũ ") == 30
    assert "Còn 2 dòng nữa" in page


def test_a_school_has_its_own_hours_until_it_takes_them_back(tree: Tree) -> None:
    school = tree.schools[0]
    saturday = NINE + 4 * 86400
    with RunningSite(tree.config) as site:
        head = site.somebody("school_head", Scope("school", school.id))
        form = {"code": school.code, "csrf": csrf(head)}
        own = {"morning": "07:30-11:00", "days": "23456", "mornings_only": "7"}
        assert head.post("/calendar/hours", data={**form, **own}).status_code == 303
        assert times(tree)[school.id].week == week("07:30-11:00", "", "23456", "7")
        assert is_school_time(times(tree)[school.id], saturday)
        assert head.post("/calendar/hours", data={**form, "reset": "true"}).status_code == 303
    assert not is_school_time(times(tree)[school.id], saturday)


def test_an_incidents_page_says_that_work_was_planned(tree: Tree) -> None:
    school = tree.schools[0]
    work = {
        "level": "commune", "place_id": school.commune, "rule": "", "reason": "thay cáp quang",
        "starts": NOW - 60, "ends": NOW + 3600,
    }  # fmt: skip
    with begin_write(tree.engine) as conn:
        maintenances.put(conn, work, NOW - 100, "so")
        opened = incidents.open_incident(
            conn,
            incidents.NewIncident(
                "line_down", 1, "high", Subject("school", school.id), NOW, NOW, late=False, evidence={}
            ),
            NOW,
        )
    assert opened is not None
    with begin_read(tree.engine) as conn:
        here, elsewhere = (
            maintenances.inside_of(conn, Scope("school", tree.schools[n].id), NOW) for n in (1, 2)
        )
    assert [one.reason for one in here] == ["thay cáp quang"], "what the commune plans is its schools' too"
    assert elsewhere == ()
    with RunningSite(tree.config) as site:
        page = site.somebody("school_head", Scope("school", school.id)).get(f"/incidents/{opened.id}").text
    assert "thay cáp quang" in page


def test_work_that_is_entered_late_offers_to_see_to_what_it_explains(tree: Tree) -> None:
    school, other = tree.schools[:2]
    now = time.time()
    numbers = []
    with begin_write(tree.engine) as conn:
        for rule, place, since in (
            ("line_down", school.id, now - 600),
            ("site_down", school.id, now - 4 * 86400),
            ("clone", school.id, now - 300),  # never quiet
            ("line_down", other.id, now - 300),
        ):
            new = incidents.NewIncident(
                rule, 1, "high", Subject("school", place), since, now, late=False, evidence={}
            )
            numbers.append(incidents.open_incident(conn, new, now).id)
    with RunningSite(tree.config) as site:
        head = site.somebody("school_head", Scope("school", school.id))
        page = head.get(f"/incidents/{numbers[0]}").text
        (link,) = re.findall(r'href="(/calendar\?[^"]*incident=\d+)', html.unescape(page))
        assert "incident=" not in head.get(f"/incidents/{numbers[2]}").text, "an attack is no work"
        begun = datetime.fromtimestamp(now - 600, ZONE).strftime("%Y-%m-%dT%H:%M")
        assert f'name="starts" value="{begun}"' in head.get(link).text
        form = {"csrf": csrf(head), "level": "school", "code": school.code, "reason": "thay cáp quang"}
        ends = datetime.fromtimestamp(now + 3600, ZONE).strftime("%Y-%m-%dT%H:%M")
        said = head.post("/calendar/work", data={**form, "starts": begun, "ends": ends})
        at = said.headers["location"]
        assert at.startswith("/calendar/work/")
        page = head.get(at).text
        shown = dict(re.findall(r'name="incident" value="(\d+)"( checked)?', page))
        assert shown == {str(numbers[0]): " checked", str(numbers[1]): ""}
        other_head = site.somebody("school_head", Scope("school", other.id))
        assert other_head.get(at).status_code == 404
        form = {"csrf": csrf(head), "act": "acknowledge", "incident": [str(numbers[0])]}
        assert "Đã ghi cho 1 sự cố" in led(head, head.post(f"{at}/incidents", data=form)).text
        wrong = head.post(f"{at}/incidents", data={**form, "incident": [str(numbers[2])]})
        assert wrong.status_code == 422
        told = head.get(f"/incidents/{numbers[0]}").text
        assert "Do bảo trì: thay cáp quang" in told
        assert f'href="{at}"' in told
    with begin_read(tree.engine) as conn:
        rows = {number: incident_rows.incident(conn, number, EVERYTHING) for number in numbers}
    assert [rows[number].state for number in numbers] == ["acknowledged", "open", "open", "open"]


def test_work_that_is_over_may_be_entered_for_a_week(tree: Tree) -> None:
    school, now = tree.schools[0], time.time()
    with RunningSite(tree.config) as site:
        head = site.somebody("school_head", Scope("school", school.id))
        form = {"csrf": csrf(head), "level": "school", "code": school.code, "reason": "thay cáp quang"}
        for days, status in ((6.5, 303), (7.5, 422)):
            at = [
                datetime.fromtimestamp(now - days * 86400 + more, ZONE).strftime("%Y-%m-%dT%H:%M")
                for more in (-3600, 0)
            ]
            said = head.post("/calendar/work", data={**form, "starts": at[0], "ends": at[1]})
            assert said.status_code == status


def test_a_schools_page_says_that_there_is_no_school_today(tree: Tree) -> None:
    school = tree.schools[0]
    today = datetime.now(ZONE).date()
    with RunningSite(tree.config) as site:
        head = site.somebody("school_head", Scope("school", school.id))
        form = {"csrf": csrf(head), "level": "school", "code": school.code, "reason": "thử"}
        days = {"first": f"{today - timedelta(days=1)}", "last": f"{today + timedelta(days=1)}"}
        head.post("/calendar/days", data={**form, **days, "is_held": "true"})
        assert "Hôm nay nghỉ học" not in head.get(f"/schools/{school.code}").text
        head.post("/calendar/days", data={**form, **days})
        assert "Hôm nay nghỉ học" in head.get(f"/schools/{school.code}").text
