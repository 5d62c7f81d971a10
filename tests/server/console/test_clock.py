"""What the page of a device says of reports that were taken under a wrong clock."""

import pytest
from sqlalchemy import text

from reports import RULES
from schoolwatch_server.database import journal
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.intake.batch import take
from tree import Tree
from website import RunningSite


@pytest.mark.parametrize(
    ("language", "says", "remedy"),
    [
        ("vi", "2 báo cáo không rõ lúc đo", "thay pin CMOS"),
        ("en", "2 reports taken nobody knows when", "Replace the battery"),
    ],
)
def test_it_says_how_many_and_what_to_do(tree: Tree, language: str, says: str, remedy: str) -> None:
    device, other = tree.schools[0].devices[:2]
    spool = "c" * 16
    messages = [device.message(n, at=tree.now, spool=spool, clock="doubtful") for n in (1, 2)]
    take(tree.engine, [*messages, other.message(1, at=tree.now, spool=spool)], RULES)
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        admin.get(f"/language/{language}", params={"next": "/"})
        shown = admin.get(f"/devices/{device.device}").text
        assert says in shown
        assert remedy in shown
        assert says[2:] not in admin.get(f"/devices/{other.device}").text


def test_they_are_counted_without_reading_the_journal(tree: Tree) -> None:
    with begin_read(tree.engine) as conn:
        assert journal.uncertain(conn, tree.schools[0].devices[0].id) == 0
        if conn.dialect.name == "sqlite":
            plan = conn.execute(
                text("EXPLAIN QUERY PLAN SELECT count(*) FROM journal WHERE device_id = 1 AND uncertain = 1")
            )
            assert "ix_journal_uncertain" in " ".join(str(row) for row in plan)
