"""What a browser is told, and what it must bring: forms' tokens, cookies, the content security policy."""

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from databases import make_database, settings_of
from matrix import MATRIX, Row
from schoolwatch_server import people
from schoolwatch_server.api.headers import HEADERS, HSTS
from schoolwatch_server.api.route import SESSION_COOKIE
from schoolwatch_server.config import Http
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.incident_rows import incidents
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import Tree
from website import RunningSite, csrf

FORMS = [
    row
    for row in MATRIX
    if row.method == "POST" and not row.path.startswith("/api/") and row.path != "/influx/query"  # it reads
]
PAGES = [
    row
    for row in MATRIX
    if row.method == "GET" and not row.is_stream and "." not in row.path and "/api/" not in row.path
]
ELSEWHERE = {"/healthz", "/readyz", "/influx/ping", "/metrics", "/metrics/indicators", "/language/{language}"}
"""Answers that are no pages."""


def address(row: Row, tree: Tree) -> str:
    """The row's path with names of things that are there, where there are such."""
    school = tree.schools[0]
    with begin_read(tree.engine) as conn:
        incident = incidents(conn, Scope("school", school.id), limit=1)[0].id
    code = {"/provinces": "MarkP0X", "/communes/": "MarkC00X"}.get(row.path[:10], school.code)
    values = {"code": code, "device": school.devices[0].device, "number": str(incident),
              "pack": "network", "rule": "antivirus_off", "digest": "0" * 64,
              "sha256": "0" * 64, "format": "docx"}  # fmt: skip
    path = row.path + (f"?{row.query}" if row.query and "{" not in row.query else "")
    for part in path.split("/"):
        if part.startswith("{"):
            path = path.replace(part, values.get(part[1:-1], "1"))
    return path


def as_row(row: Row) -> str:
    return f"{row.method} {row.path}"


@pytest.fixture(scope="module")
def everybody(site: RunningSite) -> list[httpx.Client]:
    return [site.somebody("so_admin"), site.somebody("technician")]


@pytest.mark.parametrize("row", FORMS, ids=as_row)
def test_no_form_does_anything_without_the_token_of_its_session(
    site: RunningSite, tree: Tree, everybody: list[httpx.Client], row: Row
) -> None:
    others = csrf(site.somebody("so_admin"))
    for client in everybody:
        for token in ("", "wrong", others, csrf(client)[:-1]):
            form = {**row.form, "csrf": token}
            files = (
                {"file": ("x", b"x")}
                if row.path in {"/bundles/import", "/imports/look", "/claims/save"}
                else None
            )
            answer = client.post(address(row, tree), data=form, files=files)
            assert answer.status_code in (403, 422), answer.text  # 422: the form's fields are looked at first
    assert all(client.get("/login").status_code == 200 for client in everybody)
    if row.path not in {"/login", "/login/code"}:
        assert all(client.get("/me").status_code == 200 for client in everybody), "all are still logged in"


def test_every_page_keeps_to_the_content_security_policy(
    site: RunningSite, tree: Tree, browser: Browser
) -> None:
    client = site.somebody("so_admin")
    context = browser.new_context()
    context.add_cookies([{"name": SESSION_COOKIE, "value": client.cookies[SESSION_COOKIE], "url": site.url}])
    page, said, asked = context.new_page(), [], set()
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.add(request.url))
    seen = 0
    for row in PAGES:
        if row.path not in ELSEWHERE:
            answer = page.goto(site.url + address(row, tree))
            assert answer is not None
            if answer.status == 200:
                seen += 1
                assert "unsafe" not in answer.headers["content-security-policy"]
    assert [text for text in said if "404 (Not Found)" not in text] == []  # of rows without a thing here
    assert seen >= 15
    assert all(url.startswith((site.url, "data:")) for url in asked)
    context.close()


def test_the_policy_lets_nothing_in_from_elsewhere_and_no_code_from_the_page_itself() -> None:
    policy = HEADERS["Content-Security-Policy"]
    for said in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'self'",
                 "frame-ancestors 'none'"):  # fmt: skip
        assert said in policy
    for hole in ("unsafe-inline", "unsafe-eval", "http:", "https:", "*"):
        assert hole not in policy


@pytest.mark.parametrize("https", [True, False])
def test_cookies_are_out_of_reach_and_under_https_of_this_host_alone(tmp_path: Path, https: bool) -> None:
    make_database(tmp_path)
    url = "https://giam-sat.example" if https else ""
    with RunningSite(settings_of(tmp_path, http=Http(public_url=url))) as site:
        people.create_account(
            site.engine, "root", "a password for tests", role="auditor", scope=EVERYTHING, by="t"
        )
        client = site.anyone()
        shown = client.get("/login")
        assert (shown.headers.get("strict-transport-security") == HSTS) == https
        form = shown.headers["set-cookie"].partition(";")[0]
        token = form.partition("=")[2]
        answer = client.post(
            "/login",
            data={"name": "root", "password": "a password for tests", "csrf": token},
            headers={"Cookie": form},
        )
        assert answer.status_code == 303
        language = client.get("/language/en")
        said = [shown, answer, language]
        found = [cookie for one in said for cookie in one.headers.get_list("set-cookie")]
        assert len(found) >= 4
        for cookie in found:
            parts = {part.strip().lower() for part in cookie.split(";")}
            assert {"httponly", "path=/"} <= parts
            assert parts & {"samesite=lax", "samesite=strict"}
            assert ("secure" in parts, cookie.startswith("__Host-")) == (https, https)
            assert not any(part.startswith("domain") for part in parts)
        if https:  # a cookie that a neighbouring host could have planted is none
            session = next(c for c in found if SESSION_COOKIE in c).partition(";")[0]
            kept = {"Cookie": session}, {"Cookie": session.removeprefix("__Host-")}
            assert [site.anyone().get("/incidents", headers=h).status_code for h in kept] == [200, 401]


def test_who_guesses_in_a_school_locks_none_of_its_people_out(site: RunningSite, tree: Tree) -> None:
    site.app.state.context.attempts.__init__(most=3, seconds=60.0)
    people.create_account(
        tree.engine, "teacher", "a password for tests", role="auditor", scope=EVERYTHING, by="t"
    )

    def log_in(name: str, password: str) -> httpx.Response:
        client = site.anyone()
        form = client.get("/login").headers["set-cookie"].partition(";")[0]
        data = {"name": name, "password": password, "csrf": form.partition("=")[2]}
        return client.post("/login", data=data, headers={"Cookie": form})

    assert [log_in("nobody", "wrong").status_code for _ in range(4)] == [403, 403, 403, 429]
    refused = log_in("nobody", "wrong")
    assert (refused.status_code, 0 < int(refused.headers["retry-after"]) <= 61) == (429, True)
    assert log_in("teacher", "a password for tests").status_code == 303, "from the same address"
    assert site.anyone().post("/api/v1/enrol/hint-key", json={"token": "swe_wrong"}).status_code == 403, (
        "nor are computers kept from enrolling"
    )
    for n in range(27):
        assert log_in(f"somebody {n}", "wrong").status_code == 403
    assert log_in("teacher", "a password for tests").status_code == 429, "ten times as many are no slips"
    site.app.state.context.attempts.__init__(most=20, seconds=60.0)
