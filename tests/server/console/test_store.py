"""The server's own page says how the store of series beside the database stands, where there is one."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec
import pytest

from schoolwatch_server.config import SeriesStore, ServerConfig
from schoolwatch_server.database import store_writer
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.vietnam import VIETNAM
from tree import Tree
from website import RunningSite

SECTION = SeriesStore("victoriametrics", "http://127.0.0.1:8428")
TITLE = "Kho chuỗi số liệu bên ngoài"


@pytest.fixture
def site(tree: Tree) -> Iterator[RunningSite]:
    config: ServerConfig = msgspec.structs.replace(tree.config, store=SECTION)
    with RunningSite(config) as site:
        yield site


def test_the_page_says_how_the_store_stands(site: RunningSite, tree: Tree) -> None:
    admin = site.somebody("so_admin")
    page = admin.get("/system").text
    assert "Chưa ghi gì" in page
    assert SECTION.url in page
    now = time.time()
    with begin_write(tree.engine) as conn:
        held = store_writer.begin(conn, SECTION.place)
        done = msgspec.structs.replace(
            held.progress,
            written=1_234_567,
            refused=3,
            ok_at=now - 7200,
            error="ConnectError: <refused>",
            error_at=now,
            notice="-retentionPeriod is not set",
            whole_from=datetime(2026, 11, 16, 7, 30, tzinfo=VIETNAM).timestamp(),
        )
        assert store_writer.save(conn, held.turn, done)
    page = admin.get("/system").text
    for shown in (
        "1.234.567",
        "2 giờ trước",
        "ConnectError: &lt;refused&gt;",
        "-retentionPeriod is not set",
        "16/11/2026",
    ):
        assert shown in page, shown
    told = admin.get("/metrics").text
    for line in (
        'schoolwatch_store_points_total{outcome="written"} 1.234567e+06',
        'schoolwatch_store_points_total{outcome="refused"} 3.0',
        "schoolwatch_store_failing 1.0",
        "schoolwatch_store_whole_since_timestamp_seconds 1.79",
        "schoolwatch_store_lost_reports_total 0",
    ):
        assert line in told, line


def test_without_such_a_store_the_page_has_no_word_of_it(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        admin = site.somebody("so_admin")
        assert TITLE not in admin.get("/system").text
        assert "schoolwatch_store" not in admin.get("/metrics").text


def test_graphs_come_from_the_database_while_the_store_does_not_answer(
    tree: Tree, free_port: Callable[[], int]
) -> None:
    section = SeriesStore("victoriametrics", f"http://127.0.0.1:{free_port()}", reads=True)
    device = tree.schools[0].devices[1].device
    with RunningSite(msgspec.structs.replace(tree.config, store=section)) as site:
        asked = {"device": device, "metric": "processor.busy"}
        answer = site.somebody("so_admin").get("/api/v1/series", params=asked).json()
    assert [point["mean"] for point in answer["series"][0]["points"]] == [0.1, 0.2, 0.3]
