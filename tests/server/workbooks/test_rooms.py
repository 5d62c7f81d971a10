"""What a list of rooms would do to the registry, and what is wrong with it by row and column."""

from datetime import date

import pytest

from schoolwatch_server.workbooks import grid, table
from schoolwatch_server.workbooks.listing import Held, Known, plan
from schoolwatch_server.workbooks.rooms import LISTING
from schoolwatch_server.workbooks.schools import Plan

HEAD = "STT,Mã trường,Tên phòng,Loại phòng,Số máy tính"
HELD = Held(
    7, {"name": "Phòng Tin 1", "role": "student_lab", "declared": 40, "projection": "", "in_use": True}
)
KNOWN = {
    "00010702": Known("THCS", campuses=("Khu Đông",), things={("phong tin 1",): HELD}),
    "00010703": Known("THCS"),
}
TODAY = date(2026, 11, 29)


def planned(*rows: str, head: str = HEAD) -> Plan:
    read = table.read(grid.read("\n".join((head, *rows)).encode()), LISTING.columns)
    return plan(LISTING, read, KNOWN, TODAY)


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
        ("1,00010703,Phòng 1,kho,", "D", "not_one_of"),
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
        (4, "C", "row_twice", 2)
    ]


MORE = "Mã trường,Phòng,Điểm trường,Đang sử dụng,Trình chiếu,Trình chiếu dùng được,Xác nhận Internet"


def test_projection_use_campus_and_internet_come_by_the_list_too() -> None:
    (change,) = planned("00010702,phòng tin 1,khu đông,Không,tivi,có,20/11/2026", head=MORE).changes
    assert change.values == {
        "campus": (None, "Khu Đông"),
        "in_use": (True, False),
        "projection": ("", "tv"),
        "projection_ok": (None, True),
        "internet_by_hand": (None, date(2026, 11, 20)),
    }


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("00010702,Phòng Tin 1,Khu Tây,,,,", "C", "no_such_campus"),
        ("00010702,Phòng Tin 1,,có lẽ,,,", "D", "not_one_of"),
        ("00010702,Phòng Tin 1,,,đèn,,", "E", "not_one_of"),
        ("00010702,Phòng Tin 1,,,,,30/11/2026", "G", "in_future"),
    ],
)
def test_each_new_column_says_what_is_wrong(row: str, column: str, reason: str) -> None:
    found = planned(row, head=MORE)
    assert [(one.row, one.column, one.reason) for one in found.problems] == [(2, column, reason)]
    assert found.changes == ()
