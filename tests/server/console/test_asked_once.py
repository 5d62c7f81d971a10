"""Pages ask the database for nothing twice: on PostgreSQL each question is a way there and back."""

from collections import Counter

from sqlalchemy import event

from tree import Tree
from website import RunningSite


def test_pages_of_a_school_and_a_commune_ask_for_what_is_due_there_once(tree: Tree) -> None:
    asked: Counter[tuple[str, str]] = Counter()
    with RunningSite(tree.config) as site:
        people = site.somebody("so_admin")
        event.listen(
            site.engine,
            "before_cursor_execute",
            lambda conn, cursor, statement, given, *more: asked.update([(statement, str(given))]),
        )
        for path in (f"/schools/{tree.schools[0].code}", "/communes/MarkC00X"):
            assert people.get(path).status_code == 200
            asked.clear()
            assert people.get(path).status_code == 200
            of_reports = [number for (statement, _), number in asked.items() if "FROM report" in statement]
            assert of_reports, path
            assert {*of_reports} == {1}, path
