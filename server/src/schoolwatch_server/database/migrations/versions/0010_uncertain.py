"""Reports of which nobody knows when they were taken are marked; quarantine remembers how a frame came."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """What is there counts as certain, and as having come live."""
    op.add_column(
        "journal", sa.Column("uncertain", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("quarantine", sa.Column("waited", sa.Double(), server_default=sa.text("0"), nullable=False))
    op.add_column("quarantine", sa.Column("made_at", sa.Double(), nullable=True))
