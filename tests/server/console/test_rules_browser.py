"""A rule changed in a real browser, on a phone's screen and a wide one: form, changes, trial, save."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from schoolwatch_server.api.route import SESSION_COOKIE
from schoolwatch_server.database import rules
from schoolwatch_server.database.engine import begin_read
from tree import Tree
from website import RunningSite


@pytest.fixture(params=[390, 1440])
def page(request: pytest.FixtureRequest, tree: Tree, browser: Browser) -> Iterator[Page]:
    with RunningSite(tree.config) as site:
        session = site.somebody("so_admin").cookies[SESSION_COOKIE]
        context = browser.new_context(
            viewport={"width": request.param, "height": 900}, base_url=site.url, locale="vi-VN"
        )
        context.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": site.url}])
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        yield page
        context.close()
        assert said == []


def seen(page: Page, folder: Path, name: str) -> None:
    """Keeps how it looks; nothing may be wider than the screen."""
    page.screenshot(path=folder / f"{name}-{page.viewport_size['width']}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name


def test_a_rule_is_changed_and_tried_in_a_browser(page: Page, tree: Tree, tmp_path: Path) -> None:
    page.goto("/rules")
    seen(page, tmp_path, "rules")
    page.get_by_role("searchbox").fill("diệt vi-rút")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Phần mềm diệt vi-rút không chạy hoặc không có").click()
    seen(page, tmp_path, "rule")
    page.get_by_role("button", name="Sửa quy tắc").click()
    seen(page, tmp_path, "edit")
    page.get_by_label("Mở khi kéo dài từ").fill("0,5")
    page.get_by_label("Lý do").fill("Phòng máy thi")
    page.get_by_role("button", name="Xem thay đổi").click()
    page.get_by_text("30 giây", exact=True).wait_for()
    seen(page, tmp_path, "look")
    page.get_by_role("button", name="Chạy thử").click()
    page.get_by_text("đã xem hết").wait_for()
    seen(page, tmp_path, "replay")
    page.get_by_role("button", name="Quay lại sửa bản nháp").click()
    page.get_by_role("button", name="Lưu").click()
    page.wait_for_url("**/rules/antivirus_off")
    seen(page, tmp_path, "saved")
    with begin_read(tree.engine) as conn:
        (one,) = rules.stored(conn)
    assert (one.version, one.reason) == (1001, "Phòng máy thi")
    assert "open_after: 30" in one.text


def test_a_long_trial_says_so_first_and_shows_how_far_it_is(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schoolwatch_server.console.rule_replay.LONG", 0.0)
    page.goto("/rules/server_disk")
    page.get_by_text("không chạy thử trên quá khứ được").wait_for()
    seen(page, tmp_path, "not")
    page.goto("/rules/line_down")
    page.get_by_label("Số ngày gần đây").fill("2")
    page.get_by_role("button", name="Chạy thử").click()
    page.get_by_text("Ước tính mất khoảng").wait_for()
    seen(page, tmp_path, "ask")
    page.get_by_role("button", name="Bắt đầu").click()
    page.get_by_text("còn khoảng").or_(page.get_by_text("đã xem hết")).first.wait_for()
    seen(page, tmp_path, "running")
    page.get_by_text("đã xem hết").wait_for(timeout=90_000)
    seen(page, tmp_path, "watch")
