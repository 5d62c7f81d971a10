"""Communes that were renamed, are new, or became part of another in July 2025."""

import pytest
from sqlalchemy import select

from reports import World
from schoolwatch_server import rosters
from schoolwatch_server.database import registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.workbooks import grid, table
from schoolwatch_server.workbooks.communes import FIELDS, plan
from schoolwatch_server.workbooks.schools import Known, Place, Plan, School

NOW = 1_795_000_000.0
HEAD = "Mã xã,Tên xã,Mã tỉnh,Tên tỉnh,Sáp nhập vào\n"
KNOWN = Known(
    {"01": School(1, "01", "Trường Hoa Lư", "TH", "00123", {})},
    frozenset(),
    {"00123": Place("00123", "Xã Hoa Lư", "37"), "00124": Place("00124", "Xã Gia Viễn", "37")},
    {"37": Place("37", "Ninh Bình")},
    frozenset({"00999"}),
    may_add_province=False,
)


def planned(*rows: str) -> Plan:
    return plan(table.read(grid.read((HEAD + "\n".join(rows)).encode()), FIELDS), KNOWN)


def test_communes_are_new_renamed_or_part_of_another() -> None:
    found = planned("00123,Xã Hoa Lư,,,00200", "00124,Phường Gia Viễn,37,,", "00200,Phường Tây Hoa Lư,,,")
    assert found.problems == ()
    assert [(one.row, one.code, one.id, one.values) for one in found.changes] == [
        (2, "00123", 0, {"into": (None, "00200")}),
        (3, "00124", 0, {"name": ("Xã Gia Viễn", "Phường Gia Viễn")}),
        (4, "00200", None, {"name": (None, "Phường Tây Hoa Lư"), "province": (None, "37")}),
    ]
    assert planned("00124,Xã Gia Viễn,,,00123").same == 1, "it has no school that could move"


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("00123,Xã Hoa Lư,,,00123", "E", "into_itself"),
        ("00123,Xã Hoa Lư,,,00777", "E", "no_such_commune"),
        ("00999,Xã Khác,,,", "A", "not_yours"),
        ("00300,Xã Mới,99,Tỉnh Khác,", "C", "not_yours"),
        ("00123,,,,", "B", "missing"),
        ("xã 1,Xã Hoa Lư,,,", "A", "not_a_code"),
    ],
)
def test_what_does_not_fit_is_named(row: str, column: str, reason: str) -> None:
    assert [(one.row, one.column, one.reason) for one in planned(row).problems] == [(2, column, reason)]


def test_schools_of_a_commune_that_became_part_of_another_are_there_once_and_stay(world: World) -> None:
    with begin_write(world.engine) as conn:
        (old,) = registry.communes(conn, EVERYTHING)
        conn.execute(t.commune.update().values(code="00010"))
        conn.execute(t.province.update().values(code="37"))
    data = (HEAD + "00010,Xã Cũ,,,00020\n00020,Phường Mới,37,,\n").encode()
    found = rosters.take_in(world.engine, "commune", data, EVERYTHING, by="lan", now=NOW)
    assert found.plan.problems == ()
    again = rosters.take_in(world.engine, "commune", data, EVERYTHING, by="lan", now=NOW)
    assert (again.plan.changes, again.plan.same) == ((), 2)
    with begin_read(world.engine) as conn:
        (school,) = registry.schools(conn, EVERYTHING)
        names = dict(conn.execute(select(t.commune.c.code, t.commune.c.name)).all())
        assert registry.schools(conn, Scope("commune", old.id)) == ()
    assert (school.commune, names) == ("Phường Mới", {"00010": "Xã Cũ", "00020": "Phường Mới"})
