"""The console in a real browser: log in, find this machine, see its real readings change."""

import csv
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from conftest import Peer
from running import RunningUp
from schoolwatch_server.indicators import INDICATORS

WIDTHS = {"desk": 1280, "phone": 390}
PAGES = (
    "/",
    "/communes/MAU",
    "/schools/TRUONG-MAU",
    "/incidents",
    "/incidents?closed=true",
    "/system",
    "/search?q=a",
)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, peer: Peer) -> Iterator[RunningUp]:
    """The whole system on this machine, measured by its own agent."""
    peer("chromium")
    ports = []
    for _ in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(int(probe.getsockname()[1]))
    running = RunningUp(tmp_path_factory.mktemp("console") / "data", *ports)
    running.start()
    running.wait_ready()
    yield running
    running.end()


@pytest.fixture(params=list(WIDTHS))
def page(request: pytest.FixtureRequest, browser: Browser, up: RunningUp) -> Iterator[Page]:
    """A page of somebody who is logged in; nothing may be said in the browser's console."""
    context = browser.new_context(viewport={"width": WIDTHS[request.param], "height": 850}, locale="vi-VN")
    page = context.new_page()
    page.set_default_timeout(20_000)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    _log_in(page, up, context)
    yield page
    context.close()
    harmless = "responded with a status of (401|403|500)|^Autofocus processing was blocked"  # typed before it
    said = [text for text in said if not re.search(harmless, text)]
    assert said == [], "a violation of the content security policy, or an error of a script"


def _url(up: RunningUp, path: str) -> str:
    return f"http://127.0.0.1:{up.http}{path}"


def _open_menu(page: Page) -> None:
    """On a phone, where it is folded into a button."""
    if (button := page.locator(".to-menu")).is_visible():
        button.click()


def _log_in(page: Page, up: RunningUp, context: BrowserContext) -> None:
    page.goto(_url(up, "/"))
    expect(page).to_have_url(re.compile("/login"))
    page.get_by_label("Tài khoản").fill("admin")
    page.get_by_label("Mật khẩu").fill(up.own_password or up.password or "")
    page.get_by_role("button", name="Đăng nhập").click()
    if not up.own_password:
        _choose_password(page, up)
    page.wait_for_url(_url(up, "/"))
    cookies = {cookie["name"]: cookie for cookie in context.cookies()}
    assert cookies["schoolwatch_session"]["httpOnly"]
    assert cookies["schoolwatch_session"]["sameSite"] == "Lax"


def _choose_password(page: Page, up: RunningUp) -> None:
    """The first password was printed by `up`: every way leads to one's own page until it is changed."""
    page.wait_for_url(_url(up, "/me"))
    page.goto(_url(up, "/incidents"))
    page.wait_for_url(_url(up, "/me"))
    expect(page.get_by_role("alert")).to_contain_text("Hãy đổi thành mật khẩu của riêng mình")
    up.own_password = "một mật khẩu của riêng mình"
    page.get_by_label("Mật khẩu hiện tại").fill(up.password or "")
    page.get_by_label("Mật khẩu mới", exact=True).fill(up.own_password)
    page.get_by_label("Nhập lại mật khẩu mới").fill(up.own_password)
    page.get_by_role("button", name="Đổi mật khẩu").click()


def _no_sideways_scroll(page: Page) -> None:
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), page.url


