"""Pages of a school where much is wrong, in a real browser: what needs somebody comes first."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

import machines
from reports import Device
from schoolwatch_contract.records import Fact
from schoolwatch_server import incidents, people, rules, work_list
from schoolwatch_server.api.route import SESSION_COOKIE
from schoolwatch_server.console.qr import svg
from schoolwatch_server.database import credentials, faults, registry
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.database.incidents import NewIncident
from schoolwatch_server.intake.batch import take
from schoolwatch_server.rules import subject
from schoolwatch_server.scope import EVERYTHING
from shared import shared_site
from tree import FINE, NONE, Tree
from website import RunningSite

SCREEN = 850
DEVICES, WRONG = 50, 12


CONTRAST = """(element) => {
  const lit = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).map((part) => Number(part) / 255).map(
      (part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let under = element;
  const clear = (one) => /rgba\\(.*, 0\\)/.test(getComputedStyle(one).backgroundColor);
  while (clear(under) && under.parentElement) under = under.parentElement;
  const ground = clear(under) ? "rgb(255, 255, 255)" : getComputedStyle(under).backgroundColor;
  const [low, high] = [lit(getComputedStyle(element).color), lit(ground)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}"""
"""How text stands out from what is behind it (WCAG 2.2, 1.4.3), 1 to 21."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The first school has 50 devices more: the antivirus of 12 is off, and one with a copy tells of IPv6."""
    tree = Tree(tmp_path_factory.mktemp("need"))
    school = tree.schools[0]
    with begin_write(tree.engine) as conn:
        room = registry.create_room(conn, school.id, "Phòng máy 2", "student_lab")
        for n in range(1, DEVICES + 1):
            row = registry.create_device(conn, school.id, room, f"PC {n}", tree.now - 7200)
            key = bytes.fromhex(row.device) * 2
            credentials.set_credential(conn, row.id, key, "$7$1$a$b", tree.now)
            school.devices.append(Device(row.id, row.device, key))
    looked = machines.look("ipv6", "linux/ipv6-black-hole")
    for n, device in enumerate(school.devices[-DEVICES:]):
        said = NONE if n < WRONG else FINE
        more = (looked.readings, looked.facts) if n == 0 else ((), ())
        for seq, (minutes, told) in enumerate(((75, FINE), (60, said), (45, said), (1, said)), 1):
            message = device.message(
                seq, at=tree.now - minutes * 60, readings=(*told, *more[0]), facts=more[1]
            )
            take(tree.engine, [message], Rules())
    copied = school.devices[-DEVICES]
    take(tree.engine, [copied.message(1, at=tree.now - 60, facts=(Fact("os.name", "of a copy"),))], Rules())
    while incidents.judge_next(tree.engine, rules.load(), (), tree.now):
        pass
    return tree


site = shared_site


@pytest.fixture(scope="module")
def session(tree: Tree) -> str:
    people.create_account(
        tree.engine, "duty", "a password for tests", role="so_admin", scope=EVERYTHING, by="t"
    )
    login = people.log_in(tree.engine, "duty", "a password for tests", address="", now=time.time())
    assert login is not None
    return login.secret


@pytest.fixture(params=[1440, 390])
def page(request: pytest.FixtureRequest, browser: Browser, site: RunningSite, session: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": request.param, "height": SCREEN}, locale="vi-VN")
    context.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": site.url}])
    page = context.new_page()
    page.set_default_timeout(20_000)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    yield page
    context.close()
    assert said == [], "a violation of the content security policy, or an error of a script"


def _is_phone(page: Page) -> bool:
    return page.viewport_size is not None and page.viewport_size["width"] < 600


def test_a_school_shows_what_needs_somebody_and_folds_the_rest_on_a_phone(
    page: Page, site: RunningSite, tree: Tree
) -> None:
    page.goto(f"{site.url}/schools/{tree.schools[0].code}")
    shown = page.locator("#devices .devices").first.locator("tbody tr")
    assert shown.count() == 10
    for row in shown.all():
        expect(row).to_contain_text("không có diệt vi-rút chạy")
    names = page.locator("#devices tbody th a").all_text_contents()
    assert names[1:10] == [f"PC {n}" for n in range(1, 10)], "in the order people count"
    assert len(names) == DEVICES + 2
    well = page.get_by_role("link", name=f"PC {DEVICES}", exact=True)
    if _is_phone(page):
        assert page.locator("#devices").evaluate("e => e.offsetHeight") < 3 * SCREEN
        expect(well).not_to_be_visible()
        page.get_by_text("Thiết bị khác (").click()
    expect(well).to_be_visible()
    expect(page.locator("#incidents > .incidents li")).to_have_count(5)
    assert page.locator("#indicators").evaluate("e => e.offsetTop") > page.locator("#ipv6").evaluate(
        "e => e.offsetTop"
    )
    wide = "[document.documentElement, ...document.querySelectorAll('.scroll')]"
    assert page.evaluate(f"{wide}.every((e) => e.scrollWidth <= e.clientWidth)"), "nothing is cut off"


def test_a_device_says_first_what_to_do(page: Page, site: RunningSite, tree: Tree) -> None:
    page.goto(f"{site.url}/devices/{tree.schools[0].devices[-DEVICES].device}")
    first = page.locator(".first-rung")
    expect(first).to_contain_text("Việc đầu tiên cần xử lý: bậc 7")
    box, readings = first.bounding_box(), page.locator("#readings").bounding_box()
    assert box is not None
    assert readings is not None
    assert box["y"] + box["height"] <= min(SCREEN, readings["y"])
    expect(page.locator("#changes")).to_contain_text("Hai máy dùng chung một danh tính")
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), "nothing is cut off"
    reading = page.locator("tr[data-metric='ipv6.connect.seconds']").first
    if _is_phone(page):
        expect(reading).not_to_be_visible()
        page.get_by_text("Mạng (").first.click()
        with page.expect_response("**/now"):
            pass
        page.wait_for_timeout(500)  # until the answer stands in the page
    expect(reading).to_be_visible()


def test_an_incident_is_read_and_tapped_at_night_on_a_phone(
    browser: Browser, site: RunningSite, session: str
) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": SCREEN}, locale="vi-VN", color_scheme="dark", has_touch=True
    )
    context.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": site.url}])
    page = context.new_page()
    page.goto(f"{site.url}/incidents")
    page.locator("#more summary").click()
    page.get_by_role("button", name="Trình đơn").click()
    page.locator(".bar summary").click()
    for link in page.locator(
        ".incidents a, .bar a, .bar button, .bar summary, .tabs a:not(.roomy), #more a"
    ).all():
        box = link.bounding_box()
        assert box is not None
        assert box["height"] >= 44, link.text_content()
    page.keyboard.press("Escape")
    page.locator(".incidents a").filter(has_text="Phần mềm diệt vi-rút").first.click()
    todo = page.locator(".todo").bounding_box()
    take = page.get_by_role("button", name="Nhận xử lý").bounding_box()
    assert todo is not None
    assert take is not None
    assert take["height"] >= 44
    assert take["y"] < todo["y"]
    assert todo["y"] + todo["height"] < SCREEN, "what to do is seen without scrolling"
    for chosen in ("body", ".todo p", ".chip.bad", ".muted", ".evidence td"):
        assert page.locator(chosen).first.evaluate(CONTRAST) >= 4.5, chosen
    context.close()


@pytest.fixture(scope="module")
def listed(tree: Tree) -> None:
    """Old signatures on 30 computers: one since this week, the others since the last; five are mended."""
    week = work_list.this_week(time.time())
    with begin_write(tree.engine) as conn:
        for n, device in enumerate(tree.schools[0].devices[-30:]):
            at = week.before.start if n else week.start + 1
            new = NewIncident(
                "signatures_old", 1, "medium", subject.device(device.id), at, at, late=False, evidence={}
            )
            faults.put(conn, new)
            if n > 24:
                faults.end(conn, new.fingerprint, week.start + 1)


@pytest.mark.usefixtures("listed")
def test_the_work_list_says_per_fault_what_to_do_and_on_which_computers(
    page: Page, site: RunningSite, tree: Tree
) -> None:
    page.goto(f"{site.url}/schools/{tree.schools[0].code}")
    page.get_by_role("link", name="Việc cần khắc phục").click()
    task = page.locator("section[data-rule=signatures_old]")
    expect(task.locator(".chips .chip")).to_have_text(
        ["Mức độ trung bình", "còn 25 máy", "1 máy mới trong tuần", "5 máy đã khắc phục trong tuần"]
    )
    expect(task.locator(".todo")).to_contain_text("bấm cập nhật")
    expect(task.locator("> .lines li")).to_have_count(20)
    expect(task.get_by_role("link", name=f"PC {DEVICES}")).not_to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")
    for week in (work_list.this_week(time.time()).before, work_list.this_week(time.time()).before.before):
        page.get_by_role("link", name="Tuần trước").click()
        page.wait_for_url(f"**week={week.name}")
    expect(page.locator(".empty")).to_be_visible()  # the computers came last week at the earliest


def test_what_is_printed_is_ink_on_white_unfolded_and_says_when(
    page: Page, site: RunningSite, tree: Tree
) -> None:
    page.goto(f"{site.url}/schools/{tree.schools[0].code}")
    page.emulate_media(media="print", color_scheme="dark")
    for chosen in ("body", ".chip.bad", ".muted", ".devices td"):
        assert page.locator(chosen).first.evaluate(CONTRAST) >= 4.5, chosen
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    expect(page.get_by_role("row", name=f"PC {DEVICES}")).to_be_visible()
    expect(page.locator("footer")).to_contain_text("Trang được lập lúc")
    for pressed in page.locator("button, nav, select").all():
        expect(pressed).not_to_be_visible()


def test_the_enrolment_sheet_is_one_page_of_paper_with_what_its_code_says(
    page: Page, site: RunningSite, tree: Tree, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    page.goto(f"{site.url}/schools/{tree.schools[0].code}#enrolment")
    page.get_by_role("button", name="Tạo mã đăng ký").click()
    token = page.locator(".secret code").inner_text()
    assert re.match(r"swe_[\w.-]{32,80}$", token)
    said = f"{site.url}\n{token}"
    assert page.locator("figure path.qrline").get_attribute("d") in svg(said)
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator("figure svg")).to_be_visible()
    expect(page.get_by_text("Mã chỉ hiện một lần này")).not_to_be_visible()
    paper = page.pdf(format="A4", margin=dict.fromkeys(("top", "bottom", "left", "right"), "12mm"))
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1
    assert token not in page.url
    assert token not in caplog.text
