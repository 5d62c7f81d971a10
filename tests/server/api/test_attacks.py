"""What an attacker would try: other hosts, other pages, other files, slow and flooding connections."""

import re
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from databases import make_database, settings_of
from schoolwatch_server import people
from schoolwatch_server.api import bounds
from schoolwatch_server.api.headers import HEADERS
from schoolwatch_server.api.route import SESSION_COOKIE
from schoolwatch_server.attempts import Attempts
from schoolwatch_server.config import Http, Mqtt
from schoolwatch_server.console.login import local
from schoolwatch_server.scope import EVERYTHING
from tree import Tree
from website import RunningSite

PASSWORD = "a password for tests"


@pytest.fixture(scope="module")
def admin(tree: Tree) -> people.Login:
    people.create_account(tree.engine, "root", PASSWORD, role="so_admin", scope=EVERYTHING, by="test")
    login = people.log_in(tree.engine, "root", PASSWORD, address="", now=tree.now)
    assert login is not None
    return login


def form_of(client: httpx.Client) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/login").text)
    assert found
    return found[1]


def log_in(
    client: httpx.Client, name: str, password: str, after: str = "/", **headers: str
) -> httpx.Response:
    form = {"name": name, "password": password, "csrf": form_of(client), "next": after}
    return client.post("/login", data=form, headers=headers)


# --- who we say we are ----------------------------------------------------------------------------------


def test_the_enrolment_command_never_holds_what_the_host_header_says(
    site: RunningSite, tree: Tree, admin: people.Login
) -> None:
    client = site.anyone(cookies={SESSION_COOKIE: admin.secret})
    answer = client.post(
        f"/schools/{tree.schools[0].code}/enrolment",
        data={"csrf": admin.csrf, "days": "1", "uses": "1"},
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
    )
    assert answer.status_code == 200
    assert "evil.example" not in answer.text
    assert site.url in answer.text
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ["Host", "X-Forwarded-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL"])
def test_no_header_changes_where_links_lead(site: RunningSite, name: str) -> None:
    for path in ("/", "/login", "/docs", "/api/v1/openapi.json", "/nothing"):
        answer = site.anyone().get(path, headers={name: "evil.example", "Accept": "text/html"})
        assert "evil.example" not in answer.text
        assert "evil.example" not in answer.headers.get("location", "")


@pytest.fixture
def behind_proxy(tmp_path: Path):
    make_database(tmp_path)
    http = Http(public_url="https://giam-sat.example/")
    with RunningSite(settings_of(tmp_path, http=http, mqtt=Mqtt(host="127.0.0.1"))) as site:
        yield site


def test_behind_a_proxy_each_caller_is_counted_apart_and_cookies_are_secure(
    behind_proxy: RunningSite,
) -> None:
    people.create_account(behind_proxy.engine, "root", PASSWORD, role="so_admin", scope=EVERYTHING, by="x")
    body = {"token": "swe_wrong", "install_id": "0123456789"}
    client = behind_proxy.anyone()
    for _ in range(20):
        answer = client.post("/api/v1/enrol", json=body, headers={"X-Forwarded-For": "203.0.113.9"})
        assert answer.status_code == 403
    limited = client.post("/api/v1/enrol", json=body, headers={"X-Forwarded-For": "203.0.113.9"})
    assert (limited.status_code, 0 < int(limited.headers["retry-after"]) <= 61) == (429, True)
    other = client.post("/api/v1/enrol", json=body, headers={"X-Forwarded-For": "203.0.113.10"})
    assert other.status_code == 403
    page = client.get("/login")
    assert "secure" in page.headers["set-cookie"].lower()
    form = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert form
    cookie = page.headers["set-cookie"].partition(";")[0]
    done = client.post(
        "/login", data={"name": "root", "password": PASSWORD, "csrf": form[1]}, headers={"Cookie": cookie}
    )
    session = next(
        c for c in done.headers.get_list("set-cookie") if c.startswith(f"__Host-{SESSION_COOKIE}=")
    )
    assert {"httponly", "secure", "samesite=lax"} <= {part.strip().lower() for part in session.split(";")}


