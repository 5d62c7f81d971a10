"""Nobody reads a row of outside: every address, every scope, by the marks that each place's data carries."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from reports import Device
from schoolwatch_contract.records import Fact, Reading
from schoolwatch_server import packs, people
from schoolwatch_server.api.route import SESSION_COOKIE
from schoolwatch_server.api.service import ROUTES
from schoolwatch_server.database import incident_rows, pages, registry
from schoolwatch_server.database import reports as frozen_reports
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.people import record
from schoolwatch_server.intake.batch import take
from schoolwatch_server.reports import TABLES, keeping
from schoolwatch_server.reports.freeze import Judged
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import School, Tree
from website import RunningSite

PASSWORD = "a password for tests"
ELSEWHERE = {
    "/login",
    "/login/code",
    "/login/oidc",
    "/login/oidc/callback",
    "/logout",
    "/language/{language}",
    "/docs",
    "/privacy",
    "/packs/kept/{sha256}",
    "/packs/{pack}/versions/{version}",
    "/rules/{rule}/versions/{version}",
    "/api/v1/openapi.json",
    "/healthz",
    "/influx/ping",
    "/readyz",
    "/ca.pem",
    "/verify/{digest}",
}
"""GET routes that hold nothing of any school."""

ENROLLING = {"/arrivals", "/ghosts"}
"""Pages of who lets computers in, which no token opens; tests/server/people asks whom they show what."""

PEOPLE = {"/audit", "/audit.csv", "/tokens", "/me", "/me/channels", "/people", "/people/{account}"}
"""Pages of accounts, which no token opens; tests/server/people asks who sees whom there."""

ADMINISTRATION = {
    "/devices/{device}/deletion",
    "/schools/{code}/deletion",
    "/renewals",
    "/imports",
    "/imports/template.xlsx",
    "/malware.xml",
    "/packs/plans/new",
    "/packs/{pack}/edit",
    "/rules/{rule}/edit",
    "/replays/{replay}",
    "/provinces/{code}/boundaries",
}
"""Pages of an administrator, which no token opens; the matrix asks who opens them."""

CLAIMS = {
    "/claims",
    "/claims/files/{number}",
    "/schools/{code}/claims",
    "/schools/{code}/claims/{question}",
    "/reports/{digest}/form",
    "/incidents/{number}/forms/{sha256}/{format}",
}
"""What schools declare and forms they fill, which no token opens; the pages' own tests ask who sees what."""

STREAMS = {"/incidents/stream", "/wall/stream"}
"""They never end; tests/server/console/test_live.py asks what they carry to whom."""

LISTS = ("room-use", "activation", "lines", "sites", "indicators/history", "indicators/history.ndjson")
"""Of all schools, or of one."""

GET = {route.path for route in ROUTES if route.method == "GET"} - ELSEWHERE


OF_A_SCHOOL = "devices", "indicators", "incidents", "sites/looks", "work-list"
"""Routes of the API that take a school."""


ENTERED = "days", "work"
"""What stands in the calendar of a place."""


def addresses(tree: Tree) -> Iterator[tuple[str, School | None]]:
    """Every address under which something of a school may be read, with the school it is about."""
    whole = (
        "schools",
        "devices",
        "facts",
        "facts?history=true",
        "incidents",
        "incidents?state=closed",
        "incidents?q=Mark",
        "response-times",
        "response-times.csv",
        "work-lists",
        "work-lists.csv",
        "calendar/days",
        "calendar/work",
        "calendar/work/1",
        "calendar/hours",
        *(f"incidents/{number}" for number in range(1, 17)),
    )
    for path in (*whole, *LISTS, *(f"tables/{name}.csv" for name in TABLES)):
        yield f"/api/v1/{path}", None
    pages = (
        "/",
        "/progress",
        "/sites",
        "/sites?show=without",
        "/calendar",
        "/calendar/work/1",
        "/search?q=truong",
        "/incidents",
        "/incidents?closed=true",
        "/incidents?state=all&q=m%C3%A1y",
        "/incidents.csv?state=all",
        "/malware",
        "/malware.csv",
        "/serious",
        "/serious?show=all",
        "/recipients",
        "/response-times",
        "/wall",
    )
    for path in (
        *pages,
        "/packs",
        "/packs/network",
        "/rules",
        "/rules/antivirus_off",
        *(f"/incidents/{number}" for number in range(1, 17)),
    ):
        yield path, None
    yield from ((f"/incidents/{number}/serious", None) for number in range(1, 17))
    yield "/api/v1/catalog", None
    yield "/api/v1/rules", None
    for measurement in ("indicator", "school_info", "device_info"):
        yield f"/influx/query?q=SELECT last(value) FROM {measurement} GROUP BY *", None
        yield f"/influx/query?q=SHOW TAG VALUES FROM {measurement} WITH KEY =~ /./", None
    yield "/metrics/indicators?level=province&level=commune&level=school", None
    yield from of_all_reports()
    for school in tree.schools:
        for path in (*OF_A_SCHOOL, "work-list.csv", "known-network", "calendar/hours"):
            yield f"/api/v1/{path}?school={school.code}", school
        for path in (*LISTS, *(f"tables/{name}.csv" for name in TABLES)):
            yield f"/api/v1/{path}?school={school.code}", school
        yield f"/api/v1/schools/{school.code}/indicators.csv", school
        yield f"/calendar?level=school&code={school.code}", school
        for path in ("", "/indicators.csv", "/progress", "/needs", "/lists", "/work-list", "/network"):
            yield f"/schools/{school.code}{path}", school
        yield from of_reports(tree, school)
        for mark in sorted(school.above):
            place = f"/{'provinces' if 'P' in mark else 'communes'}/{mark}"
            yield from ((place + page, None) for page in ("", "/progress", "/needs", "/work-list"))
            if "P" in mark:
                yield f"{place}/ranking", None
                yield f"/api/v1{place}/ranking?indicator=telemetry_coverage", None
                yield f"/api/v1{place}/ranking.csv?indicator=telemetry_coverage", None
        yield from ((f"/api/v1/calendar/{what}?level=school&code={school.code}", school) for what in ENTERED)
        yield from of_devices(school)


