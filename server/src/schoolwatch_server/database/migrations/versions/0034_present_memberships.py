"""Where devices are now, in the order in which indicators add them up."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0028"


def upgrade() -> None:
    """An index of those memberships that hold."""
    present = sa.text("valid_to IS NULL")
    op.create_index(
        "ix_membership_present",
        "membership",
        ["school_id", "room_id", "device_id"],
        sqlite_where=present,
        postgresql_where=present,
    )
