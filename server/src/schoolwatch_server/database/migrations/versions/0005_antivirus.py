"""What antivirus runs on a device is a column of its own, so that a school's page need not unpack states."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """It fills with each device's next report; until then it is unknown."""
    op.add_column("state", sa.Column("antivirus", sa.Text(), nullable=True))
