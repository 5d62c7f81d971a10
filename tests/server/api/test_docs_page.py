"""The page at /docs in a real browser, under our own content security policy."""

from pathlib import Path

from playwright.sync_api import Browser

from website import RunningSite


def test_the_description_can_be_read_and_tried_and_nothing_is_asked_elsewhere(
    site: RunningSite, ask, browser: Browser, tmp_path: Path
) -> None:
    page, said, asked = browser.new_page(), [], []
    page.on(
        "console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site.url}/docs")
    page.get_by_text("/api/v1/schools", exact=True).wait_for()
    assert page.locator(".opblock").count() >= 10
    assert page.locator(".opblock").first.bounding_box()["height"] > 20
    page.get_by_text("Schools and what they declared").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Authorize").first.click()
    form = page.locator(".modal-ux form").filter(has_text="(http, Bearer)")  # the other is a device's
    form.locator("input").fill(ask().headers["authorization"].split()[1])
    form.get_by_role("button", name="Apply credentials").click()
    page.locator(".modal-ux").get_by_role("button", name="Close").last.click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table").get_by_text("Mark000X").first.wait_for()
    page.screenshot(path=str(tmp_path / "docs.png"))
    assert all(url.startswith((site.url, "data:")) for url in asked)
    assert said == []
