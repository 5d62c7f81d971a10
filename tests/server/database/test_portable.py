"""Statements that differ between databases can be said to PostgreSQL too."""

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from schoolwatch_server.database import marks

DIALECTS = {"postgresql": postgresql.dialect(), "sqlite": sqlite.dialect()}


@pytest.mark.parametrize(
    ("dialect", "function"), [("postgresql", "json_object_agg"), ("sqlite", "json_group_object")]
)
def test_the_marks_of_a_device_are_one_json_text(dialect: str, function: str) -> None:
    said = str(marks._newest(dialect).compile(dialect=DIALECTS[dialect]))
    assert function in said
    assert "generation.device_id = device.id" in said
