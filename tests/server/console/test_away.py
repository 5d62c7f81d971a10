"""A form that comes while the database is away is kept on the page that says so, and is stored once later."""

import html
import re
from collections.abc import Iterator

import httpx
import pytest

from schoolwatch_server.database.engine import begin_write
from tree import Tree
from website import RunningSite, csrf, led

TYPED = 'Đã gọi thầy Hùng; máy in "Canon" <hỏng> từ sáng.\nHẹn chiều nay.'


@pytest.fixture
def site(tree: Tree) -> Iterator[RunningSite]:
    with RunningSite(tree.config) as site:
        yield site


def _away(tree: Tree, *, comes: bool = False) -> None:
    """As a database in trouble: a table that every page of incidents needs is not there."""
    before, after = ("away", "incident") if comes else ("incident", "away")
    with begin_write(tree.engine) as conn:
        conn.exec_driver_sql(f"ALTER TABLE {before} RENAME TO {after}")


def _hidden(answer: httpx.Response) -> dict[str, str]:
    """The fields of the form that a browser would send again."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', answer.text)
    return {name: html.unescape(value) for name, value in found}


def test_what_was_typed_is_kept_and_stored_once(tree: Tree, site: RunningSite) -> None:
    person = site.somebody("so_admin")
    person.headers["accept"] = "text/html"
    page = re.search(r'href="(/incidents/\d+)"', person.get("/incidents").text)[1]
    form = {"csrf": csrf(person), "act": "note", "note": TYPED}
    _away(tree)
    for sent in (form, form):  # whoever presses again too early has it still
        answer = person.post(f"{page}/act", data=sent)
        assert answer.status_code == 503
        assert "chưa được lưu và còn nguyên" in answer.text
        assert html.escape("<hỏng>") in answer.text
        assert "<hỏng>" not in answer.text
        assert _hidden(answer) == form
    _away(tree, comes=True)
    assert TYPED.partition("\n")[2] not in person.get(page).text
    done = led(person, person.post(f"{page}/act", data=_hidden(answer)))
    assert done.text.count("Hẹn chiều nay.") == 1


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/login", {"name": "an", "password": "not to be seen"}),
        ("/me/password", {"old": "not to be seen", "new": "not to be seen", "again": "not to be seen"}),
        ("/notifications/channels", {"name": "x", "address": "https://not to be seen"}),
    ],
)
def test_a_password_is_never_part_of_it(
    tree: Tree, site: RunningSite, path: str, fields: dict[str, str]
) -> None:
    person = site.somebody("so_admin")
    person.headers["accept"] = "text/html"
    with begin_write(tree.engine) as conn:
        conn.exec_driver_sql("ALTER TABLE account RENAME TO away")
    answer = person.post(path, data={"csrf": csrf(person), **fields})
    assert "not to be seen" not in answer.text
    assert "Gửi lại" not in answer.text


def test_the_system_page_says_whose_disk_it_does_not_see(tree: Tree, site: RunningSite) -> None:
    is_elsewhere = tree.engine.dialect.name == "postgresql"
    said = site.somebody("so_admin").get("/system").text
    assert ("Ổ đĩa của PostgreSQL không thấy được từ đây" in said) is is_elsewhere
