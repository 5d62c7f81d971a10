"""The history of indicators by the API: pages and stream are the same, and nothing of outside is in them."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schoolwatch_server import packs
from schoolwatch_server.database import judged, simulated
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.history import day_of
from schoolwatch_server.indicators import series
from schoolwatch_server.store.series import Judged
from shared import shared_site
from tree import Tree
from website import RunningSite

DAYS = 12
AT = "/api/v1/indicators/history"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    """All places judged today, and antivirus coverage on each of the days before, but for one."""
    tree = Tree(tmp_path_factory.mktemp("history"))
    now = time.time()
    series.write(tree.engine, packs.load(), now, 1.0, {})
    with begin_read(tree.engine) as conn:
        newest = judged.latest(conn, "indicator", {"indicator": "antivirus_coverage"})
    with begin_write(tree.engine) as conn:
        judged.write(
            conn,
            [
                Judged("indicator", row.tags, now - day * 86400, day / 100, 1.0, 2.0, 0.9, row.pack)
                for row in newest
                for day in range(1, DAYS)
                if day != 5
            ],
        )
    yield tree
    tree.engine.dispose()


site = shared_site


def paged(client: httpx.Client, limit: int, **query: str) -> list[dict]:
    rows, cursor = [], 0
    while cursor is not None:
        answer = client.get(AT, params={**query, "limit": limit, "cursor": cursor}).json()
        assert len(answer["values"]) <= limit
        rows += answer["values"]
        cursor = answer["next"]
    return rows


def test_a_school_over_time(tree: Tree, site: RunningSite) -> None:
    school, ask = tree.schools[0], site.ask()
    found = ask.get(AT, params={"school": school.code, "indicator": "antivirus_coverage"}).json()
    today = day_of(time.time())
    assert (found["to"], found["next"]) == (today.isoformat(), None)
    days = [row["day"] for row in found["values"]]
    expected = [today - timedelta(days=day) for day in range(DAYS - 1, -1, -1) if day != 5]
    assert days == [day.isoformat() for day in expected], "the day on which nothing was judged has no row"
    row = found["values"][0]
    assert row["value"] == (DAYS - 1) / 100
    assert row["place"] == {"code": school.code, "name": f"Trường {school.mark}"}
    assert (row["level"], row["unit"], row["pack"]) == (
        "school",
        "ratio",
        packs.load().of("antivirus_coverage").name,
    )
    short = ask.get(AT, params={"school": school.code, "indicator": "antivirus_coverage",
                                "from": days[2], "to": days[4]}).json()  # fmt: skip
    assert [row["day"] for row in short["values"]] == days[2:5]


def test_by_place_and_level(tree: Tree, site: RunningSite) -> None:
    ask = site.ask()

    def codes(**query: str) -> set[str]:
        rows = paged(ask, 500, indicator="antivirus_coverage", **query)
        return {row["place"]["code"] for row in rows}

    assert codes(level="province") == {"MarkP0X", "MarkP1X"}
    assert codes(level="commune", province="MarkP0X") == {"MarkC00X", "MarkC01X"}
    assert codes(commune="MarkC00X") == {"MarkC00X", "Mark000X", "Mark001X"}
    assert codes(commune="MarkC00X", level="school") == {"Mark000X", "Mark001X"}
    assert len(codes()) == 2 + 4 + 8


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ({"indicator": "nothing_such"}, 404, "nothing_such"),
        ({"school": "NOBODY"}, 404, "NOBODY"),
        ({"commune": "NOBODY"}, 404, "NOBODY"),
        ({"province": "NOBODY"}, 404, "NOBODY"),
        ({"school": "Mark000X", "commune": "MarkC00X"}, 422, "say either"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, 422, "is after"),
        ({"from": "2010-11-02", "to": "2026-11-01"}, 422, "5 years"),
        ({"from": "0001-01-01", "to": "0001-01-02"}, 422, "between 1970 and 2100"),
        ({"to": "0001-01-02"}, 422, "between 1970 and 2100"),
        ({"from": "gestern"}, 422, "from"),
        ({"level": "district"}, 422, "level"),
        ({"place": "x"}, 422, "place"),
    ],
)
def test_what_cannot_be_answered_says_why(
    site: RunningSite, query: dict[str, str], status: int, text: str
) -> None:
    for path in (AT, f"{AT}.ndjson"):
        answer = site.ask().get(path, params=query)
        assert (answer.status_code, text in answer.text) == (status, True), answer.text


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_pages_and_stream_are_one_and_hold_nothing_of_outside(
    tree: Tree, site: RunningSite, data: st.DataObject
) -> None:
    scope = data.draw(st.sampled_from(tree.scopes))
    limit = data.draw(st.sampled_from([1, 7, 40, 500]))
    query = data.draw(st.fixed_dictionaries({}, optional={
        "level": st.sampled_from(["province", "commune", "school"]),
        "indicator": st.just("antivirus_coverage"),
        "from": st.integers(0, 20).map(lambda back: (day_of(time.time()) - timedelta(days=back)).isoformat()),
    }))  # fmt: skip
    client = _client(site, scope)
    rows = [json.loads(line) for line in client.get(f"{AT}.ndjson", params=query).text.splitlines()]
    if limit > 1 or len(rows) < 60:
        assert paged(client, limit, **query) == rows
    hidden = tree.hidden(scope)
    assert not [row for row in rows if row["place"]["code"] in hidden]
    inside = {school.code for school in tree.schools if school.inside(scope)}
    if query.get("level") in (None, "school"):
        assert {row["place"]["code"] for row in rows if row["level"] == "school"} == inside
    if scope.level == "school":
        assert {row["level"] for row in rows} <= {"school"}


_clients: dict[tuple[str, int | None], httpx.Client] = {}


def _client(site: RunningSite, scope) -> httpx.Client:
    key = (site.url, scope.level, scope.id)
    if key not in _clients:
        _clients[key] = site.ask(scope)
    return _clients[key]


def test_a_stream_of_simulated_data_says_so_in_each_line(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    with begin_write(tree.engine) as conn:
        simulated.mark(conn)
    series.write(tree.engine, packs.load(), time.time(), 1.0, {})
    with RunningSite(tree.config) as site:
        answer = site.ask().get(f"{AT}.ndjson")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert "simulated-schoolwatch" in answer.headers["content-disposition"]
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert rows
    assert all(row["simulated"] is True for row in rows)
    tree.engine.dispose()