def test_this_machine_is_found_and_its_readings_change(page: Page, up: RunningUp) -> None:
    page.get_by_role("link", name="Xã mẫu").click()
    page.get_by_role("link", name="Trường mẫu").click()
    expect(page.locator("tr.indicator")).to_have_count(len(INDICATORS) + 1)  # and reports on time
    expect(page.locator("#students_per_computer")).to_contain_text("chưa đủ dữ liệu")
    expect(page.locator("#telemetry_coverage")).to_contain_text("100")
    page.locator("table.rows tbody a").first.click()

    expect(page.locator("nav.crumbs li")).to_have_text(
        ["Tổng quan", "Xã mẫu", "Trường mẫu", re.compile("Máy")]
    )
    expect(page.locator("#readings")).to_be_visible(timeout=45_000)  # a first cycle measures everything
    row = page.locator("tr[data-metric='memory.size'] td").first
    gibibytes = psutil.virtual_memory().total / 2**30
    shown = float((row.text_content() or "").replace("\u00a0GiB", "").replace(",", "."))
    assert shown == pytest.approx(gibibytes, abs=0.1)

    uptime = page.locator("tr[data-metric='processor.busy'] td.when")
    first = uptime.get_attribute("title")
    expect(uptime).not_to_have_attribute("title", first or "", timeout=45_000)
    expect(page.locator("#plot canvas")).to_be_visible(timeout=30_000)
    _no_sideways_scroll(page)


def test_a_refresh_disturbs_nobody_and_a_failed_one_changes_nothing(page: Page, up: RunningUp) -> None:
    page.goto(_url(up, "/schools/TRUONG-MAU"))
    page.locator("a[href^='/devices/']").first.click()
    expect(page.locator("#readings")).to_be_visible(timeout=45_000)
    expect(page.locator("meta[http-equiv=refresh]")).to_have_count(0)  # it is there before the first report
    probes = page.locator("#probes")
    probes.locator("summary").click()
    with page.expect_response("**/now") as refreshed:
        pass
    assert refreshed.value.status == 200
    page.wait_for_timeout(500)  # until the answer stands in the page
    assert probes.get_attribute("open") is not None, "what was unfolded stays so"
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY", "the keyboard stays where it was"

    page.route("**/now", lambda route: route.fulfill(status=500, body="it went wrong"))
    with page.expect_response("**/now"):
        pass
    page.wait_for_timeout(500)
    assert page.locator("#readings tr").count() > 10
    assert "it went wrong" not in page.content()
    page.unroute("**/now")
    with page.expect_response("**/now") as again:
        pass
    assert again.value.status == 200, "the next one is asked for all the same"

    page.context.clear_cookies()
    expect(page).to_have_url(re.compile("/login"), timeout=30_000)


def test_a_school_is_found_without_diacritics_and_without_a_script(
    page: Page, up: RunningUp, browser: Browser
) -> None:
    cookies = page.context.cookies()
    context = browser.new_context(viewport=page.viewport_size, java_script_enabled=False)
    context.add_cookies(cookies)  # type: ignore[arg-type]  # what the other context gave
    plain = context.new_page()
    plain.goto(_url(up, "/"))
    plain.get_by_label("Tìm trường").fill("truong MAU")
    plain.get_by_role("button", name="Tìm").click()
    expect(plain).to_have_url(_url(up, "/schools/TRUONG-MAU"))
    plain.goto(_url(up, "/"))
    plain.get_by_label("Tìm trường").fill("khong co")
    plain.get_by_label("Tìm trường").press("Enter")
    expect(plain.get_by_role("status")).to_contain_text("Không tìm thấy trường nào có “khong co”")
    context.close()


def test_every_page_fits_and_says_what_to_do_when_empty(page: Page, up: RunningUp) -> None:
    for path in PAGES:
        page.goto(_url(up, path))
        expect(page.locator("h1")).to_be_visible()
        _no_sideways_scroll(page)
    page.goto(_url(up, "/incidents?closed=true"))
    expect(page.locator(".empty")).to_contain_text("Chưa có sự cố nào đã đóng")


def test_the_language_is_remembered(page: Page, up: RunningUp) -> None:
    _open_menu(page)
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("link", name="Incidents", exact=True)).to_be_visible()
    page.goto(_url(up, "/system"))
    expect(page.locator("h1")).to_have_text("System")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    _open_menu(page)
    page.get_by_role("link", name="Tiếng Việt").click()
    expect(page.locator("h1")).to_have_text("Hệ thống")


