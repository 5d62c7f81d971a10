"""What was carried in a bundle is marked, and so is a generation whose clock is taken at its word."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """What is there came live."""
    for table, name in (("generation", "at_its_word"), ("journal", "carried")):
        op.add_column(table, sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False))
