"""When each computer last had a default route for IPv6, so that a school that lost it is known."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    """Unknown until a computer has it once more."""
    op.add_column("state", sa.Column("ipv6_worked_at", sa.Double(), nullable=True))
