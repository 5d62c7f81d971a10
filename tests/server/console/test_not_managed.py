"""A commune reads of a school that reports to the department, and writes nothing in its place."""

import pytest
from sqlalchemy import insert, select, update

from schoolwatch_server.database import succession
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.scope import Scope
from tree import School, Tree
from website import RunningSite, csrf

FORMS: dict[str, dict[str, str]] = {
    "/schools/{code}/declare": {"students": "1234"},
    "/schools/{code}/rooms": {"name": "Phòng 9", "role": "classroom"},
    "/schools/{code}/rooms/{room}": {"role": "classroom", "declared": "9"},
    "/schools/{code}/line": {"device": ""},
    "/schools/{code}/devices": {},
    "/schools/{code}/checks": {"room": "{room}", "working": "1"},
    "/schools/{code}/site": {"address": ""},
    "/schools/{code}/site/look": {},
    "/schools/{code}/contacts": {"kind": "it_contact", "name": "A"},
    "/schools/{code}/contacts/remove": {"kind": "it_contact"},
    "/devices/{device}/manage": {"label": "A"},
}
"""Every form with which something is said of a school."""


@pytest.fixture
def rooms(tree: Tree) -> dict[int, int]:
    """A room of the first school, its commune's, and one of the second, which is the department's."""
    own, other = tree.schools[:2]
    with begin_write(tree.engine) as conn:
        conn.execute(update(t.school).where(t.school.c.id == other.id).values(level="THPT"))
        for school in (own, other):
            conn.execute(insert(t.room).values(school_id=school.id, name="Phòng 1", role="student_lab"))
        found = conn.execute(select(t.room.c.school_id, t.room.c.id).where(t.room.c.name == "Phòng 1"))
        return {row.school_id: row.id for row in found}


def test_a_commune_writes_for_its_own_schools_alone(tree: Tree, rooms: dict[int, int]) -> None:
    own, other = tree.schools[:2]
    with RunningSite(tree.config) as site:
        commune = site.somebody("commune", Scope("commune", own.commune))
        shown = [
            f"/schools/{school.code}/declare" in commune.get(f"/schools/{school.code}").text
            for school in (own, other)
        ]
        assert shown == [True, False]
        commune.headers["Accept"] = "text/html"

        def ask(path: str, of: School) -> tuple[bool, bool]:
            at = {"code": of.code, "room": rooms[of.id], "device": of.devices[0].device}
            form = {name: value.format(**at) for name, value in FORMS[path].items()}
            answer = commune.post(path.format(**at), data={"csrf": csrf(commune), **form})
            return answer.status_code == 403, "báo cáo trực tiếp cho Sở" in answer.text

        assert {path: ask(path, other) for path in FORMS} == dict.fromkeys(FORMS, (True, True))
        assert {path: ask(path, own) for path in FORMS} == dict.fromkeys(FORMS, (False, False))
    with begin_read(tree.engine) as conn:
        told = conn.scalars(select(t.declaration.c.school_id).where(t.declaration.c.value == 1234)).all()
    assert told == [own.id]


def test_a_list_names_the_rows_that_are_not_the_communes_to_import(tree: Tree, rooms: dict[int, int]) -> None:
    own, other = tree.schools[:2]
    head, file = "Mã trường;Tên phòng;Loại phòng\n", {}
    text = "".join(f"{school.code};Phòng 9;Phòng học\n" for school in (own, other))
    with RunningSite(tree.config) as site:
        for role, scope in (("commune", Scope("commune", own.commune)), ("so_admin", None)):
            somebody = site.somebody(role, scope) if scope else site.somebody(role)
            file = {"file": ("room.csv", (head + text).encode())}
            answer = somebody.post(
                "/imports/look", data={"csrf": csrf(somebody), "roster": "room"}, files=file
            )
            refused = f"trường {other.code} báo cáo trực tiếp cho Sở GDĐT"
            assert (answer.status_code, refused in answer.text) == ((422, True) if scope else (200, False))


def test_an_account_of_a_merged_commune_is_told_where_its_schools_are(tree: Tree) -> None:
    old, new = tree.schools[0], tree.schools[2]
    with begin_write(tree.engine) as conn:
        moved = t.school.c.commune_id == old.commune
        conn.execute(update(t.school).where(moved).values(commune_id=new.commune))
        succession.commune_merged(conn, old.commune, new.commune, tree.now)
    with RunningSite(tree.config) as site:
        former = site.somebody("commune", Scope("commune", old.commune)).get("/").text
        assert "MarkC01X" in former
        assert "Tài khoản của xã cũ không thấy trường nào nữa" in former
        assert "xã cũ" not in site.somebody("commune", Scope("commune", new.commune)).get("/").text
