"""Channels that an account sets up for itself, and the common ones that carry their messages."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    """Whoever has a channel already got it from the department: none of these is an account's own doing."""
    no = sa.text("false")
    for column in (
        sa.Column("carries", sa.Boolean(), nullable=False, server_default=no),
        sa.Column("least", sa.String(20), nullable=True),
        sa.Column("is_quiet", sa.Boolean(), nullable=False, server_default=no),
        sa.Column("confirmed_at", sa.Double(), nullable=True),
        sa.Column("code", sa.String(64), nullable=False, server_default=""),
        sa.Column("code_until", sa.Double(), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False, server_default=sa.text("0")),
    ):
        op.add_column("channel", column)
