"""Who looked at incidents and the audit log, and who was refused, is in that log; a flood is counted."""

import httpx

from schoolwatch_server import audit_log
from schoolwatch_server.database import audit, incident_rows
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.deeds import MOST, SECONDS, Deed, Deeds
from schoolwatch_server.scope import EVERYTHING, Scope
from tree import Tree
from website import RunningSite


def written(tree: Tree) -> list[tuple[str, str, str]]:
    with begin_read(tree.engine) as conn:
        rows = reversed(audit.newest(conn, 1000))
    return [(row.actor, row.action, row.subject) for row in rows if not row.action.startswith("account")]


def test_looking_at_an_incident_is_written_down_before_it_is_shown_and_once(
    tree: Tree, head: httpx.Client
) -> None:
    with begin_read(tree.engine) as conn:
        mine, other = (
            incident_rows.incidents(conn, Scope("school", s.id), before=None, limit=1, is_open=None)[0].id
            for s in tree.schools[:2]
        )
    for _ in range(3):
        assert head.get(f"/incidents/{mine}").status_code == 200
        assert head.get("/incidents").status_code == 200
    code = tree.schools[1].code
    for page in (
        f"/incidents/{other}", f"/api/v1/incidents/{other}", f"/schools/{code}/work-list",
        f"/api/v1/work-list?school={code}", f"/api/v1/work-list.csv?school={code}",
        "/response-times?commune=MarkC10X", "/api/v1/response-times?commune=MarkC10X",
    ):  # fmt: skip
        assert head.get(page).status_code == 404
    looked = [line for line in written(tree) if line[1].startswith("incident")]
    assert [line[1:] for line in looked] == [("incident.view", str(mine)), ("incident.list", "")]
    assert len({line[0] for line in looked}) == 1
    assert audit_log.verify(tree.engine, tree.folder).wrong == ()


def test_reading_the_log_and_taking_files_and_being_refused_are_in_the_log(tree: Tree) -> None:
    with RunningSite(tree.config) as site:
        auditor = site.somebody("auditor")
        assert auditor.get("/audit").status_code == 200
        assert auditor.get("/api/v1/tables/indicators.csv").status_code == 200
        head = site.somebody("school_head", Scope("school", tree.schools[0].id))
        for _ in range(5):
            assert head.get("/system").status_code == 403
        assert site.ask(EVERYTHING).get("/api/v1/incidents").status_code == 200
    done = [line[1:] for line in written(tree) if line[1] in {"audit.view", "export", "access.refused"}]
    assert done == [("audit.view", ""), ("export", "indicators"), ("access.refused", "GET /system")]
    assert [line[1:] for line in written(tree)][-1] == ("incident.list", "")


def test_what_is_done_again_is_counted_and_its_count_is_written_when_the_time_is_over() -> None:
    looked = Deeds()
    one, other = Deed("lan", "incident.view", "7", "account"), Deed("hoa", "incident.view", "7", "account")
    assert looked.rows(one, 0) == [(one, 0)]
    assert [looked.rows(one, n) for n in (1, 2, SECONDS - 1)] == [[], [], []]
    assert looked.rows(other, SECONDS + 1) == [(one, 3), (other, 0)]
    assert looked.rows(one, SECONDS + 2) == [(one, 0)]
    assert looked.rows(other, 3 * SECONDS) == [(other, 0)], "nothing more was done: nothing is counted"


def test_a_flood_makes_no_more_rows_than_there_is_room_for() -> None:
    looked = Deeds()
    rows = [
        row for n in range(20 * MOST) for row in looked.rows(Deed(f"n{n}", "access.refused", "x", ""), 1.0)
    ]
    assert len(rows) == MOST + 1
    assert rows[-1][0].action == "access.many"
    after = looked.rows(Deed("lan", "incident.view", "7", ""), 1.0 + SECONDS)
    assert [more for _, more in after] == [19 * MOST - 1, 0], "those without a row of their own are counted"
