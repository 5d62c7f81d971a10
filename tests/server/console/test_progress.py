"""The page of progress: what it says of targets, and who stands in which order."""

import time
from datetime import date, timedelta

from schoolwatch_server import packs
from schoolwatch_server.console.spark import HEIGHT, WIDTH, spark
from schoolwatch_server.database import declarations, judged
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.indicators import series
from schoolwatch_server.store.series import Judged
from tree import Tree
from website import RunningSite

DAY = 86400.0


def judge(tree: Tree) -> None:
    """Judges the tree now, and says that coverage rose by 3 points of a hundred a week for ten weeks."""
    now = time.time()
    series.write(tree.engine, packs.load(), now, 1.0, {})
    with begin_read(tree.engine) as conn:
        tags = {"indicator": "telemetry_coverage"}
        newest = judged.latest(conn, "indicator", tags)
    with begin_write(tree.engine) as conn:
        judged.write(
            conn,
            [
                Judged(
                    "indicator", row.tags, now - day * DAY, 0.75 - day // 7 * 0.03, None, None, 1.0, row.pack
                )
                for row in newest
                for day in range(1, 71)
            ],
        )


def declare(tree: Tree, school: int, devices: int) -> None:
    with begin_write(tree.engine) as conn:
        declarations.declare(conn, school, "devices", devices, tree.now, "test")


def test_a_province_sees_targets_with_forecasts_and_places_in_order(tree: Tree) -> None:
    first, second, *_ = tree.schools
    declare(tree, first.id, 3)  # of its 2 devices both report: 2/3, more than what is aimed at is not there
    declare(tree, second.id, 2)
    judge(tree)
    with RunningSite(tree.config) as site:
        person = site.somebody("so_viewer")
        text = person.get("/provinces/MarkP0X/progress?indicator=telemetry_coverage").text
        assert text.index(f"Trường {first.mark}") < text.index(f"Trường {second.mark}"), "the worse one first"
        assert "không kịp hạn" not in text, "the shipped target has no deadline"
        assert "polyline" in text
        assert 'href="/provinces/MarkP0X/ranking?indicator=telemetry_coverage"' in text
        assert "Không xếp hạng" not in text
        text = person.get("/provinces/MarkP0X/progress?indicator=antivirus_coverage").text
        apart = text[text.rindex("Không xếp hạng") :]
        assert f"Trường {first.mark}" in apart, (
            "of 3 declared computers 2 are known: that is no basis for an order"
        )
        assert f"Trường {second.mark}" not in apart
        school = person.get(f"/schools/{first.code}/progress").text
        assert "66,7%" in school
        assert "Đạt vào khoảng" in school
        assert "sớm nhất" in school
        assert person.get("/provinces/MarkP0X/progress?indicator=nothing_such").status_code == 404
        assert person.get("/progress").headers["location"] == "/provinces/MarkP0X/progress"
        head = site.somebody("school_head", tree.scopes[-1])
        assert head.get("/progress").headers["location"] == f"/schools/{tree.schools[-1].code}/progress"


def test_a_plan_with_a_deadline_says_what_is_overdue(tree: Tree) -> None:
    folder = tree.folder / "packs"
    folder.mkdir()
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    declare(tree, tree.schools[0].id, 3)
    judge(tree)
    with RunningSite(tree.config) as site:
        text = site.somebody("so_viewer", language="vi").get(f"/schools/{tree.schools[0].code}/progress").text
    assert "quá hạn từ 01/01/2026" in text, "31/12/2025 still counted"
    assert "12/KH-SGDĐT" in text
    assert "mục II.3" in text
    assert "Có phòng studio" in text, "what is declared is listed, without a value"


PLAN = """
kind: plan
id: kh_thu
version: 1
vi: Kế hoạch thử
number: 12/KH-SGDĐT
date: 2025-09-19
issuer: Sở GDĐT
items:
  - id: coverage
    vi: Thiết bị được giám sát
    indicator: telemetry_coverage
    target: 0.9
    deadline: 2025-12-31
    clause: mục II.3
    confidence: V-seed
  - id: studio
    vi: Có phòng studio
    question: studio
    clause: mục II.4
    confidence: V-seed
"""


def test_a_line_is_broken_where_nothing_was_known() -> None:
    first = date(2026, 1, 1)
    drawn = spark([(first + timedelta(days=at), 0.5) for at in (0, 1, 2, 10, 11)], 1.0)
    assert drawn is not None
    assert [len(line.split()) for line in drawn.lines] == [3, 2]
    assert drawn.target is not None
    for line in drawn.lines:
        for x, y in (pair.split(",") for pair in line.split()):
            assert 0 <= float(x) <= WIDTH
            assert 0 <= float(y) <= HEIGHT
    assert spark([(first, 0.5)], 1.0) is None, "one day is no line"
