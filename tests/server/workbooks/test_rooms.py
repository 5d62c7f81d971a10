"""What a list of rooms would do to the registry, and what is wrong with it by row and column."""

import pytest

from schoolwatch_server.workbooks import grid, table
from schoolwatch_server.workbooks.rooms import FIELDS, KnownRooms, Room, plan
from schoolwatch_server.workbooks.schools import Plan

HEAD = "STT,Mã trường,Tên phòng,Loại phòng,Số máy tính"
KNOWN = KnownRooms({"00010702": {"Phòng Tin 1": Room(7, "Phòng Tin 1", "student_lab", 40)}, "00010703": {}})


def planned(*rows: str) -> Plan:
    return plan(table.read(grid.read("\n".join((HEAD, *rows)).encode()), FIELDS), KNOWN)


def test_only_what_differs_is_changed() -> None:
    found = planned(
        "1,00010702,Phòng Tin 1,,", "2,00010703,Phòng Tin 1,Phòng máy,30", "3,00010703,P. Hội đồng,Văn phòng,"
    )
    assert (found.problems, found.same) == ((), 1)
    assert [(one.row, one.id, one.after("role"), one.after("declared")) for one in found.changes] == [
        (3, None, "student_lab", 30),
        (4, None, "office", None),
    ]
    (change,) = planned("1,00010702,phòng TIN 1,studio,0").changes
    assert (change.id, change.values) == (7, {"role": ("student_lab", "studio"), "declared": (40, 0)})


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("1,99,Phòng 1,Phòng học,", "B", "no_such_school"),
        ("1,00010703,,Phòng học,", "C", "missing"),
        ("1,00010703,Phòng 1,,", "D", "missing"),
        ("1,00010703,Phòng 1,kho,", "D", "not_a_role"),
        ("1,00010703,Phòng 1,Phòng học,1001", "E", "too_many"),
    ],
)
def test_what_does_not_fit_is_named(row: str, column: str, reason: str) -> None:
    assert [(one.row, one.column, one.reason) for one in planned(row).problems] == [(2, column, reason)]


def test_a_room_stands_once_in_the_list() -> None:
    found = planned(
        "1,00010703,Phòng 1,Phòng học,", "2,00010702,Phòng 1,Phòng học,", "3,00010703,phòng 1,Studio,"
    )
    assert [(one.row, one.column, one.reason, one.values["first"]) for one in found.problems] == [
        (4, "C", "room_twice", 2)
    ]
