"""A school is found by what people type of its name or code, and by nobody who may not see it."""

import pytest

from schoolwatch_server.console.search import ROWS
from schoolwatch_server.database import registry
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.database.pages import NamedRow
from schoolwatch_server.schools import find
from schoolwatch_server.scope import Scope
from tree import Tree
from website import RunningSite

SCHOOLS = (
    NamedRow("79000010", "THCS Lê Lợi 10", "Xã Bình An"),
    NamedRow("79000002", "THCS Lê Lợi 2", "Xã Bình An"),
    NamedRow("79000003", "THCS Lê Lội", "Xã Bình An"),
    NamedRow("79000004", "THPT Lợi Lê", "Phường 1"),
    NamedRow("79000005", "Tiểu học Đoàn Thị Điểm", "Xã Lê Lợi"),
    NamedRow("BLOI", "Mầm non Hoa Lệ", "Phường 2"),
)


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("le loi", ["79000003", "79000002", "79000010", "BLOI", "79000004", "79000005"]),
        ("Lê Lợi", ["79000002", "79000010", "79000003", "BLOI", "79000004", "79000005"]),
        ("thcs le loi 10", ["79000010"]),
        ("le loi binh an", ["79000003", "79000002", "79000010"]),
        ("DOAN thi", ["79000005"]),
        ("79000004", ["79000004"]),
        ("00004", ["79000004"]),
        ("bloi", ["BLOI"]),
        ("oi le", ["BLOI"]),
        ("trần phú", []),
        ("%", []),
    ],
)
def test_what_is_typed_finds_the_likeliest_first(query: str, codes: list[str]) -> None:
    assert [school.code for school in find(query, SCHOOLS)] == codes


def test_many_are_listed_and_one_is_opened_also_by_an_earlier_code(tree: Tree, site: RunningSite) -> None:
    client = site.somebody("so_viewer")
    school = tree.schools[0]
    with begin_write(tree.engine) as conn:
        registry.change_code(conn, school.id, "MOI", tree.now + 1)
    every = client.get("/search", params={"q": "truong"}).text
    assert all(f"Trường {one.mark}" in every for one in tree.schools)
    for query in ("moi", f"trường {school.mark}", school.code):
        assert client.get("/search", params={"q": query}).headers["location"] == "/schools/MOI", query
    nothing = client.get("/search", params={"q": "<b>\0"})
    assert nothing.status_code == 200
    assert "Không tìm thấy trường nào có “&lt;b&gt;”" in nothing.text
    assert client.get("/search", params={"q": "x" * 101}).status_code == 422


def test_nobody_finds_what_lies_outside_the_scope(tree: Tree, site: RunningSite) -> None:
    scope = Scope("commune", tree.schools[0].commune)
    client = site.somebody("commune", scope)
    found = client.get("/search", params={"q": "truong"}).text
    assert tree.schools[1].mark in found
    assert not [mark for mark in tree.hidden(scope) if mark in found]
    other = client.get("/search", params={"q": tree.schools[-1].code})
    assert other.status_code == 200
    assert "Không tìm thấy" in other.text


def test_a_long_list_says_how_many_it_leaves_out(tree: Tree, site: RunningSite) -> None:
    client = site.somebody("so_viewer")
    with begin_write(tree.engine) as conn:
        for n in range(ROWS):
            registry.create_school(conn, tree.schools[0].commune, f"D{n}", f"Trường {n}", "", tree.now)
    page = client.get("/search", params={"q": "truong"}).text
    assert page.count('<li><a href="/schools/') == ROWS
    assert f"Hiển thị {ROWS} trong {ROWS + len(tree.schools)} trường" in page