def test_without_a_proxy_nobody_names_an_address_for_himself(tmp_path: Path) -> None:
    make_database(tmp_path)
    with RunningSite(settings_of(tmp_path)) as site:
        body = {"token": "swe_wrong", "install_id": "0123456789"}
        statuses = [
            site.anyone()
            .post("/api/v1/enrol", json=body, headers={"X-Forwarded-For": f"203.0.113.{n}"})
            .status_code
            for n in range(22)
        ]
    assert statuses == [403] * 20 + [429] * 2


def test_failures_are_counted_in_a_window_and_ipv6_by_network() -> None:
    attempts = Attempts(most=3, seconds=60, addresses=2)
    for n in range(3):
        assert attempts.wait(f"2001:db8::{n}", now=100) == 0
        attempts.failed(f"2001:db8::{n}", now=100)
    assert attempts.wait("2001:db8::ffff", now=130) == 30
    assert attempts.wait("2001:db8:0:1::1", now=130) == 0
    assert attempts.wait("2001:db8::1", now=161) == 0
    attempts.failed("192.0.2.1", now=131)
    attempts.failed("a name", now=131)
    assert attempts.wait("2001:db8::1", now=132) == 0  # forgotten: the memory is bounded


# --- where we send people -------------------------------------------------------------------------------

BAD = ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
       "/\t/evil.example", "/\r\nSet-Cookie: a=b", "http:evil.example", " //evil.example", "/\\/evil.example",
       "evil.example", "", "///evil.example"]  # fmt: skip


@pytest.mark.parametrize("after", BAD)
def test_a_login_leads_only_to_our_own_pages(site: RunningSite, admin: people.Login, after: str) -> None:
    site.app.state.context.attempts.__init__(most=20, seconds=60.0)
    answer = log_in(site.anyone(), "root", PASSWORD, after)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    language = site.anyone().get("/language/en", params={"next": after})
    assert (language.status_code, language.headers["location"]) == (303, "/")
    assert "a" not in {cookie.partition("=")[0] for cookie in language.headers.get_list("set-cookie")}
    shown = site.anyone().get("/login", params={"next": after}).text
    assert not after or f'value="{after}"' not in shown


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_no_text_leads_away(after: str) -> None:
    for base in ("https://ours.example/login", "http://ours.example:8080/a/b"):
        target = urlsplit(urljoin(base, local(after)))
        assert target.netloc == urlsplit(base).netloc


def test_a_login_makes_a_new_session_whatever_cookie_came(site: RunningSite, admin: people.Login) -> None:
    client = site.anyone()
    client.cookies.set(SESSION_COOKIE, "chosen-by-somebody-else")
    answer = log_in(client, "root", PASSWORD)
    assert answer.status_code == 303
    session = next(c for c in answer.headers.get_list("set-cookie") if c.startswith(SESSION_COOKIE))
    assert "chosen" not in session
    assert len(session.partition(";")[0].partition("=")[2]) >= 43
    assert site.anyone(cookies={SESSION_COOKIE: "chosen-by-somebody-else"}).get("/system").status_code == 401


@pytest.mark.parametrize("cookie", ["a\tb", '"', "x" * 4000, "<script>", "a=b;c=d", "é"])
def test_a_strange_form_cookie_does_no_harm(site: RunningSite, cookie: str) -> None:
    answer = site.anyone().get("/login", headers=[(b"Cookie", b"schoolwatch_form=" + cookie.encode())])
    assert answer.status_code == 200
    assert "<script>" not in answer.text


def test_a_login_needs_the_form_of_this_browser(site: RunningSite, admin: people.Login) -> None:
    form = form_of(site.anyone())
    for given_form in (form, "", "x"):
        answer = site.anyone().post("/login", data={"name": "root", "password": PASSWORD, "csrf": given_form})
        assert answer.status_code == 403
        assert SESSION_COOKIE not in answer.headers.get("set-cookie", "")