def of_devices(school: School) -> Iterator[tuple[str, School | None]]:
    """Where something of a school's devices can be read."""
    for device in school.devices:
        yield f"/api/v1/facts?device={device.device}&history=true", school
        yield f"/api/v1/series?device={device.device}&metric=link.speed", school
        yield f"/devices/{device.device}", school
        yield f"/devices/{device.device}/now", school
        yield f"/api/v1/incidents?device={device.device}", None


def of_all_reports() -> Iterator[tuple[str, School | None]]:
    """Where reports of many schools are listed."""
    for path in ("/reports", "/reports/calendar", "/api/v1/reports", "/api/v1/reports.ndjson"):
        yield path, None
    for mark in ("MarkP0X", "MarkP1X"):
        yield f"/reports/due?kind=monthly&level=school&period=2026-11&province={mark}", None


def of_reports(tree: Tree, school: School) -> Iterator[tuple[str, School | None]]:
    """Where the school's frozen report can be read."""
    yield f"/api/v1/reports?school={school.code}", school
    digest = frozen(tree, school)
    yield f"/reports/{digest}", school
    yield f"/reports/{digest}/file.csv", school
    yield f"/api/v1/reports/{digest}", school
    yield f"/api/v1/reports/{digest}/content", school
    yield f"/api/v1/reports/{digest}/values.ndjson", school


def frozen(tree: Tree, school: School) -> str:
    """The digest of the school's report of the year, which is frozen when it is first asked for."""
    with begin_read(tree.engine) as conn:
        for row in frozen_reports.listed(conn, Scope("school", school.id)):
            return row.sha256
    wanted = keeping.Wanted("school", school.code, "year")
    return keeping.freeze(
        tree.engine, wanted, Judged(packs.load()), EVERYTHING, by="test", now=tree.now
    ).sha256


def mentioned(answer: httpx.Response, about: str, marks: frozenset[str]) -> set[str]:
    """The marks in an answer, but for the names that the question itself gave."""
    text = answer.text + repr(answer.headers)
    asked = {mark for mark in marks if mark in about}
    return {mark for mark in marks if mark in text} - (asked if answer.status_code == 404 else set())


def test_the_list_of_addresses_leaves_no_route_out(tree: Tree, site: RunningSite) -> None:
    asked = set()
    for path, _ in addresses(tree):
        for route in site.app.routes:
            if getattr(route, "path_regex", None) and route.path_regex.match(path.partition("?")[0]):
                asked.add(route.path)
                break
    missing = (
        GET
        - asked
        - {
            "/metrics",
            "/system",
            "/notifications",
            "/duty",
            "/exercises",
            "/bundles",
            *PEOPLE,
            *ENROLLING,
            *ADMINISTRATION,
            *CLAIMS,
            *STREAMS,
        }
    )
    assert not missing, f"say in addresses() where data of schools can be read: {missing}"


@pytest.mark.parametrize("number", [0, 1, 4, 14])  # everything, a province, a commune, a school
def test_a_token_reads_its_part_of_the_tree_and_nothing_else(tree: Tree, ask, number: int) -> None:
    scope = tree.scopes[number]
    client, hidden = ask(scope), tree.hidden(scope)
    assert bool(hidden) == (scope != EVERYTHING)
    inside = {school.mark for school in tree.schools if school.inside(scope)}
    seen: set[str] = set()
    for path, school in addresses(tree):
        answer = client.get(path, headers={"Accept": "application/json"})
        assert answer.status_code in (200, 303, 404), (path, answer.text)
        assert not mentioned(answer, path, hidden), path
        seen |= mentioned(answer, path, frozenset(inside))
        if school is not None:
            assert (answer.status_code == 200) == school.inside(scope), path
    assert seen == inside


