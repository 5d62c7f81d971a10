"""What a list of schools would do to the registry: new codes, schools that are no more, others' places."""

from dataclasses import replace
from datetime import date

import pytest

from schoolwatch_server.workbooks import grid, table
from schoolwatch_server.workbooks.school_plan import plan
from schoolwatch_server.workbooks.schools import FIELDS, Known, Place, Plan, School

TODAY = date(2026, 11, 29)
HEAD = "Mã trường,Tên trường,Cấp học,Mã xã,Tên xã,Số máy tính,Máy tính cho học sinh,Mã cũ"
KNOWN = Known(
    {
        "01": School(1, "01", "Trường Hoa Lư", "TH", "00123", {"devices": 40.0}),
        "02": School(2, "02", "Trường Yết Kiêu", "THCS", "00124", {}),
    },
    frozenset({"09"}),
    {"00123": Place("00123", "Phường Hoa Lư", "37"), "00124": Place("00124", "Xã Gia Viễn", "37")},
    {"37": Place("37", "Ninh Bình")},
    frozenset({"00999"}),
)


def planned(*rows: str, head: str = HEAD, known: Known = KNOWN) -> Plan:
    read = table.read(grid.read("\n".join((head, *rows)).encode()), FIELDS)
    return plan(read, known, TODAY)


def wrong(*rows: str, head: str = HEAD) -> list[tuple[int, str, str]]:
    return [(one.row, one.column, one.reason) for one in planned(*rows, head=head).problems]


def test_only_what_differs_is_changed_and_an_empty_cell_changes_nothing() -> None:
    found = planned("01,Trường Hoa Lư,,,,,,", "02,Trường Yết Kiêu,THCS,00123,hoa lư,30,20,")
    assert found.problems == ()
    assert found.same == 1
    (change,) = found.changes
    assert (change.row, change.id) == (3, 2)
    assert change.values == {
        "commune": ("00124", "00123"),
        "devices": (None, 30),
        "student_devices": (None, 20),
    }


def test_a_new_code_keeps_the_school_when_its_former_code_is_given() -> None:
    (change,) = planned("03,Trường Hoa Lư,,,,,,01").changes
    assert (change.id, change.values) == (1, {"code": ("01", "03")})
    assert wrong("03,Trường Hoa Lư,TH,00123,,,,") == [(2, "B", "same_name")]
    assert wrong("03,Trường Khác,TH,00123,,,,77") == [(2, "H", "no_school")]
    assert wrong("02,Trường Yết Kiêu,,,,,,01") == [(2, "H", "both_there")]
    assert wrong("03,Trường Hoa Lư,,,,,,01", "01,Trường Hoa Lư,,,,,,") == [(3, "A", "twice")]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("09,Trường Cũ,TH,00123,,,,", "A", "ended"),
        ("05,Trường Mới,TH,00999,,,,", "D", "not_yours"),
        ("05,Trường Mới,TH,00777,,,,", "E", "new_without_name"),
        ("05,Trường Mới,TH,,,,,", "D", "missing"),
        ("05,Trường Mới,TH,,Xã Không Có,,,", "E", "no_commune"),
        ("05,Trường Mới,TH,00123,Xã Gia Viễn,,,", "E", "other_name"),
        ("01,Trường Hoa Lư,,,,,41,", "G", "more_than_all"),
    ],
)
def test_what_does_not_fit_the_registry_is_named(row: str, column: str, reason: str) -> None:
    assert wrong(row) == [(2, column, reason)]


def test_a_commune_is_found_by_its_name_when_only_one_bears_it() -> None:
    (change,) = planned("05,Trường Mới,TH,,gia viễn,,,").changes
    assert change.after("commune") == "00124"
    found = planned("05,Trường Mới,TH,00777,Xã Mới,,,")
    assert (found.problems, found.communes) == ((), (Place("00777", "Xã Mới", "37"),))


def test_a_heading_that_lacks_or_repeats_a_column_is_named_before_any_row() -> None:
    assert wrong("1,2", head="Tên trường,Cấp học") == [(1, "", "no_column")]
    assert wrong("1,2,3", head="Mã trường,Tên trường,Mã đơn vị") == [(1, "C", "heading_twice")]
    assert wrong("1,2,3", head="a,b,c") == [(1, "", "no_heading")]


def test_a_form_that_numbers_its_columns_has_no_school_named_two() -> None:
    found = planned("(1),(2),(3),(4),(5),(6),(7),(8)", "01,Trường Hoa Lư,,,,,,")
    assert (found.same, found.problems) == (1, ())


def test_a_new_code_begins_after_the_present_one_began() -> None:
    """Else the interval of the present one would end before it begins."""
    held = replace(KNOWN.schools["01"], code_since=date(2025, 7, 1))
    head, known = HEAD + ",Áp dụng từ ngày", replace(KNOWN, schools={"01": held})
    for day in ("30/06/2025", "01/07/2025"):
        (problem,) = planned(f"03,Trường Hoa Lư,,,,,,01,{day}", head=head, known=known).problems
        assert (problem.row, problem.column, problem.reason) == (2, "I", "before_present_code")
    assert planned("03,Trường Hoa Lư,,,,,,01,02/07/2025", head=head, known=known).problems == ()
    assert planned("01,Trường Mới,,,,,,,01/01/2020", head=head, known=known).problems == ()
