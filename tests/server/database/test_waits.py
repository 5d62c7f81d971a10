"""Whose decision a report waits for: a query says the same of all as `access.decides` of each."""

from pathlib import Path

import pytest
from sqlalchemy import insert, update

from schoolwatch_server.access import ROLES, Principal, Role, decides
from schoolwatch_server.database import reports, waits
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.levels import Manager
from schoolwatch_server.reports import keeping
from tree import Tree

SCHOOLS = (
    {"level": "THCS"},
    {"level": "THPT"},
    {"level": ""},
    {"level": "TH", "manager": "so"},
    {"level": "THCS&THPT", "manager": "xa"},
    {"level": "THCS", "is_specialised": True},
    {"level": "THCS", "is_specialised": True, "is_boarding": True},
)


@pytest.mark.parametrize(("role", "number"), [("so_admin", 0), ("so_admin", 1), ("commune", 3)])
def test_the_query_gives_what_somebody_decides_on(tmp_path: Path, role: Role, number: int) -> None:
    tree = Tree(tmp_path)
    scope = tree.scopes[number]
    who = Principal("account", "a", ROLES[role], scope, role)
    by: Manager = "xa" if scope.level == "commune" else "so"
    with begin_write(tree.engine) as conn:
        for school, values in zip(tree.schools, SCHOOLS, strict=False):
            conn.execute(update(t.school).where(t.school.c.id == school.id).values(**values))
        places = {("school", s.id) for s in tree.schools} | {("commune", s.commune) for s in tree.schools}
        places |= {("province", s.province) for s in tree.schools}
        for n, (level, place) in enumerate(sorted(places)):
            row = {"kind": "monthly", "level": level, "place_id": place, "period": "2026-11", "revision": 1}
            row |= {"sha256": f"{n:064}", "size": 1, "body": b"", "code": "C", "name": "N", "note": ""}
            row |= {"simulated": False, "due_on": "", "frozen_at": 1.0, "frozen_by": "a"}
            conn.execute(insert(t.report).values(state="handed_in", handed_in_by="a", **row))
        every = reports.listed(conn, scope, state="handed_in")
        asked = {row.id: keeping.whereabouts(conn, row) for row in every}
        mine = {row.id for row in every if decides(who, row.level, asked[row.id][1], asked[row.id][0])}
        found = reports.listed(conn, scope, state="handed_in", only=waits.decided_by(by))
    assert mine
    assert {row.id for row in found} == mine < {row.id for row in every}
    tree.engine.dispose()
