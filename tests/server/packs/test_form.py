"""A plan as an officer types it in: it becomes a pack, or what is wrong is said field by field."""

import string
from datetime import date

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schoolwatch_server import packs
from schoolwatch_server.packs import form
from schoolwatch_server.packs.criteria import Criteria
from schoolwatch_server.packs.plan import Plan

HEAD = {"vi": "Kế hoạch năm 2027", "number": "12/KH-SGDĐT", "date": "05/01/2027", "issuer": "Sở GDĐT"}
ROW = {"vi": "Phần mềm diệt virus", "measured": "i:antivirus_coverage", "target": "95", "unit": "ratio",
       "deadline": "2027-12-31", "clause": "mục II.3", "confidence": "V-law"}  # fmt: skip


def filled(*rows: dict[str, str], **head: str) -> dict[str, tuple[str, ...]]:
    given = {name: (text,) for name, text in (HEAD | head).items()}
    for number, row in enumerate(rows):
        given |= {f"items.{number}.{name}": (text,) for name, text in row.items()}
    return given


def read(*rows: dict[str, str], **head: str) -> Plan:
    data, faults = form.read(form.PLAN, filled(*rows, **head))
    assert faults == ()
    return msgspec.convert({"id": "so_2027", "version": 1} | data, Plan)


def test_what_is_filled_in_becomes_a_plan() -> None:
    plan = read(ROW)
    assert (plan.number, plan.date, plan.issuer) == ("12/KH-SGDĐT", date(2027, 1, 5), "Sở GDĐT")
    item = plan.items[0]
    assert (item.id, item.indicator, item.target, item.deadline) == (
        "phan_mem_diet_virus",
        "antivirus_coverage",
        0.95,
        date(2027, 12, 31),
    )


def test_empty_rows_and_rows_to_be_dropped_are_left_out() -> None:
    plan = read(ROW, {"confidence": "V-law", "unit": "ratio"}, ROW | {"drop": "true"}, ROW)
    assert [item.id for item in plan.items] == ["phan_mem_diet_virus", "phan_mem_diet_virus_2"]


def test_a_number_that_is_no_share_stays_as_it_is_written() -> None:
    item = read(ROW | {"unit": "students/computer", "target": "2", "better": "lower"}).items[0]
    assert (item.target, item.better) == (2, "lower")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.000.000", 1e6),
        ("1.234,5", 1234.5),
        ("0.125", 0.125),
        ("2,125", 2.125),
        ("1000", 1000),
        ("2.5", 2.5),
    ],
)
def test_a_number_is_read_as_it_is_written_here(text: str, number: float) -> None:
    assert read(ROW | {"unit": "count", "target": text}).items[0].target == number


@pytest.mark.parametrize("number", [1234567.0, 123456.78, 0.000001, 80.0, 1000.0, 2.125])
def test_a_number_that_nobody_touches_stays_the_same(number: float) -> None:
    plan = read(ROW | {"unit": "count", "target": "1"})
    again = form.values(form.PLAN, msgspec.structs.replace(plan, items=(
        msgspec.structs.replace(plan.items[0], target=number),
    )))  # fmt: skip
    data, faults = form.read(form.PLAN, again)
    assert faults == ()
    assert data["items"][0]["target"] == number


def test_rows_beyond_what_a_plan_holds_are_told_and_not_dropped() -> None:
    _, faults = form.read(form.PLAN, filled(*[ROW] * (form.ROWS_MAX + 1)))
    assert [(fault.field, fault.reason) for fault in faults] == [("items", "too_many_rows")]


def test_a_document_without_a_number_gives_no_target() -> None:
    assert read(ROW | {"target": ""}).items[0].target is None


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        ("vi", "", "required"),
        ("clause", "", "required"),
        ("deadline", "31/02/2027", "not_a_day"),
        ("deadline", "cuối năm", "not_a_day"),
        ("target", "chín mươi", "not_a_number"),
        ("target", "120", "not_a_share"),
        ("target", "-5", "negative"),
        ("target", "1.000", "ambiguous"),
        ("target", "1,000", "ambiguous"),
        ("target", "1.00.000", "not_a_number"),
        ("deadline", "01/01/0001", "not_a_day"),
        ("deadline", "31/12/9999", "not_a_day"),
        ("quote", "x" * 2001, "too_long"),
        ("confidence", "sure", "no_choice"),
        ("unit", "percent", "no_choice"),
    ],
)
def test_what_is_wrong_is_said_of_its_field(field: str, text: str, reason: str) -> None:
    _, faults = form.read(form.PLAN, filled(ROW, ROW | {field: text}))
    assert [(fault.field, fault.reason) for fault in faults] == [(f"items.1.{field}", reason)]


def test_all_that_is_wrong_is_said_at_once() -> None:
    _, faults = form.read(form.PLAN, filled(ROW | {"deadline": "x", "target": "y"}, issuer=""))
    assert {fault.field for fault in faults} == {"issuer", "items.0.deadline", "items.0.target"}


def test_a_plan_without_targets_is_none() -> None:
    _, faults = form.read(form.PLAN, filled())
    assert [(fault.field, fault.reason) for fault in faults] == [("items", "no_rows")]


@pytest.mark.parametrize("held", packs.examples(), ids=lambda held: held.sheet.id)
def test_an_example_that_is_opened_and_saved_is_the_same(held: packs.Held) -> None:
    assert isinstance(held.sheet, Plan)
    data, faults = form.read(form.PLAN, form.values(form.PLAN, held.sheet))
    again = yaml.safe_load(form.to_yaml({"id": held.sheet.id, "version": 1} | data))
    assert faults == ()
    assert msgspec.convert(again, Plan) == held.sheet


@pytest.mark.parametrize("name", ["qd4725", "qd3276"])
def test_criteria_that_are_opened_and_saved_are_the_same(name: str) -> None:
    pack = next(one for one in packs.load().criteria if one.id == name)
    data, faults = form.read(form.CRITERIA, form.values(form.CRITERIA, pack))
    assert faults == ()
    assert msgspec.convert({"id": name, "version": 1} | data, Criteria) == pack


TEXT = st.text(string.printable + "ăâđêôơưÁắ“”", max_size=30)


@given(
    st.dictionaries(
        st.sampled_from([f"items.{n}.{f.name}" for n in (0, 7) for f in form.PLAN.rows[0].fields]), TEXT
    )
)
def test_whatever_is_typed_becomes_a_plan_or_a_fault(typed: dict[str, str]) -> None:
    given = filled() | {name: (text,) for name, text in typed.items()}
    data, faults = form.read(form.PLAN, given)
    known = {field.name for field in (*form.PLAN.head, *form.PLAN.rows[0].fields)} | {"items"}
    assert {fault.field.rpartition(".")[2] for fault in faults} <= known
    if not faults:
        text = form.to_yaml({"id": "so_2027", "version": 1} | data)
        assert yaml.safe_load(text)["items"]


@given(TEXT)
def test_a_name_of_a_pack_is_always_one(text: str) -> None:
    word = form.slug(text)
    assert not word or (word[0].isalpha() and set(word) <= set(string.ascii_lowercase + string.digits + "_"))
