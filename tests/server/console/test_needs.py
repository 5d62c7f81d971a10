"""The pages and the file of what to buy or repair."""

import re
import time

import httpx
import pytest

from schoolwatch_server import needs_kept, packs
from schoolwatch_server.indicators import series
from schoolwatch_server.scope import Scope
from tree import Tree
from website import RunningSite


def test_a_head_sees_what_the_own_school_lacks(tree: Tree, head: httpx.Client) -> None:
    page = head.get(f"/schools/{tree.schools[0].code}/needs").text
    assert "Máy tính chưa có phần mềm diệt vi-rút đang chạy" in page
    assert "đã biết tình trạng" in page, "the formula's numbers"
    assert "Kế hoạch" in page, "the source"
    assert "Chưa có hợp đồng đường truyền đang hiệu lực" in page, "what is not known says why"


def test_sums_and_the_file_are_of_the_scope(tree: Tree) -> None:
    inside, outside = tree.schools[0], tree.schools[-1]
    with RunningSite(tree.config) as site:
        person = site.somebody("commune", Scope("commune", inside.commune))
        page = person.get("/communes/MarkC00X/needs").text
        assert f"Trường {inside.mark}" in page
        assert outside.mark not in page
        whole = site.somebody("so_viewer").get("/provinces/MarkP0X/needs").text
        assert "Cộng của 4 trường" in whole
        file = site.ask(Scope("commune", inside.commune)).get("/api/v1/tables/needs.csv").text
    rows = file.splitlines()
    assert "[least]" in rows[0]
    assert any(inside.mark in row and "diệt vi-rút" in row for row in rows)
    assert outside.mark not in file


def test_a_large_province_shows_the_sums_that_were_made_with_its_indicators(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lines(page: str) -> list[str]:
        return [" ".join(row.split()) for row in re.findall(r"<tr data-need=.*?</tr>", page, re.DOTALL)]

    def counted(*_: object) -> None:
        raise AssertionError("nothing is counted while somebody waits")

    with RunningSite(tree.config) as site:
        viewer = site.somebody("so_viewer")
        on_the_spot = viewer.get("/provinces/MarkP0X/needs").text
        monkeypatch.setattr(needs_kept, "LARGE", 1)
        series.write(site.engine, packs.load(), time.time(), 1.0, {}, needs_kept.rows)
        monkeypatch.setattr("schoolwatch_server.console.needs.count", counted)
        kept = viewer.get("/provinces/MarkP0X/needs")
    assert kept.status_code == 200
    assert len(lines(kept.text)) > 8
    assert lines(kept.text) == lines(on_the_spot)
    assert "Tính lúc" in kept.text
    assert "Cộng của 4 trường" in kept.text
