"""A device's page counts its uncertain reports at once: there are next to none."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Only uncertain rows are in the index."""
    op.create_index(
        "ix_journal_uncertain",
        "journal",
        ["device_id"],
        sqlite_where=sa.text("uncertain = 1"),
        postgresql_where=sa.text("uncertain"),
    )
