"""Who stood in a room is found without reading where everybody stood."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Makes the index."""
    op.create_index("ix_membership_room_id", "membership", ["room_id"], unique=False)
