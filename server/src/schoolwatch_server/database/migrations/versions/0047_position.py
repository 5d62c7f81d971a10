"""Where schools stand, for a map of them."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    """Nowhere until somebody says it."""
    op.add_column("school", sa.Column("position", sa.Text(), server_default="", nullable=False))
