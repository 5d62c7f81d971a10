"""Graphs of judged values find them in an index, series by series.

The rows lie in the order of time: a graph of a month looked for each point of each line by itself.
"""

from alembic import op

revision = "0049"
down_revision = "0048"


def upgrade() -> None:
    """The same in both databases."""
    op.create_index("ix_judged_value", "judged", ["series_id", "at", "value"])
