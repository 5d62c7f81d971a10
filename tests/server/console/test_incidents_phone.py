"""Somebody on duty at night: the list and one incident on a phone, by real taps and without scripts."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from schoolwatch_server import people
from schoolwatch_server.api.route import SESSION_COOKIE
from schoolwatch_server.console.page import LANGUAGE_COOKIE
from schoolwatch_server.scope import EVERYTHING
from tree import Tree
from website import RunningSite

PASSWORD = "a password for tests"
FINGER = 44
"""Pixels that a finger needs (Apple's Human Interface Guidelines; WCAG 2.2, 2.5.5)."""


@pytest.fixture
def phone(tree: Tree, browser: Browser) -> Iterator[Page]:
    for name in ("lan", "minh"):
        people.create_account(tree.engine, name, PASSWORD, role="so_admin", scope=EVERYTHING, by="test")
    login = people.log_in(tree.engine, "lan", PASSWORD, address="", now=time.time())
    assert login is not None
    with RunningSite(tree.config) as site:
        context = browser.new_context(
            base_url=site.url,
            viewport={"width": 390, "height": 844},
            has_touch=True,
            java_script_enabled=False,
        )
        for name, value in ((SESSION_COOKIE, login.secret), (LANGUAGE_COOKIE, "vi")):
            context.add_cookies([{"name": name, "value": value, "url": site.url}])
        yield context.new_page()
        context.close()


def big_enough(page: Page, where: str) -> None:
    page.wait_for_load_state("load")  # with its style, on a busy machine too
    for found in page.locator(where).all():
        if found.is_visible():
            box = found.bounding_box()
            assert box is not None
            assert round(min(box["height"], box["width"])) >= FINGER, (box, found.inner_text())
            assert box["x"] + box["width"] <= 390, "nothing lies beside the screen"


def test_an_incident_is_taken_handed_on_noted_and_closed_by_tapping(phone: Page) -> None:
    phone.goto("/incidents")
    phone.get_by_role("link", name=re.compile("Mark111X")).first.tap()
    acts = phone.locator("section.acts")
    acts.wait_for()
    phone.wait_for_load_state("load")
    button = acts.get_by_role("button", name="Nhận xử lý")
    box = button.bounding_box()
    assert box is not None
    assert box["y"] < 600, "it is on the first screen"
    big_enough(phone, ".acts button, .acts summary")
    button.tap()
    expect(phone.locator(".outcome")).to_have_text("Đã nhận xử lý sự cố này.")
    expect(phone.locator(".handled")).to_contain_text("lan nhận xử lý lúc")
    acts.locator("summary", has_text="Giao cho").tap()
    acts.locator("details[open] select").select_option("minh")
    big_enough(phone, ".acts button, .acts summary")
    acts.get_by_role("button", name="Giao", exact=True).tap()
    expect(phone.locator(".handled")).to_contain_text("Giao cho minh")
    acts.locator("summary", has_text="Ghi chú").tap()
    acts.locator("details[open] textarea").fill("Đã gọi trường, sáng mai cài lại.")
    acts.get_by_role("button", name="Lưu ghi chú").tap()
    expect(phone.locator(".note")).to_have_text("Đã gọi trường, sáng mai cài lại.")
    acts.locator("summary", has_text="Đã khắc phục").tap()
    acts.get_by_role("button", name="Đã khắc phục").tap()
    expect(phone.locator(".handled")).to_contain_text("lan đóng")
    expect(acts.get_by_role("button", name="Mở lại")).to_be_visible()


def test_the_first_incident_is_on_the_first_screen_and_nothing_is_lost(phone: Page) -> None:
    phone.goto("/incidents")
    phone.wait_for_load_state("load")
    box = phone.locator("[data-incident]").first.bounding_box()
    assert box is not None
    assert box["y"] <= 215, "below one line of menu, a reminder, the tabs and one line of folds"
    assert phone.get_by_role("link", name="Màn hình phòng trực").count() == 0
    phone.locator("#more summary").tap()
    big_enough(phone, ".folds summary")
    for name in ("Sự cố nghiêm trọng", "Thống kê mã độc", "Tải danh sách", "Xếp theo số", "Tất cả"):
        expect(phone.get_by_role("link", name=name)).to_be_visible()
    phone.get_by_role("link", name="Màn hình phòng trực").tap()
    expect(phone).to_have_url(re.compile("/wall$"))


def test_the_menu_is_one_button_by_tap_and_by_keyboard(phone: Page) -> None:
    phone.goto("/incidents")
    menu, rest = phone.get_by_role("button", name="Trình đơn"), phone.locator("#menu")
    expect(phone.get_by_role("link", name=re.compile("^Sự cố [0-9]"))).to_have_count(1)  # at hand
    expect(rest).to_be_hidden()
    menu.tap()
    expect(rest).to_be_visible()
    rest.locator("summary").tap()
    big_enough(phone, ".bar a, .bar button, .bar summary")
    phone.keyboard.press("Escape")
    expect(rest).to_be_hidden()
    menu.press("Enter")
    phone.keyboard.press("Tab")
    expect(rest.get_by_role("link", name="Tổng quan")).to_be_focused()
    phone.keyboard.press("Enter")
    expect(phone).to_have_url(re.compile("/$"))
    expect(phone.locator("#menu")).to_be_hidden()


def test_several_are_ticked_in_the_list_and_taken_at_once(phone: Page) -> None:
    phone.goto("/incidents")
    big_enough(phone, ".tick, .many .acts button, .many .acts summary")
    for box in phone.locator("input[name=incident]").all()[:3]:
        box.tap()
    phone.locator(".many").get_by_role("button", name="Nhận xử lý").tap()
    expect(phone.locator(".outcome")).to_contain_text("Nhận xử lý: đã làm 3 sự cố.")
    assert phone.locator(".chip", has_text="Đang xử lý").count() == 3
