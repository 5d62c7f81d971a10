"""A real Grafana shows every panel of every dashboard, out of the embedded store.

It runs where a Grafana is (tests/grafana.py); what its pages call an error is tried everywhere.
Pictures are kept in the folder that GRAFANA_PICTURES names.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from conftest import Peer
from grafana import RealGrafana, real
from panels_world import chosen_in, filled
from reports import World
from schoolwatch_server import tokens
from schoolwatch_server.cli import main
from schoolwatch_server.config import of_data
from schoolwatch_server.grafana import DASHBOARDS
from schoolwatch_server.grafana.spec import Dashboard
from schoolwatch_server.scope import EVERYTHING
from website import RunningSite

HOURS = 26
SETTLED: Final = 60_000
"""Milliseconds that a dashboard's panels may take."""

MARKS: Final = (
    '[data-testid="data-testid Panel status error"]',  # from 10.2 on
    '[aria-label="Panel status"]',  # 9.5 to 10.1
    '[aria-label="Panel header error"]',  # 9.4
    '[data-testid="data-testid Panel data error message"]',
    '[data-testid="data-testid Alert error"]',
    '[data-testid="data-testid Error boundary"]',
)
"""What Grafana marks a panel with whose query was refused, or whose panel broke (@grafana/e2e-selectors)."""

LOADING: Final = '[aria-label="Panel loading bar"], [data-testid="Panel loading bar"]'
PANELS: Final = '[data-testid^="data-testid Panel header "], [aria-label^="Panel header "]'
ROW: Final = "data-testid dashboard-row-title-{title}"


def errors(page: Page) -> list[str]:
    """What the panels of a page complain of."""
    return page.locator(", ".join(MARKS)).evaluate_all(
        """found => found.filter(one => one.getClientRects().length)
                        .map(one => one.getAttribute("aria-label") + " " + one.textContent)"""
    )


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(os.environ.get("GRAFANA_PICTURES") or tmp_path_factory.mktemp("pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def grafana(
    peer: Peer, tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[RealGrafana]:
    with real(peer, tmp_path_factory.mktemp("grafana"), free_port) as running:
        yield running


@pytest.fixture(scope="module")
def chosen(grafana: RealGrafana, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What is chosen of a province that Grafana reads, once our own push has set it up."""
    world = World(tmp_path_factory.mktemp("world"))
    found = filled(world, time.time() // 3600 * 3600 - HOURS * 3600, hours=HOURS)
    reads = tokens.issue_token(world.engine, "grafana", "read", EVERYTHING, 1.0, by="test")
    with RunningSite(of_data(world.folder)) as site:
        words = ["--data", str(world.folder), "--url", grafana.url, "--no-alerts"]
        words += ["--source-url", f"{site.url}/influx"]
        for option, secret in (("--token-file", grafana.token), ("--source-token-file", reads)):
            path = world.folder / option.strip("-")
            path.touch(0o600)
            path.write_text(secret)
            words += [option, str(path)]
        assert main(["grafana", "push", *words]) == 0
        yield chosen_in(world, found)
    world.engine.dispose()


def test_the_data_source_answers(grafana: RealGrafana, chosen: dict[str, str]) -> None:
    """Grafana's own look at it: it asks for the measurements."""
    assert chosen
    answer = grafana.ask("/api/datasources/uid/schoolwatch/health")
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "OK", answer.text


@pytest.mark.timeout(900)
@pytest.mark.parametrize("one", DASHBOARDS, ids=lambda one: one.uid)
def test_every_panel_is_drawn(
    one: Dashboard, grafana: RealGrafana, chosen: dict[str, str], browser: Browser, pictures: Path
) -> None:
    variables = {f"var-{name}": chosen[name] for name in (v.name for v in one.variables) if name in chosen}
    range_ = {"from": f"now-{HOURS}h", "to": "now", "timezone": "Asia/Ho_Chi_Minh"}
    context = browser.new_context(
        viewport={"width": 1600, "height": 1000},
        locale="en-US",
        extra_http_headers={"Authorization": f"Bearer {grafana.token}"},
    )
    # nobody else is told the token, and the background of maps is not fetched
    context.route(lambda url: not url.startswith(f"{grafana.url}/"), lambda route: route.abort())
    page = context.new_page()
    page.set_default_timeout(SETTLED)
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{grafana.url}/d/{one.uid}?{urlencode(variables | range_)}")
    held = grafana.ask(f"/api/dashboards/uid/{one.uid}").json()["dashboard"]["panels"]
    closed = [panel["title"] for panel in held if panel["type"] == "row" and panel["collapsed"]]
    for title in reversed(closed):  # from below: what is above stays where it is
        row = page.get_by_test_id(ROW.format(title=title)).last
        row.scroll_into_view_if_needed()
        row.click()
    for panel in one.panels:
        header = page.locator(PANELS).filter(has_text=panel.title.vi).first
        header.scroll_into_view_if_needed()
        expect(page.locator(LOADING)).to_have_count(0, timeout=SETTLED)
        found = errors(page)
        if found:
            page.screenshot(path=pictures / f"{one.uid}-error.png")
        assert found == [], panel.title.vi
    page.set_viewport_size({"width": 1600, "height": 4000})
    page.mouse.wheel(0, -1_000_000)
    expect(page.locator(LOADING)).to_have_count(0, timeout=SETTLED)
    page.screenshot(path=pictures / f"{one.uid}.png", full_page=True)
    assert errors(page) == []
    assert said == []
    context.close()


@pytest.mark.parametrize(
    "error",
    [
        '<button data-testid="data-testid Panel status error" aria-label="refused">!</button>',
        '<button aria-label="Panel header error">!</button>',
        '<div data-testid="data-testid Alert error">An unexpected error happened</div>',
    ],
)
def test_what_a_page_calls_an_error_is_one(browser: Browser, error: str) -> None:
    page = browser.new_page()
    page.set_content('<section data-testid="data-testid Panel header Mạng">Mạng</section>')
    assert errors(page) == []
    page.set_content(f'<section data-testid="data-testid Panel header Mạng">Mạng{error}</section>')
    assert len(errors(page)) == 1
    page.set_content(f'<section style="display: none">{error}</section>')
    assert errors(page) == [], "what nobody sees"
    page.close()
