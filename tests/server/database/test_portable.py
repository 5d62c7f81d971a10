"""Statements that differ between databases can be said to PostgreSQL too."""

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from schoolwatch_server.database import marks, upsert
from schoolwatch_server.database import tables as t

DIALECTS = {"postgresql": postgresql.dialect(), "sqlite": sqlite.dialect()}


@pytest.mark.parametrize(
    ("dialect", "function"), [("postgresql", "json_object_agg"), ("sqlite", "json_group_object")]
)
def test_the_marks_of_a_device_are_one_json_text(dialect: str, function: str) -> None:
    said = str(marks._newest(dialect).compile(dialect=DIALECTS[dialect]))
    assert function in said
    assert "generation.device_id = device.id" in said


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_upsert_replaces_or_adds(dialect: str) -> None:
    statement = upsert._statement(dialect, t.counter, ("name", "label", "value"), frozenset({"value"}))
    said = str(statement.compile(dialect=DIALECTS[dialect]))
    assert "ON CONFLICT (name, label) DO UPDATE SET value = (counter.value + excluded.value)" in said
    keys_only = upsert._statement(dialect, t.arrived, ("generation_id", "seq"), frozenset())
    assert "DO NOTHING" in str(keys_only.compile(dialect=DIALECTS[dialect]))
