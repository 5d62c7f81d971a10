"""The page of a school's known network devices in a real browser, with machines that gateways reported."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from conftest import Peer
from databases import settings_of
from reports import World
from schoolwatch_server import incidents, people
from schoolwatch_server.api.route import SESSION_COOKIE
from schoolwatch_server.console.page import LANGUAGE_COOKIE
from schoolwatch_server.database import journal
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.scope import Scope
from server.incidents import test_lan
from server.incidents.test_lan import DAY, OF_OURS, OF_ROGUE, OURS, ROGUE, Lan
from website import RunningSite

CHROMIUM = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
PASSWORD = "a password for tests"
GATEWAYS = 12
"""More than the repeated sightings that an incident keeps one by one."""


@pytest.fixture
def lan(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lan]:
    """By the clock on the wall, for that is when people say what they say; its gateways listen for long."""
    monkeypatch.setattr(test_lan, "NOW", time.time() - 3600)
    world = World(tmp_path)
    with begin_write(world.engine) as conn:
        journal.create_cursor(conn, incidents.CURSOR, test_lan.NOW)
    lan = Lan(world)
    for gateway in world.enrol(GATEWAYS - len(lan.gateways)):
        lan.gateways.append(gateway)
        lan.hear(-30 * DAY, gateway)
    yield lan
    world.engine.dispose()


@pytest.fixture
def page(lan: Lan, peer: Peer) -> Iterator[Page]:
    """The school's technician on a phone, without scripts."""
    engine = lan.world.engine
    scope = Scope("school", lan.world.school)
    people.create_account(engine, "lan", PASSWORD, role="technician", scope=scope, by="test")
    login = people.log_in(engine, "lan", PASSWORD, address="", now=time.time())
    assert login is not None
    with RunningSite(settings_of(lan.world.folder)) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(peer("chromium")), args=CHROMIUM)
        context = browser.new_context(
            base_url=site.url, viewport={"width": 390, "height": 844}, java_script_enabled=False
        )
        for name, value in ((SESSION_COOKIE, login.secret), (LANGUAGE_COOKIE, "vi")):
            context.add_cookies([{"name": name, "value": value, "url": site.url}])
        yield context.new_page()
        browser.close()


def later() -> float:
    """Seconds after `NOW`: now."""
    return time.time() - test_lan.NOW


def test_a_rogue_that_a_whole_school_sees_is_one_line_until_somebody_says_whose_it_is(
    lan: Lan, page: Page
) -> None:
    for number, gateway in enumerate(lan.gateways):
        lan.see(60.0 * number, ROGUE, gateway=gateway, **OF_ROGUE)
    lan.see(3000, OURS, **{**OF_OURS, "resolvers": "6.6.6.6"})

    page.goto("/schools/S/network")
    waiting, known, ended = (page.locator(f"#{name}") for name in ("waiting", "known", "ended"))
    expect(waiting.locator("tbody tr")).to_have_count(2)
    expect(known.locator("tbody tr")).to_have_count(1)
    rogue = waiting.locator("tr", has_text="Có máy chủ DHCP lạ")
    expect(rogue).to_contain_text("Bộ định tuyến được phát: 192.168.1.1; DNS được phát: 6.6.6.6")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    # the incident names each gateway that saw it, and what a known server gave before
    rogue.get_by_role("link").click()
    seen_by = page.locator("#seen-by")
    expect(seen_by).to_contain_text(f"({GATEWAYS})")
    seen_by.locator("summary").click()
    expect(seen_by.locator("li")).to_have_count(GATEWAYS)
    page.goto("/schools/S/network")
    waiting.get_by_role("link", name="Máy chủ DHCP đã biết nay cấp thông số khác").click()
    before = page.locator(".evidence tr", has_text="Trước đây thiết bị này phát")
    expect(before).to_contain_text("Bộ định tuyến được phát: 10.0.0.1; DNS được phát: 10.0.0.1")

    # it is the school's own: said on the page, known from the next report on
    page.goto("/schools/S/network")
    rogue.locator("summary", has_text="Là của trường").click()
    rogue.get_by_role("button").click()
    expect(page.locator(".outcome")).to_contain_text("Đã đóng sự cố là báo động giả")
    lan.see(later(), ROGUE, **OF_ROGUE)
    page.goto("/schools/S/network")
    expect(waiting.locator("tbody tr")).to_have_count(1)
    ours = known.locator("tr", has_text="192.168.1.1")
    expect(ours).to_contain_text("lan xác nhận ngày")

    # and is taken back: seen again, it is the same incident anew
    ours.locator("summary", has_text="Bỏ").click()
    ours.get_by_role("button").click()
    expect(page.locator(".outcome")).to_contain_text("Đã bỏ thiết bị khỏi danh sách")
    expect(ended.locator("li")).to_have_count(1)
    lan.see(later() + 4, ROGUE, **OF_ROGUE)
    page.goto("/schools/S/network")
    expect(rogue).to_have_count(1)
    expect(known.locator("tbody tr")).to_have_count(1)
    rogue.get_by_role("link").click()
    expect(page.locator(".chips")).to_contain_text("tái diễn")
