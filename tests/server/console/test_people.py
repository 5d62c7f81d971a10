"""Accounts at the console, as a browser meets them: two steps in, one's own page, and those of others."""

import base64
import re
import time

import httpx
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from schoolwatch_server import people
from schoolwatch_server.scope import EVERYTHING, Scope
from shared import shared_site, shared_tree
from tree import Tree
from website import RunningSite

PASSWORD = "a password for tests"
PAGE = {"Accept": "text/html"}


tree, site = shared_tree, shared_site


def token_of(answer: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', answer.text)
    assert found, answer.text
    return found[1]


def log_in(site: RunningSite, name: str, password: str) -> tuple[httpx.Client, httpx.Response]:
    client = site.anyone(headers=PAGE)
    form = {"csrf": token_of(client.get("/login")), "name": name, "password": password, "next": "/incidents"}
    return client, client.post("/login", data=form)


def turn_on(client: httpx.Client) -> tuple[TOTP, list[str]]:
    """The phone that scanned the code, and the recovery codes that were shown."""
    form = {"csrf": token_of(client.get("/me")), "password": PASSWORD}
    shown = client.post("/me/second-factor", data=form)
    assert "<svg" in shown.text
    key = re.search(r'class="secret"><code>([A-Z2-7 ]+)</code>', shown.text)
    assert key
    phone = TOTP(base64.b32decode(key[1].replace(" ", "")), 6, SHA1(), 30)
    code = phone.generate(int(time.time()) - 30).decode()
    done = client.post("/me/second-factor/confirm", data={**form, "code": code})
    codes = re.findall(r"<li><code>([^<]+)</code>", done.text)
    assert len(codes) == 10
    return phone, codes


def test_two_steps_lead_in_and_the_first_alone_to_nothing(tree: Tree, site: RunningSite) -> None:
    people.create_account(tree.engine, "thu", PASSWORD, role="auditor", scope=EVERYTHING, by="test")
    client, answer = log_in(site, "thu", PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents")
    phone, codes = turn_on(client)

    client, answer = log_in(site, "thu", PASSWORD)
    assert answer.status_code == 200
    waiting = answer.headers["set-cookie"]
    assert "schoolwatch_waiting=" in waiting
    assert "HttpOnly" in waiting
    assert "SameSite=strict" in waiting
    assert "schoolwatch_session" not in client.cookies
    secret = client.cookies["schoolwatch_waiting"]
    for path in ("/incidents", "/me"):
        assert client.get(path).headers["location"].startswith("/login")
        stolen = site.anyone(cookies={"schoolwatch_session": secret})
        assert stolen.get(path).status_code == 401
    form = {"csrf": token_of(answer), "next": "/incidents"}
    wrong = client.post("/login/code", data={**form, "code": "000000"})
    assert wrong.status_code == 403
    assert "Mã không đúng" in wrong.text
    forged = client.post("/login/code", data={**form, "csrf": "x", "code": codes[0]})
    assert forged.status_code == 403
    done = client.post("/login/code", data={**form, "code": phone.generate(int(time.time())).decode()})
    assert (done.status_code, done.headers["location"]) == (303, "/incidents")
    assert client.get("/incidents").status_code == 200
    assert "schoolwatch_waiting" not in client.cookies

    again, answer = log_in(site, "thu", PASSWORD)
    form = {"csrf": token_of(answer), "next": "/"}
    assert again.post("/login/code", data={**form, "code": codes[0]}).status_code == 303
    late = site.anyone(headers=PAGE)
    form = {"csrf": token_of(late.get("/login")), "code": codes[1]}
    answer = late.post("/login/code", data=form)
    assert answer.status_code == 403
    assert "5 phút" in answer.text


def test_a_first_password_leads_to_the_own_page_whatever_is_asked(tree: Tree, site: RunningSite) -> None:
    scope = Scope("school", tree.schools[0].id)
    people.create_account(
        tree.engine, "lan", PASSWORD, role="technician", scope=scope, by="t", must_change=True
    )
    client, answer = log_in(site, "lan", PASSWORD)
    assert answer.headers["location"] == "/incidents"
    for path in ("/", "/incidents", f"/schools/{tree.schools[0].code}", "/people", "/nowhere-at-all"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers.get("location")) in {(303, "/me"), (404, None)}
    assert client.get("/api/v1/schools").status_code == 403
    part = client.get(f"/devices/{tree.schools[0].devices[0].device}/now", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["hx-redirect"]) == (204, "/me")
    page = client.get("/me")
    assert "Hãy đổi thành mật khẩu của riêng mình" in page.text
    form = {"csrf": token_of(page), "old": PASSWORD, "new": "con mèo ngủ trên mái", "again": "con mèo ngủ"}
    assert "không giống nhau" in client.post("/me/password", data=form).text
    form["again"] = form["new"]
    answer = client.post("/me/password", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert client.get("/incidents").status_code == 200


def test_a_role_that_needs_a_second_step_is_told_the_day_and_then_let_in_to_set_it_up(
    tree: Tree, site: RunningSite
) -> None:
    week_ago = time.time() - 8 * 86400
    people.create_account(
        tree.engine, "late", PASSWORD, role="auditor", scope=EVERYTHING, by="t", now=week_ago
    )
    people.create_account(tree.engine, "new", PASSWORD, role="auditor", scope=EVERYTHING, by="t")
    new, _ = log_in(site, "new", PASSWORD)
    assert "Hãy bật xác thực hai bước trước ngày" in new.get("/").text
    late, _ = log_in(site, "late", PASSWORD)
    assert late.get("/").headers["location"] == "/me"
    assert "Vai trò này phải dùng xác thực hai bước" in late.get("/me").text
    form = {"csrf": token_of(late.get("/me")), "password": "wrong"}
    assert late.post("/me/second-factor", data=form).status_code == 422
    turn_on(late)
    assert late.get("/").status_code == 200
    off = late.post("/me/second-factor/off", data={"csrf": token_of(late.get("/me")), "password": PASSWORD})
    assert off.status_code == 422
    assert "không tắt được" in off.text


def test_a_new_account_is_shown_its_password_once_and_the_page_says_what_was_wrong(
    tree: Tree, site: RunningSite
) -> None:
    head = site.somebody("school_head", Scope("school", tree.schools[0].id))
    head.headers.update(PAGE)
    form = {"csrf": token_of(head.get("/people")), "name": "thầy Minh", "role": "technician"}
    made = head.post("/people", data=form)
    found = re.search(r'class="secret"><code>([^<]+)</code>', made.text)
    assert made.status_code == 200
    assert found
    listed = head.get("/people").text
    assert "thầy Minh" in listed
    assert found[1] not in listed
    assert log_in(site, "thầy Minh", found[1])[1].status_code == 303
    for wrong, says in (
        ({"name": "thầy Minh"}, "chưa có ai dùng"),
        ({"name": "x", "role": "so_admin"}, "Vai trò"),
        ({"name": "x", "place": tree.schools[1].code}, "Mã đơn vị"),
    ):
        answer = head.post("/people", data={**form, **wrong})
        assert answer.status_code == 422
        assert says in answer.text
    assert head.post("/people", data={**form, "csrf": "x", "name": "y"}).status_code == 403


def test_wrong_codes_of_one_address_make_it_wait(tree: Tree, site: RunningSite) -> None:
    """The last one of these tests: they all come from one address."""
    people.create_account(tree.engine, "an", PASSWORD, role="auditor", scope=EVERYTHING, by="test")
    _, codes = turn_on(log_in(site, "an", PASSWORD)[0])
    client, answer = log_in(site, "an", PASSWORD)
    form = {"csrf": token_of(answer), "next": "/"}
    said = [client.post("/login/code", data={**form, "code": "000000"}).status_code for _ in range(30)]
    assert said[-1] == 429
    assert said == sorted(said)
    assert client.post("/login/code", data={**form, "code": codes[0]}).status_code == 429
