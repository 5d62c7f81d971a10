"""Logging in through a provider: who gets in, and what is refused, with a real provider on loopback."""

import base64
import hmac
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import select

from identity_provider import CLIENT, EC, RSA, SECRET, Key, Provider, compact
from schoolwatch_server import linking, people, second_factor
from schoolwatch_server.config import Http, Oidc
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.people import account_by_name
from schoolwatch_server.database.tables import account, audit, session
from schoolwatch_server.oidc import client, fetch
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import Tree
from website import RunningSite

PASSWORD = "a password for tests"
PAGE = {"Accept": "text/html"}
SUBJECT = "nguoi-dung-1"
NOTHING = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody, and is made in no time: all of this is HTTP on loopback."""


@dataclass
class World:
    """A server that lets people in through a provider; `binh` is linked to its subject `nguoi-dung-1`."""

    tree: Tree
    site: RunningSite
    provider: Provider

    def browser(self, **more: Any) -> httpx.Client:
        return self.site.anyone(headers=PAGE, verify=NOTHING, **more)

    def at_provider(self, url: str) -> str:
        return httpx.get(url, trust_env=False, verify=NOTHING).headers["location"]

    def back(self, browser: httpx.Client, after: str = "/incidents") -> str:
        """Where the provider sends that browser."""
        there = browser.get(f"/login/oidc?next={quote(after)}")
        assert there.status_code == 303, there.text
        return self.at_provider(there.headers["location"])

    def come_back(self, browser: httpx.Client | None = None, after: str = "/incidents") -> httpx.Response:
        """A whole login, up to what the browser is shown."""
        browser = browser or self.browser()
        return browser.get(self.back(browser, after))

    def link(self, name: str, subject: str, **more: Any) -> None:
        more = {"role": "so_viewer", "scope": EVERYTHING} | more
        people.create_account(self.tree.engine, name, PASSWORD, by="test", **more)
        linking.link_named(self.tree.engine, name, self.provider.issuer, subject)

    def last(self, action: str) -> dict[str, Any]:
        with begin_read(self.tree.engine) as conn:
            query = select(audit).where(audit.c.action == action).order_by(audit.c.id.desc())
            row = conn.execute(query.limit(1)).mappings().first()
        assert row is not None, action
        return dict(row)

    def sessions(self) -> int:
        with begin_read(self.tree.engine) as conn:
            return len(conn.execute(select(session)).all())

    def accounts(self) -> list[tuple[Any, ...]]:
        columns = (account.c.name, account.c.role, account.c.scope_level, account.c.scope_id)
        with begin_read(self.tree.engine) as conn:
            return [tuple(row) for row in conn.execute(select(*columns).order_by(account.c.name))]


def configured(tree: Tree, provider: Provider, folder: Path, port: int, **more: Any) -> Any:
    secret = folder / "client-secret"
    secret.write_text(SECRET + "\n")
    secret.chmod(0o600)
    oidc = Oidc(issuer=provider.issuer, client_id=CLIENT, client_secret_file=str(secret), **more)
    return msgspec.structs.replace(tree.config, oidc=oidc, http=Http(public_url=f"http://127.0.0.1:{port}"))


def bound() -> socket.socket:
    line = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    line.bind(("127.0.0.1", 0))
    return line


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder, line = tmp_path_factory.mktemp("oidc"), bound()
    with pytest.MonkeyPatch.context() as patch, Provider() as provider:
        patch.setattr(client, "LOOK_AGAIN", 0.0)
        tree = Tree(folder)
        more = {"name_vi": "Cổng của Sở", "second_factor_amr": ("mfa",), "second_factor_acr": ("gold",)}
        with RunningSite(configured(tree, provider, folder, line.getsockname()[1], **more), line) as site:
            world = World(tree, site, provider)
            world.link("binh", SUBJECT)
            yield world
        tree.engine.dispose()


@pytest.fixture
def world(served: World) -> Iterator[World]:
    """The same server, with a provider that is honest again and a server that knows nothing of before."""
    yield served
    fresh, provider = Provider(), served.provider
    for name in ("subject", "key", "claims", "document", "back", "make_token", "methods", "slow"):
        setattr(provider, name, getattr(fresh, name))
    provider.token_answer, provider.redirect, provider.shown = None, "", [RSA.jwk]
    served.site.app.state.context.oidc._known = None
    served.site.app.state.context.attempts._failed.clear()
    served.site.app.state.context.failed_logins._counts.clear()


def refused(world: World, text: str = "không xác nhận được", status: int = 403) -> None:
    """Nobody gets in."""
    before, browser = world.sessions(), world.browser()
    answer = world.come_back(browser)
    assert answer.status_code == status, answer.text
    assert text in answer.text
    assert "schoolwatch_session" not in browser.cookies
    assert world.sessions() == before


def test_a_linked_identity_opens_its_account_and_nothing_more(world: World) -> None:
    browser = world.browser()
    form = browser.get("/login?next=/people").text
    assert "Đăng nhập bằng Cổng của Sở" in form
    assert 'href="/login/oidc?next=/people"' in form
    before = world.accounts()
    answer = world.come_back(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents")
    assert "binh" in browser.get("/incidents").text
    assert browser.get("/people").status_code == 403, "the account's role, and no other"
    assert world.accounts() == before
    line = world.last("login")
    assert line["actor"] == "binh"
    assert line["detail"] == {"from": "127.0.0.1", "factor": "oidc"}
    asked = world.provider.authorised
    assert asked["prompt"] == "login"
    assert asked["acr_values"] == "gold"
    assert asked["redirect_uri"] == world.site.url + "/login/oidc/callback"

    secret = browser.cookies["schoolwatch_session"]
    found = re.search(r'name="csrf" value="([^"]+)"', browser.get("/me").text)
    assert found
    assert browser.post("/logout", data={"csrf": found[1]}).headers["location"] == "/login"
    stolen = world.site.anyone(cookies={"schoolwatch_session": secret})
    assert stolen.get("/incidents").status_code == 401, "our session is over"


def test_es256_and_a_secret_in_the_form_do_as_well(world: World) -> None:
    world.provider.key, world.provider.shown = EC, [RSA.jwk, EC.jwk]
    world.provider.methods = ("client_secret_post",)
    assert world.come_back().status_code == 303


def test_who_is_not_linked_learns_the_identifier_to_pass_on_and_gets_no_account(world: World) -> None:
    world.provider.subject = "nguoi-la-<7>"
    before, browser = world.accounts(), world.browser()
    answer = world.come_back(browser)
    assert answer.status_code == 403
    assert "<code>nguoi-la-&lt;7&gt;</code>" in answer.text
    assert "schoolwatch_session" not in browser.cookies
    assert world.accounts() == before
    line = world.last("login.refused")
    assert line["detail"] == {"from": "127.0.0.1", "factor": "oidc", "why": "unlinked"}
    assert line["actor"] == ""


def test_the_same_subject_of_another_issuer_is_somebody_else(world: World) -> None:
    people.create_account(world.tree.engine, "khac", PASSWORD, role="so_viewer", scope=EVERYTHING, by="test")
    linking.link_named(world.tree.engine, "khac", "https://khac.example", "nguoi-dung-9")
    world.provider.subject = "nguoi-dung-9"
    assert world.come_back().status_code == 403


@pytest.mark.parametrize("how", ["off", "idle", "resting"])
def test_a_closed_account_stays_closed(world: World, how: str) -> None:
    engine, name = world.tree.engine, f"dong-{how}"
    world.link(name, f"sub-{how}")
    world.provider.subject = f"sub-{how}"
    changed = {
        "off": {"disabled_at": time.time()},
        "idle": {"active_at": time.time() - 46 * 86400},
        "resting": {"locked_until": time.time() + 600},
    }[how]
    with begin_write(engine) as conn:
        conn.execute(account.update().where(account.c.name == name).values(changed))
    browser = world.browser()
    answer = world.come_back(browser)
    assert answer.status_code == 403
    assert "đang bị khóa" in answer.text
    assert "schoolwatch_session" not in browser.cookies
    assert world.last("login.refused")["subject"] == name
    if how == "idle":
        with begin_read(engine) as conn:
            held = account_by_name(conn, name)
        assert held is not None
        assert held.disabled_at is not None


def with_factor(world: World, name: str, role: str = "so_viewer") -> list[str]:
    """A linked account with a second factor; gives its recovery codes."""
    engine = world.tree.engine
    world.link(name, f"sub-{name}", role=role)
    with begin_read(engine) as conn:
        held = account_by_name(conn, name)
    assert held is not None
    proposal = second_factor.begin(engine, held.id)
    key = base64.b32decode(proposal.typed.replace(" ", ""))
    code = TOTP(key, 6, SHA1(), 30).generate(int(time.time())).decode()
    codes = second_factor.confirm(engine, held.id, code, time.time())
    assert codes is not None
    world.provider.subject = f"sub-{name}"
    return list(codes)


def test_our_second_factor_is_asked_for_unless_the_provider_says_that_it_asked(world: World) -> None:
    codes = with_factor(world, "hai-buoc")
    world.provider.claims = {"amr": ["pwd"], "acr": "silver"}
    browser = world.browser()
    answer = world.come_back(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login/code?next=/incidents")
    assert "schoolwatch_session" not in browser.cookies
    assert browser.get("/incidents").headers["location"].startswith("/login")
    found = re.search(r'name="csrf" value="([^"]+)"', browser.get("/login/code?next=/incidents").text)
    assert found
    form = {"csrf": found[1], "code": "000000", "next": "/incidents"}
    assert browser.post("/login/code", data=form).status_code == 403
    done = browser.post("/login/code", data={**form, "code": codes[0]})
    assert (done.status_code, done.headers["location"]) == (303, "/incidents")
    assert browser.get("/incidents").status_code == 200
    line = world.last("login")["detail"]
    assert line == {"from": "127.0.0.1", "factor": "oidc", "second": "recovery"}

    for proof in ({"amr": ["pwd", "mfa"]}, {"acr": "gold"}):
        world.provider.claims = proof
        assert world.come_back().headers["location"] == "/incidents"
        assert world.last("login")["detail"]["second"] == "provider"


def test_a_role_that_needs_a_second_factor_may_have_it_at_the_provider(world: World) -> None:
    world.link("quan-tri", "sub-quan-tri", role="so_admin")
    world.provider.subject = "sub-quan-tri"
    with begin_write(world.tree.engine) as conn:
        conn.execute(account.update().where(account.c.name == "quan-tri").values(role_since=0.0))
    browser = world.browser()
    world.come_back(browser)
    assert browser.get("/incidents").headers["location"] == "/me", "it is due, and nobody has seen one"
    world.provider.claims = {"amr": ["mfa"]}
    browser = world.browser()
    world.come_back(browser)
    assert browser.get("/incidents").status_code == 200
    found = re.search(r'name="csrf" value="([^"]+)"', browser.get("/me").text)
    assert found
    new = "con mèo ngủ trên mái"
    form = {"csrf": found[1], "old": PASSWORD, "new": new, "again": new}
    assert browser.post("/me/password", data=form).headers["location"] == "/"
    assert browser.get("/incidents").status_code == 200, (
        "what the provider saw holds for the session in its place"
    )


CLAIMS: dict[str, dict[str, Any]] = {
    "another login's nonce": {"nonce": "x" * 43},
    "another client's token": {"aud": "khac"},
    "expired": {"exp": int(time.time()) - 3600},
}


@pytest.mark.parametrize("what", CLAIMS)
def test_a_token_that_says_something_else_lets_nobody_in(world: World, what: str) -> None:
    world.provider.claims = CLAIMS[what]
    refused(world)
    assert world.last("login.refused")["detail"]["factor"] == "oidc"


HEADER = {"typ": "JWT", "kid": "rsa-1"}
STRANGER = Key("rsa-1")
FORGED: dict[str, Callable[[dict[str, Any]], str]] = {
    "alg none": lambda claims: compact({**HEADER, "alg": "none"}, claims, lambda _: b""),
    "HS256 with the public key": lambda claims: compact(
        {**HEADER, "alg": "HS256"}, claims, lambda text: hmac.digest(_public(), text, sha256)
    ),
    "a stranger's key": lambda claims: compact({**HEADER, "alg": "RS256"}, claims, STRANGER.sign),
}


def _public() -> bytes:
    return RSA.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("what", FORGED)
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(world: World, what: str) -> None:
    world.provider.make_token = FORGED[what]
    refused(world)


def test_new_keys_of_the_provider_are_found_and_its_old_ones_forgotten(world: World) -> None:
    assert world.come_back().status_code == 303
    new = Key("rsa-2")
    world.provider.key, world.provider.shown = new, [new.jwk]
    assert world.come_back().status_code == 303
    assert world.provider.asked.count("/realms/so/certs") >= 2
    world.provider.key = RSA
    refused(world)


def test_a_token_without_a_key_s_name_is_read_where_there_is_but_one_key(world: World) -> None:
    world.provider.make_token = lambda claims: world.provider.signed(claims, kid=None)
    assert world.come_back().status_code == 303
    other = Key("rsa-3")
    world.provider.shown = [RSA.jwk, other.jwk]
    world.site.app.state.context.oidc._known = None
    refused(world)


def test_an_answer_counts_once_and_in_the_browser_that_asked(world: World) -> None:
    browser, other = world.browser(), world.browser()
    kept = browser.get("/login/oidc")
    cookie = browser.cookies["schoolwatch_oidc"]
    there = world.at_provider(kept.headers["location"])

    asked = len(world.provider.asked)
    for stranger in (other, world.browser(cookies={"schoolwatch_oidc": "x" * 200})):
        stolen = stranger.get(there)
        assert stolen.status_code == 403
        assert "trình duyệt khác" in stolen.text
    world.back(other)  # has a login of its own on the way: still not this one
    asked = len(world.provider.asked)
    assert other.get(there).status_code == 403
    assert browser.get(re.sub(r"state=[^&]+", "state=khac", there)).status_code == 403
    assert len(world.provider.asked) == asked, "the code was used by nobody"

    assert browser.get(there).status_code == 303
    assert "schoolwatch_oidc" not in browser.cookies
    again = world.browser(cookies={"schoolwatch_oidc": cookie})
    asked = len(world.provider.asked)
    assert again.get(there).status_code == 403, "the answer was used"
    assert len(world.provider.asked) == asked, "and the provider has no need to notice"


def test_a_code_that_was_used_is_taken_by_nobody(world: World) -> None:
    first, second = world.browser(), world.browser()
    used = parse_qs(urlsplit(world.back(first)).query)
    back = world.back(second)
    code = parse_qs(urlsplit(back).query)["code"][0]
    answer = second.get(back.replace(code, used["code"][0]))
    assert answer.status_code == 403, "another login's code: its verifier is not ours"
    assert "invalid_grant" in world.last("login.refused")["detail"]["why"]


def test_a_login_that_took_too_long_begins_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = world.browser()
    back, cookie = world.back(browser), browser.cookies["schoolwatch_oidc"]
    late = time.time() + 601
    monkeypatch.setattr("schoolwatch_server.console.oidc.time.time", lambda: late)
    answer = world.browser().get(back, headers={"Cookie": f"schoolwatch_oidc={cookie}"})
    assert answer.status_code == 403
    assert "quá 10 phút" in answer.text


def test_another_provider_s_answer_is_told_apart_before_its_code_is_used(world: World) -> None:
    for mixed in ({"iss": "https://khac.example"}, {"iss": ""}):
        world.provider.back = mixed
        refused(world)
    assert "/realms/so/token" not in world.provider.asked[-3:]
    world.provider.document = {"authorization_response_iss_parameter_supported": False}
    world.site.app.state.context.oidc._known = None
    assert world.come_back().status_code == 303, "a provider that does not name itself, as RFC 9207 allows"


def test_who_says_no_at_the_provider_is_back_at_the_form(world: World) -> None:
    world.provider.back = {"code": "", "error": "access_denied"}
    refused(world)


@pytest.mark.parametrize(
    "after",
    ["https://khac.example", "//khac.example", "/\\khac.example", "/%0a//khac", "javascript:alert(1)"],
)
def test_after_a_login_nobody_is_sent_elsewhere(world: World, after: str) -> None:
    place = world.come_back(after=after).headers["location"]
    assert not urlsplit(place).netloc
    assert place.startswith("/")
    assert "khac.example" not in place


BROKEN: dict[str, dict[str, Any]] = {
    "another issuer's document": {"document": {"issuer": "https://khac.example"}},
    "an address without TLS": {"document": {"authorization_endpoint": "http://khac.example/auth"}},
    "no address of keys": {"document": {"jwks_uri": None}},
    "sends elsewhere, where all would be right": {"redirect": "/realms/so/moved"},
    "an answer too long": {"document": {"x": "x" * 300_000}},
    "no key": {"shown": []},
    "a slow one": {"slow": 1.0},
}


@pytest.mark.parametrize("what", BROKEN)
def test_where_the_provider_is_broken_the_form_says_so_and_passwords_go_on(
    world: World, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch.ask, "__kwdefaults__", {"form": None, "auth": None, "seconds": 0.3})
    for name, value in BROKEN[what].items():
        setattr(world.provider, name, value)
    browser = world.browser()
    began = time.monotonic()
    answer = browser.get("/login/oidc?next=/incidents")
    assert answer.status_code == 503
    assert time.monotonic() - began < 15
    assert "đăng nhập bằng mật khẩu" in answer.text
    found = re.search(r'name="csrf" value="([^"]+)"', answer.text)
    assert found
    form = {"csrf": found[1], "name": "binh", "password": PASSWORD, "next": "/incidents"}
    assert browser.post("/login", data=form).headers["location"] == "/incidents"


@pytest.mark.parametrize(
    "answer", [(500, b"{}"), (302, b""), (200, b"<html>"), (200, b"{}"), (200, b"[" * 100_000)]
)
def test_a_token_endpoint_that_fails_is_told_as_the_provider_s_trouble(
    world: World, answer: tuple[int, bytes]
) -> None:
    world.provider.token_answer = answer
    refused(world, "không trả lời đúng", 503)


def test_a_slow_provider_holds_no_more_than_its_places(world: World) -> None:
    kept = world.site.app.state.context.oidc
    for _ in range(client.AT_ONCE):
        assert kept._places.acquire(blocking=False)
    try:
        began = time.monotonic()
        assert world.browser().get("/login/oidc").status_code == 503
        assert time.monotonic() - began < 15
    finally:
        for _ in range(client.AT_ONCE):
            kept._places.release()


def test_guesses_from_one_address_are_bounded_and_nobody_alone_is_locked_out(world: World) -> None:
    world.provider.token_answer = (400, b'{"error": "invalid_grant"}')
    attempts = world.site.app.state.context.attempts
    for number in range(199):
        attempts.failed("127.0.0.1", f"oidc {number}")
    assert world.come_back().status_code == 403
    answer = world.browser().get("/login/oidc")
    assert answer.status_code == 429


def test_an_administrator_links_and_unlinks_on_the_account_s_page(world: World) -> None:
    engine = world.tree.engine
    scope = Scope("school", world.tree.schools[0].id)
    number = people.create_account(engine, "moi", PASSWORD, role="technician", scope=scope, by="test")
    admin = world.site.somebody("so_admin")
    token = {"csrf": admin.headers["x-test-csrf"]}
    page = admin.get(f"/people/{number}").text
    assert "chưa liên kết" in page
    done = admin.post(f"/people/{number}/oidc", data={**token, "subject": " sub-moi "})
    assert (done.status_code, done.headers["location"]) == (303, f"/people/{number}")
    assert world.last("account.oidc_link")["detail"] == {
        "issuer": world.provider.issuer,
        "subject": "sub-moi",
    }
    world.provider.subject = "sub-moi"
    browser = world.browser()
    assert world.come_back(browser, "/me").status_code == 303
    assert browser.get("/me").status_code == 200

    for wrong in (SUBJECT, "", "có dấu", "x" * 256):
        bad = admin.post(f"/people/{number}/oidc", data={**token, "subject": wrong}, headers=PAGE)
        assert bad.status_code == 422
        assert "Mã định danh" in bad.text
    assert admin.post(f"/people/{number}/oidc", data={"subject": "x"}).status_code == 403, "no form of ours"
    outside = world.site.somebody("school_head", Scope("school", world.tree.schools[1].id))
    form = {"csrf": outside.headers["x-test-csrf"], "subject": "x"}
    assert outside.post(f"/people/{number}/oidc", data=form).status_code == 404

    assert admin.post(f"/people/{number}/oidc/unlink", data=token).status_code == 303
    assert browser.get("/me").headers["location"].startswith("/login"), "its sessions are over"
    assert world.come_back().status_code == 403


def test_nothing_secret_is_in_a_log_or_a_cookie_others_can_plant(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.provider.make_token = FORGED["a stranger's key"]
    browser = world.browser()
    there = browser.get("/login/oidc")
    cookie = there.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=600" in cookie
    back = world.at_provider(there.headers["location"])
    with caplog.at_level("DEBUG"):
        assert browser.get(back).status_code == 403
    said = [record.getMessage() for record in caplog.records if record.name.startswith("schoolwatch")]
    assert any("InvalidSignatureError" in line for line in said)
    code = parse_qs(urlsplit(back).query)["code"][0]
    for secret in (SECRET, code, RSA.jwk["n"], "eyJ"):
        assert not any(secret in line for line in said)


def test_a_flood_of_refused_logins_is_one_line_and_a_count(world: World) -> None:
    world.provider.claims = {"aud": "khac"}
    with begin_read(world.tree.engine) as conn:
        before = len(conn.execute(select(audit.c.id)).all())
    for _ in range(3):
        refused(world)
    with begin_read(world.tree.engine) as conn:
        assert len(conn.execute(select(audit.c.id)).all()) == before + 1


def test_under_https_what_binds_a_login_to_the_browser_is_this_host_s_alone(world: World) -> None:
    config = world.site.app.state.context.config
    http = Http(public_url="https://giam-sat.example")
    with RunningSite(msgspec.structs.replace(config, http=http)) as site:
        begun = site.anyone(verify=NOTHING).get("/login/oidc?next=/incidents")
        cookie = begun.headers["set-cookie"]
        assert cookie.startswith("__Host-schoolwatch_oidc=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
        back = urlsplit(world.at_provider(begun.headers["location"]))
        assert f"{back.scheme}://{back.netloc}{back.path}" == "https://giam-sat.example/login/oidc/callback"
        here = f"{back.path}?{back.query}"
        planted = {"Cookie": cookie.partition(";")[0].removeprefix("__Host-")}
        assert site.anyone(verify=NOTHING).get(here, headers=planted).status_code == 403
        done = site.anyone(verify=NOTHING).get(here, headers={"Cookie": cookie.partition(";")[0]})
        assert (done.status_code, done.headers["location"]) == (303, "/incidents")
        assert any(
            one.startswith("__Host-schoolwatch_session=") for one in done.headers.get_list("set-cookie")
        )
