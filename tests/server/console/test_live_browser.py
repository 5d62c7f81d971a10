"""Incidents and the wall screen in a real browser: what is new appears, and what may be old says so."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from schoolwatch_server.database import incidents, journal
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.rules import subject
from tree import School, Tree
from website import RunningSite

expect.set_options(timeout=20_000)
JUDGING = 10**10
"""A sign of life from the far future: nobody judges reports in this test, and nothing is to say so."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    made = Tree(tmp_path_factory.mktemp("live-browser"))
    with begin_write(made.engine) as conn:
        journal.move(conn, "rules", 0, JUDGING)
    yield made
    made.engine.dispose()


def happen(tree: Tree, school: School, rule: str) -> str:
    """A new incident of a school's first computer; its number."""
    device = subject.device(school.devices[0].id)
    now = time.time()
    new = incidents.NewIncident(
        rule=rule, rule_version=1, severity="high", subject=device,
        since=now - 60, opened_at=now - 60, late=False, evidence={},
    )  # fmt: skip
    with begin_write(tree.engine) as conn:
        made = incidents.open_incident(conn, new, now)
    assert made is not None
    return str(made.id)


def opened(browser: Browser, site: RunningSite, role: str, path: str) -> tuple[Page, list[str]]:
    """A page of a new account, and what the browser's console says of it."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="vi-VN")
    for name, value in site.somebody(role).cookies.items():
        context.add_cookies([{"name": name, "value": value, "url": site.url}])
    page = context.new_page()
    page.set_default_timeout(20_000)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(site.url + path)
    begun = page.locator("#live [data-text]").inner_text()
    assert begun in ("Chưa kết nối", "Đang cập nhật trực tiếp")  # nothing was lost yet
    expect(page.locator("#live")).to_contain_text("Đang cập nhật trực tiếp", timeout=20_000)
    return page, said


def row(number: str) -> str:
    return f'[data-incident="{number}"]'


def test_the_list_and_the_wall_follow_what_happens_and_say_when_they_cannot(
    tree: Tree, browser: Browser
) -> None:
    school, other = tree.schools[0], tree.schools[1]
    taken = happen(tree, school, "firewall_off")
    with RunningSite(tree.config) as site:
        list_, said = opened(browser, site, "so_admin", f"/incidents?school={school.mark}")
        wall, of_wall = opened(browser, site, "so_viewer", "/wall")

        # what is new appears by itself, where the filter lets it through
        elsewhere, number = happen(tree, other, "disk_failing"), happen(tree, school, "disk_failing")
        expect(list_.locator(row(number))).to_be_visible()
        expect(list_.locator(row(elsewhere))).to_have_count(0)
        expect(wall.locator(row(number))).not_to_have_count(0)
        before = int(list_.locator("nav [data-number]").inner_text())

        # by keyboard, and nothing moves while a box is ticked
        list_.keyboard.press("j")
        expect(list_.locator(f"{row(number)} a")).to_be_focused()
        list_.keyboard.press("j")
        expect(list_.locator(f"{row(taken)} a")).to_be_focused()
        list_.keyboard.press("k")
        list_.keyboard.press("x")
        expect(list_.locator(f"{row(number)} input")).to_be_checked()
        waits = happen(tree, school, "backup_old")
        expect(list_.locator("#live")).to_contain_text("Có thay đổi")
        expect(list_.locator(row(waits))).to_have_count(0)
        expect(list_.locator("nav [data-number]")).to_have_text(str(before + 1))
        list_.keyboard.press("x")
        expect(list_.locator(row(waits))).to_be_visible()
        expect(list_.locator(f"{row(number)} a, {row(number)} input").first).to_be_visible()

        # ?, / and typing
        list_.keyboard.press("?")
        expect(list_.get_by_role("dialog")).to_contain_text("Phím tắt")
        list_.keyboard.press("Escape")
        list_.keyboard.press("/")
        expect(list_.locator("main input[name=q]")).to_be_focused()
        list_.keyboard.type("jx?")
        expect(list_.locator("main input[name=q]")).to_have_value("jx?")
        list_.keyboard.press("Escape")
        assert said == []

        # a acknowledges the one that one is at
        list_.keyboard.press("j")
        at = list_.evaluate("document.activeElement.closest('[data-incident]').dataset.incident")
        list_.keyboard.press("a")
        expect(list_.locator("main")).to_contain_text("đã làm 1 sự cố")
        expect(list_.locator(row(at))).to_contain_text("Đang xử lý")

        # nobody judges: the wall loses its colour, and has it again
        with begin_write(tree.engine) as conn:
            conn.execute(
                update(t.cursor).where(t.cursor.c.name == "rules").values(moved_at=time.time() - 600)
            )
        expect(wall.locator("#live")).to_contain_text("không xét báo cáo", timeout=20_000)
        assert "grayscale(1)" in wall.locator("#wall").evaluate("main => getComputedStyle(main).filter")
        with begin_write(tree.engine) as conn:
            conn.execute(update(t.cursor).where(t.cursor.c.name == "rules").values(moved_at=JUDGING))
        expect(wall.locator("#live")).to_contain_text("Đang cập nhật trực tiếp", timeout=20_000)
        assert wall.locator("#wall").evaluate("main => getComputedStyle(main).filter") == "none"
        root = "document.documentElement"
        assert wall.evaluate(f"{root}.scrollHeight <= 1080 && {root}.scrollWidth <= 1920"), (
            "all on one screen"
        )
        assert of_wall == []
        site.app.state.context.live.end()  # as when the server stops
    for page in (list_, wall):
        expect(page.locator("#live")).to_contain_text(re.compile("Mất kết nối, đang thử lại"), timeout=20_000)
    assert "grayscale(1)" in wall.locator("#wall").evaluate("main => getComputedStyle(main).filter")


def test_keys_of_one_letter_can_be_switched_off_for_a_browser(tree: Tree, browser: Browser) -> None:
    number = happen(tree, tree.schools[2], "firewall_off")
    with RunningSite(tree.config) as site:
        page, said = opened(browser, site, "so_admin", f"/incidents?school={tree.schools[2].mark}")
        there = page.locator(f"{row(number)} a")

        def switch() -> None:
            page.get_by_role("button", name="Phím tắt").click()
            page.get_by_label("Dùng các phím tắt này").click()
            page.get_by_role("button", name="Đóng", exact=True).click()

        switch()
        page.reload()
        page.keyboard.press("?")
        page.keyboard.press("j")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(there).not_to_be_focused()
        switch()
        page.keyboard.press("j")
        expect(there).to_be_focused()
        assert said == []


def test_after_an_act_on_many_reload_and_back_send_nothing_again(tree: Tree, browser: Browser) -> None:
    school = tree.schools[2]
    numbers = [happen(tree, school, rule) for rule in ("realtime_off", "backup_old", "disk_failing")]
    with RunningSite(tree.config) as site:
        list_, _ = opened(browser, site, "so_admin", f"/incidents?school={school.mark}")
        sent: list[str] = []
        list_.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
        for number in numbers[:2]:
            list_.locator(f"{row(number)} input").check()
        list_.get_by_role("button", name="Nhận xử lý").click()
        outcome = list_.locator(".outcome")
        expect(outcome).to_contain_text("đã làm 2 sự cố")
        assert f"school={school.mark}" in list_.url, "what was filtered stays so"
        expect(list_.locator(row(numbers[2]))).to_be_visible()
        expect(list_.locator(".incidents input:checked")).to_have_count(0)
        list_.reload()
        expect(list_.locator(row(numbers[0]))).to_be_visible()
        expect(outcome).to_have_count(0)
        list_.locator(f"{row(numbers[0])} a").click()
        list_.wait_for_url("**/incidents/*")
        list_.go_back()
        expect(list_.locator(row(numbers[0]))).to_be_visible()
        assert len(sent) == 1