# --- what we hand out -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/static/../api/service.py", "/static/..%2fpage.py", "/static/%2e%2e/page.py", "/static/....//page.py",
     "/static/vendor/../../page.py", "/static//etc/passwd", "/static/%00", "/static/..\\page.py",
     "/static/vendor"],
)  # fmt: skip
def test_static_files_are_only_those(site: RunningSite, path: str) -> None:
    answer = site.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert re.match(rb"HTTP/1\.1 40[04] ", answer), answer[:200]
    assert b"import " not in answer
    assert b"root:" not in answer


def test_pages_with_data_are_kept_by_nobody_and_files_are_asked_for_again(
    site: RunningSite, tree: Tree, admin: people.Login
) -> None:
    client = site.anyone(cookies={SESSION_COOKIE: admin.secret})
    for path in (
        "/",
        "/incidents",
        f"/schools/{tree.schools[0].code}",
        "/api/v1/schools",
        "/login",
        "/system",
    ):
        answer = client.get(path)
        assert answer.headers["cache-control"] == "no-store"
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
    icon = client.get("/static/icon.svg")
    assert icon.headers["cache-control"] == "no-cache"
    again = client.get("/static/icon.svg", headers={"If-None-Match": icon.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "server" not in icon.headers


@pytest.mark.parametrize(
    "text",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET " + b"/" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /api/v1/enrol HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /api/v1/enrol HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/enrol HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(site: RunningSite, text: bytes) -> None:
    answer = site.raw(text, seconds=3)
    assert re.match(rb"HTTP/1\.1 (4\d\d|501) ", answer) or answer == b""
    assert site.anyone().get("/healthz").status_code == 200


def test_a_request_with_two_lengths_ends_its_connection(site: RunningSite) -> None:
    """A proxy may see another end of the body: what follows must not be taken for a request of somebody."""
    second = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = site.raw(
        b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        + second
    )
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


# --- who takes long -------------------------------------------------------------------------------------


def test_slow_headers_and_slow_bodies_are_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(bounds.BoundedBody.__init__, "__defaults__", (bounds.BODY_MAX, 0.5))
    make_database(tmp_path)
    with RunningSite(settings_of(tmp_path)) as site:
        began = time.monotonic()
        assert site.raw(b"", 40) == b""
        assert site.raw(b"GET /healthz HTTP/1.1\r\nHost:", 40) == b""
        after_one = site.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /heal", 40)
        assert after_one.count(b"HTTP/1.1") == 1
        no_handshake = b"GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        assert site.raw(no_handshake + b"Content-Length: 40\r\n\r\nGET /healthz", 40) == b""
        slow = site.raw(
            b"POST /api/v1/enrol HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 40\r\nConnection: close\r\n\r\n{",
            40,
        )
        assert slow.startswith(b"HTTP/1.1 408 ")
        assert b"application/problem+json" in slow
        assert time.monotonic() - began < 39  # not one of them came to raw()'s own end
        assert site.anyone().get("/healthz").status_code == 200


def test_a_hundred_silent_connections_do_not_stop_the_others(site: RunningSite) -> None:
    lines = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(100)]
    try:
        for line in lines:
            line.sendall(b"POST /api/v1/enrol HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n{")
        for _ in range(5):
            assert site.anyone().get("/readyz").status_code == 200
    finally:
        for line in lines:
            line.close()


def test_a_flood_of_logins_leaves_room_for_everybody_else(site: RunningSite, ask) -> None:
    site.app.state.context.attempts.__init__(most=10**6, seconds=60.0)
    statuses: list[int] = []

    def try_one() -> None:
        statuses.append(log_in(site.anyone(), "nobody", "a wrong password").status_code)

    threads = [threading.Thread(target=try_one) for _ in range(30)]
    for thread in threads:
        thread.start()
    assert ask().get("/api/v1/schools").status_code == 200
    for thread in threads:
        thread.join()
    assert set(statuses) <= {403, 503}
    assert 403 in statuses
    assert len(statuses) == 30
    assert log_in(site.anyone(), "nobody", "a wrong password").status_code == 403