def test_only_who_sees_everything_reads_of_the_server(tree: Tree, site: RunningSite, ask) -> None:
    with begin_write(tree.engine) as conn:
        record(conn, actor="x", action="test", subject="Mark000X", detail={}, now=tree.now)
    assert ask().get("/system").status_code == 200
    assert "Mark000X" not in ask().get("/system").text, "the audit log is for those who check it"
    assert "Mark000X" in site.somebody("auditor").get("/audit").text
    for scope in tree.scopes[1:]:
        for path in ("/metrics", "/system"):
            assert ask(scope).get(path).status_code == 403
    auditor = site.somebody("auditor", Scope("province", tree.schools[0].province))
    for path in ("/audit", "/audit.csv", "/system"):
        assert auditor.get(path).status_code == 403


@pytest.mark.parametrize("number", range(15))
def test_what_is_added_up_is_added_up_inside_the_scope(tree: Tree, number: int) -> None:
    scope = tree.scopes[number]
    inside = {school.id for school in tree.schools if school.inside(scope)}
    with begin_read(tree.engine) as conn:
        tallies = pages.tallies(conn, scope, heard_after=0, working_after=0)
        devices = pages.devices_after(conn, scope, after=0, limit=100, school_id=None)
        listed = incident_rows.incidents(conn, scope, limit=100)
    assert {tally.school_id for tally in tallies} == inside
    assert {(tally.devices, tally.heard, tally.incidents) for tally in tallies} == {(2, 2, 1)}
    assert len(devices) == len(listed) == 2 * len(inside)


WRITES = [
    ("/schools/{code}/declare", {"students": "7"}),
    ("/schools/{code}/enrolment", {"days": "1", "uses": "1"}),
    ("/schools/{code}/enrolment/revoke", {}),
    ("/schools/{code}/rooms", {"name": "Phòng mới", "role": "student_lab"}),
    ("/devices/{device}/manage", {"label": "Máy mới", "role": "studio"}),
]


@pytest.mark.parametrize(("action", "form"), WRITES)
def test_nobody_writes_outside_the_scope(
    tree: Tree, site: RunningSite, action: str, form: dict[str, str]
) -> None:
    scope, name = Scope("commune", tree.schools[0].commune), f"writer {action}"
    people.create_account(tree.engine, name, PASSWORD, role="technician", scope=scope, by="test")
    login = people.log_in(tree.engine, name, PASSWORD, address="", now=tree.now)
    assert login is not None
    client = site.anyone(cookies={SESSION_COOKIE: login.secret})
    for school in tree.schools:
        path = action.format(code=school.code, device=school.devices[0].device)
        answer = client.post(path, data={**form, "csrf": login.csrf})
        assert (answer.status_code in (200, 303)) == school.inside(scope)
        assert answer.status_code in (200, 303, 404)
        for csrf in ("", "wrong", login.csrf[:-1]):
            refused = client.post(path, data={**form, "csrf": csrf})
            assert refused.status_code == 403


def test_a_device_that_moved_leaves_what_it_was_behind(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    old, new, device = tree.schools[0], tree.schools[7], tree.schools[0].devices[0]
    with begin_write(tree.engine) as conn:
        registry.move_device(conn, device.id, new.id, None, tree.now - 30 * 60)
    _report_after_the_move(tree, device)
    with RunningSite(tree.config) as site:
        there, here = site.ask(Scope("school", new.id)), site.ask(Scope("school", old.id))
        facts = there.get("/api/v1/facts", params={"device": device.device, "history": "true"}).json()[
            "facts"
        ]
        assert {fact["value"] for fact in facts if fact["name"] == "os.name"} == {
            "Linux Mark000X 2",  # held still when it came
            "Linux Mark000X 3",
            "Linux there",
        }
        about = {"device": device.device, "metric": "processor.busy"}
        (series,) = there.get("/api/v1/series", params=about).json()["series"]
        assert [point["mean"] for point in series["points"]] == [0.3, 0.9]
        about_it = {"device": device.device}
        follows = there.get("/api/v1/incidents", params=about_it).json()["incidents"]
        assert {one["state"] for one in follows} == {"open"}, "who sees to it there sees what is open alone"
        assert here.get("/api/v1/incidents", params={**about_it, "state": "active"}).json()["incidents"] == []
        assert here.get("/api/v1/series", params=about).status_code == 404
        whole = site.ask().get("/api/v1/series", params=about).json()["series"][0]
        assert len(whole["points"]) == 4
    with begin_read(tree.engine) as conn:
        assert registry.device(conn, device.device, Scope("school", new.id)) is not None
    tree.engine.dispose()


def _report_after_the_move(tree: Tree, device: Device) -> None:
    readings = (Reading("processor.busy", 0.9),)
    message = device.message(4, at=tree.now - 5, readings=readings, facts=(Fact("os.name", "Linux there"),))
    take(tree.engine, [message], Rules())