def test_declared_students_are_kept_with_who_declared_them(page: Page, up: RunningUp) -> None:
    page.goto(_url(up, "/schools/TRUONG-MAU"))
    page.get_by_label("Số học sinh").fill("412")
    page.locator("#declared").get_by_role("button", name="Lưu").click()
    expect(page.get_by_label("Số học sinh")).to_have_value("412")
    expect(page.locator("#declared")).to_contain_text("admin khai báo lúc")


def test_a_machine_put_into_a_student_lab_counts_for_the_students(page: Page, up: RunningUp) -> None:
    room = f"Phòng máy {page.viewport_size['width'] if page.viewport_size else 0}"
    page.goto(_url(up, "/schools/TRUONG-MAU"))
    page.get_by_label("Số học sinh").fill("412")
    page.get_by_label("Trong đó: máy tính cho học sinh").fill("1")
    page.locator("#declared").get_by_role("button", name="Lưu").click()
    page.get_by_label("Tên phòng").fill(room)
    page.locator("#rooms form.fields select[name=role]").select_option("student_lab")
    page.get_by_role("button", name="Thêm phòng").click()
    expect(page.locator("#rooms")).to_contain_text(room)
    page.locator("table.rows tbody a").first.click()
    expect(page.locator("#readings")).to_be_visible(timeout=45_000)  # it has been heard
    page.locator("#manage select[name=room]").select_option(label=room)
    page.locator("#manage").get_by_role("button", name="Lưu").click()
    expect(page.locator("p.lead")).to_contain_text(f"{room} · phòng máy học sinh")
    page.goto(_url(up, "/schools/TRUONG-MAU"))
    expect(page.locator("#students_per_computer")).to_contain_text("412 học sinh/máy")


def test_the_indicators_can_be_downloaded(page: Page, up: RunningUp) -> None:
    page.goto(_url(up, "/schools/TRUONG-MAU"))
    with page.expect_download() as download:
        page.get_by_role("button", name="Tải về để mở bằng Excel").click()
    text = Path(download.value.path()).read_text("utf-16")
    assert "Trường mẫu" in text
    assert "chưa đủ dữ liệu" in text
    assert len(text.splitlines()) >= 7
    with page.expect_download() as download:
        page.locator("#exports li", has_text="tình trạng hoạt động").get_by_text("CSV cho phần mềm").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text("utf-8-sig").splitlines()))
    assert rows, "this machine's own agent"
    assert re.fullmatch("[0-9a-f]{32}", rows[0]["Mã thiết bị [device]"])


def test_a_token_is_shown_once_with_the_command_to_type(page: Page, up: RunningUp) -> None:
    page.goto(_url(up, "/schools/TRUONG-MAU"))
    page.get_by_role("button", name="Tạo mã đăng ký").click()
    expect(page.locator(".secret code")).to_have_text(re.compile("^swe_"))
    token = page.locator(".secret code").text_content() or ""
    enrol, start = page.locator("pre").all()[-2:]
    expect(enrol).to_contain_text("enrol --url http://127.0.0.1")
    expect(enrol).not_to_contain_text(token)
    expect(start).to_have_text("./schoolwatch agent --config agent.toml run")  # else it never reports
    expect(page.locator(".reminder")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(".reminder")).to_be_hidden()  # a sheet for the lab says nothing of who printed it
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Về trang của trường").click()
    assert token not in page.content()
    page.get_by_role("button", name="Thu hồi tất cả mã").click()
    expect(page.get_by_role("button", name="Thu hồi tất cả mã")).to_have_count(0)


def test_logging_out_ends_the_session(page: Page, up: RunningUp) -> None:
    _open_menu(page)
    page.get_by_role("button", name="Đăng xuất").click()
    expect(page).to_have_url(re.compile("/login"))
    page.goto(_url(up, "/system"))
    expect(page).to_have_url(re.compile("/login"))
    page.get_by_label("Tài khoản").fill("admin")
    page.get_by_label("Mật khẩu").fill("wrong")
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_role("alert")).to_contain_text("không đúng")
